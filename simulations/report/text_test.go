package report_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/report"
)

func textOf(t *testing.T, r report.Report, colour bool) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, report.WriteText(&out, r, report.TextOptions{Colour: colour}))
	return out.String()
}

func TestText(t *testing.T) {
	_, _, afternoon := anAfternoon("afternoon", nil)
	golden(t, "afternoon.txt", []byte(textOf(t, afternoon, false)))

	s := testSettings(7, 300, 11)
	golden(t, "week.txt", []byte(textOf(t, report.Summarize(s, play(s), report.Options{Name: "week", SLO: time.Minute}), false)))
}

var escape = regexp.MustCompile("\x1b\\[[0-9]+m")

func TestTextFitsATerminal(t *testing.T) {
	for name, r := range map[string]report.Report{
		"empty": report.Summarize(engine.Settings{}, engine.Result{}, report.Options{}),
		"large": largeReport(),
	} {
		for line := range strings.Lines(textOf(t, r, false)) {
			assert.LessOrEqual(t, utf8.RuneCountInString(strings.TrimSuffix(line, "\n")), 80, "%s: %s", name, line)
			assert.NotContains(t, line, "\x1b", "a job's name moves the cursor")
			assert.NotContains(t, line, "NaN")
		}
		assert.Equal(t, textOf(t, r, false), escape.ReplaceAllString(textOf(t, r, true), ""), "colour changes nothing else")
	}
}

// largeReport has figures of many digits and names of many characters.
func largeReport() report.Report {
	s := testSettings(3, 200, 5)
	s.Trace.Shapes[0].Job = "a job\x1b[2J with a name that is longer than any column of the table"
	s.Groups[0].Config.Name = strings.Repeat("long-", 12)
	r := report.Summarize(s, play(s), report.Options{Name: strings.Repeat("n", 200), SLO: 90 * time.Second})
	r.Waits.Builds, r.Waits.Max = 9_999_999, 90*24*3600
	r.Builds.Unfinished, r.Builds.Unstarted = 1_000_000, 999_999
	r.Capacity.Cost.Total, r.Capacity.NodeHours.Billed, r.Capacity.NodeHours.Idle = 12_345_678.9, 1_234_567.8, 123_456.7
	return r
}
