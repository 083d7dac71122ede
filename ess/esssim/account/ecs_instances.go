package account

import (
	"fmt"
	"slices"
)

// ECSQuery selects ECS instances; empty fields select all. With MaxResults or
// NextToken the list is paged by token, else by number.
type ECSQuery struct {
	IDs        []string
	Type, Zone string
	MaxResults int
	NextToken  string
	Paging
}

// ECSPage is a page of ECS instances, whichever way it was asked for.
type ECSPage struct {
	Page[Instance]
	Next string
}

const maxECSResults = 100

// ECSInstances lists the account's ECS instances, oldest first. One that does not
// exist is left out.
func (a *Account) ECSInstances(q ECSQuery) (ECSPage, error) {
	defer a.enter()()
	if len(q.IDs) > maxECSResults {
		return ECSPage{}, ErrInvalid("InstanceIds", fmt.Sprintf("%d are more than %d", len(q.IDs), maxECSResults))
	}
	found := a.selectECS(q)
	if q.MaxResults == 0 && q.NextToken == "" {
		paging, err := q.page(maxECSResults)
		if err != nil {
			return ECSPage{}, err
		}
		return ECSPage{Page: pageOf(paging, len(found), func(n int) Instance { return found[n].view() })}, nil
	}
	size := q.MaxResults
	if size == 0 {
		size = defaultPageSize
	}
	if size < 1 || size > maxECSResults {
		return ECSPage{}, ErrInvalid("MaxResults", fmt.Sprintf("%d is not between 1 and %d", size, maxECSResults))
	}
	cut, err := tokenPage(found, q.NextToken, size)
	if err != nil {
		return ECSPage{}, err
	}
	result := ECSPage{Page: Page[Instance]{Total: len(found)}, Next: cut.Next}
	for _, i := range cut.Items {
		result.Items = append(result.Items, i.view())
	}
	return result, nil
}

func (a *Account) selectECS(q ECSQuery) []*instance {
	var candidates []*instance
	if len(q.IDs) > 0 {
		for _, id := range q.IDs {
			if i, ok := a.instances[id]; ok && !slices.Contains(candidates, i) {
				candidates = append(candidates, i)
			}
		}
	} else {
		for _, g := range a.groups {
			candidates = append(candidates, g.instances...)
		}
		candidates = append(candidates, a.loose...)
	}
	found := candidates[:0]
	for _, i := range candidates {
		if (q.Type == "" || i.itype.Name == q.Type) && (q.Zone == "" || i.zone == q.Zone) {
			found = append(found, i)
		}
	}
	slices.SortFunc(found, func(x, y *instance) int { return int(x.sequence) - int(y.sequence) })
	return found
}
