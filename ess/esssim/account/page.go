package account

import "fmt"

// Page is one page of a list, with the length of the whole list. Pages are cut
// from the list as it is at each call, so that paging over a changing list drifts,
// as it does in ESS.
type Page[T any] struct {
	Items []T
	Total int
	Number,
	Size int
}

// Paging asks for one page; zero values ask for ESS's defaults.
type Paging struct{ Number, Size int }

const defaultPageSize = 10

// page checks a paging against the largest size of an API and fills in defaults.
func (p Paging) page(largest int) (Paging, error) {
	if p.Number == 0 {
		p.Number = 1
	}
	if p.Size == 0 {
		p.Size = defaultPageSize
	}
	if p.Number < 1 {
		return p, ErrInvalid("PageNumber", fmt.Sprintf("%d is not positive", p.Number))
	}
	if p.Size < 1 || p.Size > largest {
		return p, ErrInvalid("PageSize", fmt.Sprintf("%d is not between 1 and %d", p.Size, largest))
	}
	return p, nil
}

// pageOf cuts a page out of a list that is given by its length and elements.
func pageOf[T any](p Paging, total int, at func(int) T) Page[T] {
	result := Page[T]{Total: total, Number: p.Number, Size: p.Size}
	if p.Number-1 > total/p.Size {
		return result // also keeps the product below from overflowing
	}
	from := (p.Number - 1) * p.Size
	for i := from; i < min(total, from+p.Size); i++ {
		result.Items = append(result.Items, at(i))
	}
	return result
}
