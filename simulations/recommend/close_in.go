package recommend

import (
	"cmp"
	"context"
	"slices"
)

// closerLooks bounds how often more finalists are taken, and moreFinalists how many at a
// time.
const closerLooks, moreFinalists = 3, 6

// closeIn plays more finalists where the first ones lie far apart: between the cheapest
// that is sure of the service levels and the dearer of those below it that are not, there
// may be a cheaper one that is sure as well.
func (s *Search) closeIn(ctx context.Context, tried []Tried, finalists []Finalist) ([]Finalist, error) {
	for range closerLooks {
		more, err := s.play(ctx, s.between(tried, finalists))
		if err != nil {
			return nil, err
		}
		if len(more) == 0 {
			break
		}
		finalists = append(finalists, more...)
		slices.SortStableFunc(finalists, func(a, b Finalist) int { return cmp.Compare(a.Figures.Cost, b.Figures.Cost) })
	}
	return finalists, nil
}

// between are settings that keep the service levels in the one run, evenly by cost, from
// the dearest finalist that is not sure of them to the cheapest that is.
func (s *Search) between(tried []Tried, finalists []Finalist) []Tried {
	least, most := 0.0, s.budget()
	known := map[int]bool{}
	for _, f := range finalists {
		known[f.ID] = true
		if f.share() >= sure {
			most = min(most, f.Figures.Cost)
		}
	}
	for _, f := range finalists {
		if f.share() < sure && f.Figures.Cost < most {
			least = max(least, f.Figures.Cost)
		}
	}
	var room []Tried
	for _, t := range front(tried) {
		if c := t.Figures.Cost; c > least && c < most && !known[t.ID] && t.Figures.met(s.options.SLOs) {
			room = append(room, t)
		}
	}
	return thinned(room, moreFinalists)
}
