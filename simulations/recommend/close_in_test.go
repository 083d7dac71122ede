package recommend

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/buildpool/buildpool/nodegroups/config"
)

// TestMoreFinalistsLieBetweenTheUnsureAndTheSure: of the settings that keep the level in
// the one run, those are played again that may be the cheapest which is sure of it.
func TestMoreFinalistsLieBetweenTheUnsureAndTheSure(t *testing.T) {
	s := &Search{settings: smallSettings(), options: smallOptions(1, "p95<60s")}
	var tried []Tried
	for id, wait := range []float64{70, 59, 57, 55, 53, 51, 49, 47, 45, 43, 41, 39} {
		tried = append(tried, Tried{ID: id, Figures: Figures{Cost: float64(100 + 10*id), Levels: []float64{wait}}})
	}
	finalist := func(id, met int) Finalist { return Finalist{Tried: tried[id], Seeds: Spread{Runs: 10, Met: met}} }
	ids := func(finalists ...Finalist) []int {
		out := []int{}
		for _, t := range s.between(tried, finalists) {
			out = append(out, t.ID)
		}
		return out
	}
	assert.Equal(t, []int{4, 5, 6}, ids(finalist(1, 5), finalist(3, 8), finalist(7, 9), finalist(9, 10)))
	assert.Equal(t, []int{1, 2}, ids(finalist(3, 10)), "a setting that misses the level in the one run is no finalist")
	assert.Equal(t, []int{11}, ids(finalist(1, 5), finalist(10, 8)), "none is sure: the dearer ones may be")
	assert.Len(t, ids(finalist(1, 5)), moreFinalists)
	assert.Empty(t, ids(finalist(1, 9)))
}

// TestStepsThatStandForTheSameArePassedOver: the demand of most hours is nothing, and so
// are the first steps of a ladder of mins.
func TestStepsThatStandForTheSameArePassedOver(t *testing.T) {
	window := []config.Window{{Cron: "0 9 * * 1-5", Min: 2}}
	s := space{groups: []groupSpace{{min: []int{0, 0, 0, 1, 1, 7}, max: []int{4, 4, 9}, warm: [][]config.Window{nil, nil, window}}}}
	steps := func(at groupPoint) (out []groupPoint) {
		for _, p := range s.neighbours(point{groups: []groupPoint{at}}) {
			if p.groups[0] != at {
				out = append(out, p.groups[0])
			}
		}
		return out
	}
	assert.Equal(t, []groupPoint{{min: 0, max: 2}, {min: 3}, {warm: 2}}, steps(groupPoint{}))
	assert.Equal(t, []groupPoint{{min: 4, max: 1, warm: 2}, {min: 2, max: 2, warm: 2}, {min: 5, max: 2, warm: 2}, {min: 4, max: 2, warm: 1}},
		steps(groupPoint{min: 4, max: 2, warm: 2}))
}
