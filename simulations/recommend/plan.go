package recommend

import (
	"cmp"
	"math/rand/v2"
	"reflect"
	"slices"
)

// candidate is a setting to be tried, and where in the space it lies; nil for what is
// set today.
type candidate struct {
	setting Setting
	at      *point
}

// coarseShare of the settings are tried on the coarse grid, the others near the best.
const coarseShare = 0.6

// plan is what is tried whatever comes out: today's setting, then the coarse grid, in
// which all groups move together. Of a grid that is larger than most, a part is taken
// at random, always the same.
func (s space) plan(most int) []candidate {
	out := []candidate{{setting: settingOf(s.base)}}
	seen := map[string]bool{out[0].setting.key(): true}
	grid := s.grid()
	order := rand.New(rand.NewPCG(1, 1)).Perm(len(grid))
	for _, i := range order {
		if len(out) >= most {
			break
		}
		c := candidate{s.setting(grid[i]), &grid[i]}
		if key := c.setting.key(); !seen[key] {
			seen[key] = true
			out = append(out, c)
		}
	}
	return out
}

// grid are the points of the coarse grid.
func (s space) grid() []point {
	spots := []int{0}
	if slices.ContainsFunc(s.groups, func(g groupSpace) bool { return g.spot }) {
		spots = spotCoarse
	}
	var out []point
	for _, unneeded := range unneededCoarse {
		for expander := range s.expanders {
			for scheduler := range s.schedulers {
				for _, warm := range warmCoarse {
					for _, least := range minCoarse {
						for _, most := range maxCoarse {
							for _, spot := range spots {
								for _, overflow := range overflowCoarse(s.overflows) {
									at := point{unneeded: unneeded, expander: expander, scheduler: scheduler, overflow: overflow}
									out = append(out, s.together(at, groupPoint{least, most, warm}, spot))
								}
							}
						}
					}
				}
			}
		}
	}
	return out
}

// together moves all groups to one place.
func (s space) together(p point, at groupPoint, spot int) point {
	for _, g := range s.groups {
		here := at
		if g.spot {
			here.max = spot
		}
		p.groups = append(p.groups, groupPoint{min(here.min, len(g.min)-1), min(here.max, len(g.max)-1), min(here.warm, len(g.warm)-1)})
	}
	return p
}

// neighbours are the points one step away, each group moving by itself. Steps of a ladder
// that stand for the same are one: a search that took them singly would end at the first.
func (s space) neighbours(p point) []point {
	var out []point
	add := func(change func(*point)) {
		moved := p
		moved.groups = slices.Clone(p.groups)
		change(&moved)
		out = append(out, moved)
	}
	step := func(steps int, of func(*point) *int, same func(a, b int) bool) {
		for _, by := range []int{-1, 1} {
			from := *of(&p)
			to := from + by
			for to >= 0 && to < steps && same(from, to) {
				to += by
			}
			if to >= 0 && to < steps {
				add(func(q *point) { *of(q) = to })
			}
		}
	}
	never := func(int, int) bool { return false }
	step(len(unneededSteps), func(q *point) *int { return &q.unneeded }, never)
	step(len(s.overflows), func(q *point) *int { return &q.overflow }, never)
	for i, g := range s.groups {
		step(len(g.max), func(q *point) *int { return &q.groups[i].max }, func(a, b int) bool { return g.max[a] == g.max[b] })
		step(len(g.min), func(q *point) *int { return &q.groups[i].min }, func(a, b int) bool { return g.min[a] == g.min[b] })
		step(len(g.warm), func(q *point) *int { return &q.groups[i].warm }, func(a, b int) bool {
			return reflect.DeepEqual(g.warm[a], g.warm[b])
		})
	}
	for e := range s.expanders {
		if e != p.expander {
			add(func(q *point) { q.expander = e })
		}
	}
	for k := range s.schedulers {
		if k != p.scheduler {
			add(func(q *point) { q.scheduler = k })
		}
	}
	return out
}

// byDistance orders the indices of a front by how far they are from one of them, which
// is where the search has to look first.
func byDistance(n, from int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	away := func(i int) int { return max(i-from, from-i) }
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(away(a), away(b)) })
	return out
}
