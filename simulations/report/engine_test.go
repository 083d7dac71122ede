package report_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/simulations/baseline"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/report"
)

// engineRun is a run of the real engine, on a market that takes much back.
func engineRun(t testing.TB, days, perDay int) (engine.Settings, *engine.Result) {
	t.Helper()
	s := testSettings(days, perDay, 9)
	s.Autoscaler = engine.DefaultAutoscaler()
	s.Groups[1].Spot.ReclaimsPerHour = 0.3
	s.Groups[1].Config.Priority = 10
	s.Groups[0].Config.Max = 2
	result, err := engine.Run(context.Background(), s, nil)
	require.NoError(t, err)
	return s, result
}

// TestRealRuns: what holds for made-up runs holds for those of the engine.
func TestRealRuns(t *testing.T) {
	s, result := engineRun(t, 3, 600)
	baselines := baseline.Compute(s, report.WaitTimes(s.Trace, *result), result.End)
	r := report.Summarize(s, *result, report.Options{Name: "real", SLO: time.Minute, Baselines: baselines})
	assert.Equal(t, len(s.Trace.Builds), r.Builds.Done)
	assert.Positive(t, r.Builds.Interruptions)
	assert.Positive(t, r.Builds.LostMinutes)
	assert.Equal(t, r.Builds.Interruptions, r.Capacity.Interruptions)
	var cost float64
	for _, n := range result.Nodes {
		cost += n.Cost
	}
	assert.InDelta(t, cost, r.Capacity.Cost.Total, 1e-4)
	for _, g := range r.Groups {
		h := g.NodeHours
		assert.InDelta(t, h.Billed, h.Busy+h.Idle+h.Boot+h.Ending, 0.01, g.Name)
		assert.InDelta(t, g.Cost.Busy, h.Busy*g.PricePerHour, 0.05, g.Name)
		assert.GreaterOrEqual(t, h.Ending, 0.0)
		assert.LessOrEqual(t, g.Utilisation.CPU, 1.0)
	}
	for _, b := range baselines {
		if b.Name == baseline.LowerBound {
			assert.Less(t, b.Cost, r.Capacity.Cost.Total, "nothing is cheaper than the bound")
		}
	}
	assert.Less(t, int(maximum(r.Timeline.Nodes.High)), r.Capacity.PeakNodes+1)
	assert.Less(t, len(htmlOf(t, r)), 2_000_000)
	assert.True(t, strings.HasPrefix(textOf(t, r, false), "real\n"))
}

func maximum(values []int32) (most int32) {
	for _, v := range values {
		most = max(most, v)
	}
	return most
}

// BenchmarkSummarize is a report of 100,000 builds.
func BenchmarkSummarize(b *testing.B) {
	s, result := engineRun(b, 30, 4200)
	b.ResetTimer()
	for range b.N {
		report.Summarize(s, *result, report.Options{SLO: time.Minute})
	}
}
