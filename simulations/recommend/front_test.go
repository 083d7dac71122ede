package recommend

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func triedOf(points ...[2]float64) []Tried {
	var out []Tried
	for i, p := range points {
		out = append(out, Tried{ID: i, Figures: Figures{Cost: p[0], Levels: []float64{p[1]}}})
	}
	return out
}

func idsOf(tried []Tried) []int {
	ids := []int{}
	for _, t := range tried {
		ids = append(ids, t.ID)
	}
	return ids
}

func TestFront(t *testing.T) {
	for name, test := range map[string]struct {
		tried []Tried
		want  []int
	}{
		"nothing":            {nil, []int{}},
		"one":                {triedOf([2]float64{1, 1}), []int{0}},
		"better in both":     {triedOf([2]float64{2, 2}, [2]float64{1, 1}), []int{1}},
		"a trade":            {triedOf([2]float64{2, 1}, [2]float64{1, 2}), []int{1, 0}},
		"equals":             {triedOf([2]float64{1, 1}, [2]float64{1, 1}), []int{0}},
		"dearer, same wait":  {triedOf([2]float64{2, 1}, [2]float64{1, 1}), []int{1}},
		"same cost, waits":   {triedOf([2]float64{1, 2}, [2]float64{1, 1}), []int{1}},
		"inside of the hull": {triedOf([2]float64{1, 9}, [2]float64{2, 8}, [2]float64{3, 1}), []int{0, 1, 2}},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, test.want, idsOf(front(test.tried))) })
	}
}

// TestFrontIsWhatNothingBetters holds the front against its definition.
func TestFrontIsWhatNothingBetters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		small := rapid.Custom(func(t *rapid.T) [2]float64 {
			return [2]float64{float64(rapid.IntRange(0, 9).Draw(t, "cost")), float64(rapid.IntRange(0, 9).Draw(t, "wait"))}
		})
		tried := triedOf(rapid.SliceOfN(small, 0, 30).Draw(t, "points")...)
		want := map[int]bool{}
		for _, a := range tried {
			bettered := false
			for _, b := range tried {
				no := b.Figures.Cost <= a.Figures.Cost && b.Figures.wait() <= a.Figures.wait()
				equal := b.Figures.Cost == a.Figures.Cost && b.Figures.wait() == a.Figures.wait()
				bettered = bettered || no && (!equal || b.ID < a.ID)
			}
			if !bettered {
				want[a.ID] = true
			}
		}
		got := front(tried)
		for _, r := range got {
			assert.True(t, want[r.ID], "%d is bettered", r.ID)
		}
		assert.Len(t, got, len(want))
	})
}

func TestCheapestAndQuickest(t *testing.T) {
	tried := triedOf([2]float64{9, 1}, [2]float64{5, 4}, [2]float64{5, 3}, [2]float64{2, 8})
	assert.Equal(t, 1, cheapest(tried, func(f Figures) bool { return f.wait() < 5 }).ID, "of equals the first")
	assert.Nil(t, cheapest(tried, func(f Figures) bool { return f.wait() < 1 }))
	assert.Equal(t, 2, quickest(tried, 6).ID)
	assert.Nil(t, quickest(tried, 1))
}

func TestThinnedFrontKeepsItsEnds(t *testing.T) {
	var points [][2]float64
	for n := range 100 {
		points = append(points, [2]float64{float64(n * n), float64(100 - n)})
	}
	got := idsOf(thinned(triedOf(points...), 10))
	assert.LessOrEqual(t, len(got), 10)
	assert.Equal(t, 0, got[0])
	assert.Equal(t, 99, got[len(got)-1])
}
