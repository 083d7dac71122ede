package report_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/overflow"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/report"
)

// virtualRun is a run of the real engine in which one class overflows.
func virtualRun(t *testing.T) (engine.Settings, *engine.Result) {
	t.Helper()
	s := testSettings(1, 600, 9)
	s.Autoscaler = engine.DefaultAutoscaler()
	s.Groups[0].Config.Max = 2
	s.TimelineStep = time.Minute
	s.Overflow = &engine.Overflow{ScanInterval: 10 * time.Second, Every: 2 * time.Second, Start: engine.Delay{Median: 20 * time.Second},
		Classes: []engine.OverflowClass{{Class: config.ClassNormal, Policy: overflow.Policy{
			Start: overflow.Start{After: time.Minute, WhenBlocked: true}, MaxPods: 50,
			Price: overflow.Price{PerCPU: 0.1764, PerGiB: 0.02205}, TaintKey: "virtual-kubelet.io/provider",
		}}},
		Labels: map[string]string{"disk": "fast"},
	}
	result, err := engine.Run(t.Context(), s, nil)
	require.NoError(t, err)
	return s, result
}

// TestVirtualNodeIsTold: in every form, beside the nodes and not among them.
func TestVirtualNodeIsTold(t *testing.T) {
	s, result := virtualRun(t)
	r := report.Summarize(s, *result, report.Options{Name: "overflow", SLO: time.Minute})
	require.NotNil(t, r.Virtual)
	moved := 0
	for _, b := range result.Builds {
		if b.Virtual {
			moved++
		}
	}
	require.Positive(t, moved)
	assert.Equal(t, moved, r.Virtual.Builds)
	assert.Equal(t, moved, r.Virtual.Waits.Builds)
	onNodes, reasons, nodes := 0, 0, 0.0
	for _, g := range r.Groups {
		onNodes += g.Waits.Builds
		nodes += g.Cost.Total
		assert.Zero(t, g.Cost.Virtual)
	}
	for _, m := range r.Virtual.Classes[0].Reasons {
		reasons += m.Builds
	}
	assert.Equal(t, moved, reasons)
	assert.Equal(t, r.Builds.Done, onNodes+moved)
	c := r.Capacity.Cost
	assert.Positive(t, c.Virtual)
	assert.InDelta(t, c.Total, nodes+r.Virtual.Cost, 1e-4)
	assert.InDelta(t, c.Total, c.Busy+c.Idle+c.Boot+c.Ending+c.Virtual, 1e-4)
	assert.InDelta(t, c.PerBuild, c.Total/float64(r.Builds.Done), 1e-5)
	assert.Equal(t, int32(r.Virtual.Classes[0].PeakPods), maximum(r.Timeline.Virtual.High))

	text := textOf(t, r, false)
	assert.Contains(t, text, "\nVirtual node ")
	assert.Contains(t, text, "  virtual node ")
	for line := range strings.Lines(text) {
		assert.LessOrEqual(t, len([]rune(line)), 81, line)
	}
	var out bytes.Buffer
	require.NoError(t, report.WriteJSON(&out, r))
	again, err := report.Read(&out)
	require.NoError(t, err)
	assert.Equal(t, r.Virtual, again.Virtual)
	assert.Contains(t, htmlOf(t, r), `"podHours":`)
}

func TestVirtualNodeInCSV(t *testing.T) {
	s, result := virtualRun(t)
	var builds, timeline bytes.Buffer
	require.NoError(t, report.WriteBuildsCSV(&builds, s, *result))
	assert.Contains(t, builds.String(), ",(virtual),,0,0,")
	require.NoError(t, report.WriteTimelineCSV(&timeline, s, *result))
	rows, err := csv.NewReader(&timeline).ReadAll()
	require.NoError(t, err)
	assert.Equal(t, "virtual.pods", rows[0][len(rows[0])-1])
}

// TestComparisonWithAndWithout: the figures of the virtual node are there as soon as one
// of the runs has it, and only then.
func TestComparisonWithAndWithout(t *testing.T) {
	s, result := virtualRun(t)
	with := report.Summarize(s, *result, report.Options{Name: "with"})
	_, _, without := anAfternoon("without", nil)
	names := func(c report.Comparison) string {
		var all []string
		for _, f := range c.Figures {
			all = append(all, f.Name)
		}
		return strings.Join(all, "\n")
	}
	assert.Contains(t, names(report.Compare(without, with)), "moved to the virtual node")
	assert.NotContains(t, names(report.Compare(without, without)), "virtual")
	assert.NotContains(t, textOf(t, without, false), "irtual")
}
