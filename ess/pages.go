package ess

import (
	"fmt"
	"maps"
	"slices"

	"github.com/buildpool/buildpool/cloudprovider"
)

// passes is how often a list that changes while it is read is read again.
const passes = 3

// page is one page of a list, and the length of the whole as that page knew it.
type page[Item any] struct {
	items []Item
	total int
}

// readAll reads a list by page numbers, ordered by ID. Offsets shift when an item
// comes or goes between two pages, and what shifts over a boundary that was already
// read is not seen at all. So a pass counts only when every page agreed on the
// length and as many different items were seen; else the list is read again. A list
// that never holds still is returned as the union of the passes: an instance that
// has just gone does less harm than one that is overlooked.
func readAll[Item any](size int, id func(Item) string, fetch func(number int) (page[Item], error)) ([]Item, error) {
	union := map[string]Item{}
	for range passes {
		seen, steady, err := readPass(size, id, fetch)
		if err != nil {
			return nil, err
		}
		if steady {
			return ordered(seen), nil
		}
		maps.Copy(union, seen)
	}
	return ordered(union), nil
}

// readPass reads the list once.
func readPass[Item any](size int, id func(Item) string, fetch func(number int) (page[Item], error)) (seen map[string]Item, steady bool, err error) {
	seen = map[string]Item{}
	first := 0
	for number := 1; ; number++ {
		p, err := fetch(number)
		if err != nil {
			return nil, false, fmt.Errorf("read page %d: %w", number, err)
		}
		for _, item := range p.items {
			seen[id(item)] = item
		}
		if number == 1 {
			first = p.total
		}
		if p.total != first {
			return seen, false, nil
		}
		// An empty page ends it as well, so that a wrong length cannot go on for ever.
		if number*size >= p.total || len(p.items) == 0 {
			return seen, len(seen) == p.total, nil
		}
	}
}

func ordered[Item any](seen map[string]Item) []Item {
	items := make([]Item, 0, len(seen))
	for _, id := range slices.Sorted(maps.Keys(seen)) {
		items = append(items, seen[id])
	}
	return items
}

// distinct returns the names without repetition and without empty ones, in order.
func distinct(names []string) []string {
	seen := make(map[string]bool, len(names))
	var out []string
	for _, name := range names {
		if name != "" && !seen[name] {
			seen[name] = true
			out = append(out, name)
		}
	}
	return out
}

// checkID refuses an ID that could not be one, before it costs a call.
func checkID(what, id string) error {
	if id == "" {
		return fmt.Errorf("%s without an ID: %w", what, cloudprovider.ErrInvalidArgument)
	}
	return nil
}
