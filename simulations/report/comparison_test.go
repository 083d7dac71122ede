package report_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/report"
)

func warm(s *engine.Settings) {
	s.Groups[0].Config.Min = 6
	s.Groups[2].Config.Max = 8
	s.Autoscaler.ScanInterval = 20 * time.Second
}

func TestComparison(t *testing.T) {
	_, _, before := anAfternoon("afternoon", nil)
	_, _, after := anAfternoon("six warm nodes", warm)
	c := report.Compare(before, after)
	var text bytes.Buffer
	require.NoError(t, report.WriteComparisonText(&text, c, report.TextOptions{}))
	golden(t, "comparison.txt", text.Bytes())

	assert.Equal(t, []report.Difference{
		{Name: "--scan-interval", Values: []string{"10s", "20s"}},
		{Name: "builds-gpu.config.max", Values: []string{"5", "8"}},
		{Name: "builds-normal.config.min", Values: []string{"1", "6"}},
	}, report.Differences(before, after))

	var coloured bytes.Buffer
	require.NoError(t, report.WriteComparisonText(&coloured, c, report.TextOptions{Colour: true}))
	assert.Equal(t, text.String(), escape.ReplaceAllString(coloured.String(), ""))
}

func TestComparisonOfOddNumbers(t *testing.T) {
	var text bytes.Buffer
	require.NoError(t, report.WriteComparisonText(&text, report.Compare(), report.TextOptions{}))
	assert.Empty(t, text.String())
	_, _, r := anAfternoon("alone", nil)
	require.NoError(t, report.WriteComparisonText(&text, report.Compare(r), report.TextOptions{}))
	assert.NotContains(t, text.String(), "same")
	require.NoError(t, report.WriteComparisonText(&text, report.Compare(r, r, r), report.TextOptions{}))
	assert.Contains(t, text.String(), "The runs were made with the same settings.")
}

// TestDeltas: what is more is the difference, and the percentage fits it.
func TestDeltas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		runs := make([]report.Report, rapid.IntRange(1, 4).Draw(t, "runs"))
		for n := range runs {
			runs[n].Capacity.Cost.Total = float64(rapid.IntRange(0, 5).Draw(t, "cost"))
		}
		for _, f := range report.Compare(runs...).Figures {
			require.Len(t, f.Values, len(runs))
			for n, v := range f.Values {
				assert.Equal(t, v-f.Values[0], f.Deltas[n])
				switch percent := f.Percents[n]; {
				case f.Values[0] == 0 && v != 0:
					assert.Nil(t, percent)
				default:
					assert.InDelta(t, 100*(v-f.Values[0]), *percent*f.Values[0], 0.01)
				}
			}
		}
	})
}
