package recommend

import (
	"cmp"
	"slices"
)

// Tried is a setting and what it came to.
type Tried struct {
	// ID counts the settings in the order in which they were chosen; 0 is what is set
	// today.
	ID int `json:"id"`
	// Setting that was tried.
	Setting Setting `json:"setting"`
	// Figures of one run with the given seed.
	Figures Figures `json:"figures"`
	at      *point
}

// front are the settings that no other one betters: none is cheaper and waits no longer,
// none waits less and is no dearer. In order of cost; of equals the first one.
func front(tried []Tried) []Tried {
	sorted := slices.Clone(tried)
	slices.SortStableFunc(sorted, func(a, b Tried) int {
		return cmp.Or(cmp.Compare(a.Figures.Cost, b.Figures.Cost), cmp.Compare(a.Figures.wait(), b.Figures.wait()), cmp.Compare(a.ID, b.ID))
	})
	var out []Tried
	for _, t := range sorted {
		if len(out) == 0 || t.Figures.wait() < out[len(out)-1].Figures.wait() {
			out = append(out, t)
		}
	}
	return out
}

// cheapest is the first of the cheapest settings that are good enough; nil: none is.
func cheapest(tried []Tried, good func(Figures) bool) *Tried {
	var best *Tried
	for i, t := range tried {
		if good(t.Figures) && (best == nil || t.Figures.Cost < best.Figures.Cost) {
			best = &tried[i]
		}
	}
	return best
}

// quickest is the setting with the shortest wait that costs no more; of equals the
// cheapest. nil: all cost more.
func quickest(tried []Tried, most float64) *Tried {
	var best *Tried
	for i, t := range tried {
		f := t.Figures
		if f.Cost <= most && (best == nil || f.wait() < best.Figures.wait() || f.wait() == best.Figures.wait() && f.Cost < best.Figures.Cost) {
			best = &tried[i]
		}
	}
	return best
}
