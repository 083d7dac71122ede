package report_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/report"
	"github.com/buildpool/buildpool/simulations/workload"
)

func TestCSV(t *testing.T) {
	s := testSettings(1, 12, 2)
	result := play(s)
	result.Timeline = result.Timeline[900:930]
	result.Builds[3] = engine.BuildResult{Started: engine.Never, Ended: engine.Never, Group: -1, Node: -1, Cause: engine.Unplaced}
	var builds, timeline bytes.Buffer
	require.NoError(t, report.WriteBuildsCSV(&builds, s, result))
	require.NoError(t, report.WriteTimelineCSV(&timeline, s, result))
	golden(t, "builds.csv", builds.Bytes())
	golden(t, "timeline.csv", timeline.Bytes())
}

func TestBuildsCSVAddsUp(t *testing.T) {
	s := testSettings(2, 200, 4)
	result := play(s)
	var out bytes.Buffer
	require.NoError(t, report.WriteBuildsCSV(&out, s, result))
	again, dropped, err := workload.Read("builds.csv", bytes.NewReader(out.Bytes()), workload.Options{})
	require.NoError(t, err)
	require.Zero(t, dropped)
	require.True(t, again.Start.Equal(s.Trace.Start))
	require.Len(t, again.Builds, len(s.Trace.Builds))
	reader := csv.NewReader(&out)
	reader.Comment = '#'
	lines, err := reader.ReadAll()
	require.NoError(t, err)
	require.Len(t, lines, 1+len(s.Trace.Builds))
	for _, line := range lines[1:] {
		number := func(column int) float64 {
			x, err := strconv.ParseFloat(line[column], 64)
			require.NoError(t, err)
			return x
		}
		arrival, duration, wait, started, ended := number(0), number(1), number(2), number(10), number(11)
		assert.InDelta(t, started, arrival+wait, 1e-6)
		assert.InDelta(t, ended, started+duration, 1e-6)
	}
}

func TestWritersTellOfFullDisks(t *testing.T) {
	s, result, r := anAfternoon("afternoon", nil)
	full := errors.New("disk full")
	for name, write := range map[string]func() error{
		"builds":   func() error { return report.WriteBuildsCSV(fullDisk{full}, s, result) },
		"timeline": func() error { return report.WriteTimelineCSV(fullDisk{full}, s, result) },
		"json":     func() error { return report.WriteJSON(fullDisk{full}, r) },
		"text":     func() error { return report.WriteText(fullDisk{full}, r, report.TextOptions{}) },
	} {
		assert.ErrorIs(t, write(), full, name)
	}
}

type fullDisk struct{ err error }

func (d fullDisk) Write([]byte) (int, error) { return 0, d.err }
