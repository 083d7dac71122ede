package report_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/report"
	"github.com/buildpool/buildpool/simulations/workload"
)

// TestPercentilesAgainstCounting: the percentile is the least wait that enough builds
// do not exceed, found here by counting.
func TestPercentilesAgainstCounting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		waits := rapid.SliceOfN(rapid.Map(rapid.IntRange(0, 50), func(s int) time.Duration { return time.Duration(s) * time.Second }), 1, 200).Draw(t, "waits")
		p := float64(rapid.IntRange(0, 1000).Draw(t, "thousandths")) / 10
		sorted := slices.Sorted(slices.Values(waits))
		want := sorted[0]
		for _, candidate := range sorted {
			within := 0
			for _, w := range waits {
				if w <= candidate {
					within++
				}
			}
			if want = candidate; 1000*within >= int(math.Round(p*10))*len(waits) {
				break
			}
		}
		assert.Equal(t, want, report.Percentile(sorted, p))
	})
	assert.Zero(t, report.Percentile(nil, 95))
}

// TestWaitsOfAnyRun: every figure of the waits, from waits that were made up.
func TestWaitsOfAnyRun(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		waits := rapid.SliceOfN(rapid.IntRange(0, 600), 1, 100).Draw(t, "waits")
		slo := rapid.IntRange(1, 600).Draw(t, "slo")
		s := engine.Settings{Trace: workload.Trace{Shapes: []workload.Shape{{Classes: []string{"normal"}}, {Classes: []string{"gpu"}}}}}
		result := engine.Result{End: time.Hour}
		over, sum := 0, 0
		for n, wait := range waits {
			arrival := time.Duration(n) * time.Second
			s.Trace.Builds = append(s.Trace.Builds, workload.Build{Arrival: arrival, Shape: int32(n % 2), Wait: workload.UnknownWait})
			started := arrival + time.Duration(wait)*time.Second
			result.Builds = append(result.Builds, engine.BuildResult{Started: started, Ended: started, Group: -1})
			sum += wait
			if wait > slo {
				over++
			}
		}
		r := report.Summarize(s, result, report.Options{SLO: time.Duration(slo) * time.Second})
		assert.Equal(t, float64(slices.Max(waits)), r.Waits.Max)
		assert.InDelta(t, float64(sum)/float64(len(waits)), r.Waits.Mean, 1e-3)
		assert.InDelta(t, float64(over)/float64(len(waits)), r.Waits.OverSLO, 1e-6)
		assert.True(t, slices.IsSorted([]float64{r.Waits.P50, r.Waits.P90, r.Waits.P95, r.Waits.P99, r.Waits.Max}))
		assert.Nil(t, r.Observed)
		var both float64
		for _, c := range r.Classes {
			both += c.Mean * float64(c.Builds)
		}
		assert.InDelta(t, float64(sum), both, 1e-3*float64(len(waits)), "classes make the whole")
	})
}
