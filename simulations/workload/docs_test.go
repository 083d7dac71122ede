package workload

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The docs' table of profiles is what they are.
func TestDocsTellTheMeasuredShape(t *testing.T) {
	text, err := os.ReadFile("../../docs/workloads.md")
	require.NoError(t, err)
	location, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	start := time.Date(2026, time.January, 5, 0, 0, 0, 0, location)
	for _, p := range Profiles() {
		d := Describe(generate(t, p.Name, Params{Days: 28, Seed: 1, Start: start}))
		minutes := func(seconds float64) string { return fmt.Sprintf("%.1f min", seconds/60) }
		row := fmt.Sprintf("| `%s` | %s | %.0f | %.1f | %d | %.1f | %.1f %% | %s | %s | %.1f %% | %.0f | %.0f |\n",
			p.Name, p.Summary, d.Arrivals.PerWeekday, d.Arrivals.PeakToMean, d.Arrivals.PeakMinute, d.Arrivals.InterarrivalCV,
			100*d.Arrivals.WeekendShare, minutes(d.Durations.P50), minutes(d.Durations.P95), 100*d.OverAnHour,
			d.Concurrency.Builds.P95, d.Concurrency.Builds.Max)
		assert.True(t, strings.Contains(string(text), row), "the table should have\n%s", row)
	}
}

// The docs' mapping and the lines of its formats are read as they stand.
func TestDocsExamplesAreRead(t *testing.T) {
	text, err := os.ReadFile("../../docs/workloads.md")
	require.NoError(t, err)
	blocks := fenced(string(text), "```yaml\n")
	require.Len(t, blocks, 2)
	for _, block := range blocks {
		_, err := ParseMapping("docs", []byte(block))
		require.NoError(t, err)
	}
}

// fenced are the blocks of a document that begin with that line.
func fenced(text, begin string) []string {
	var blocks []string
	for _, part := range strings.Split(text, begin)[1:] {
		block, _, _ := strings.Cut(part, "```")
		blocks = append(blocks, block)
	}
	return blocks
}
