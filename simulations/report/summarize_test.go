package report_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	validator "github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/simulations/baseline"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/report"
)

// anAfternoon is a run of a day and its report.
func anAfternoon(name string, change func(*engine.Settings)) (engine.Settings, engine.Result, report.Report) {
	s := testSettings(1, 260, 7)
	if change != nil {
		change(&s)
	}
	result := play(s)
	baselines := baseline.Compute(s, report.WaitTimes(s.Trace, result), result.End)
	return s, result, report.Summarize(s, result, report.Options{Name: name, SLO: time.Minute, Baselines: baselines, TimelinePoints: 48})
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll("testdata", 0o755))
		require.NoError(t, os.WriteFile(file, got, 0o644))
		return
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got), "%s: rewrite it with -update only if you can say why it changed", file)
}

func TestJSON(t *testing.T) {
	_, _, r := anAfternoon("afternoon", nil)
	var out bytes.Buffer
	require.NoError(t, report.WriteJSON(&out, r))
	golden(t, "afternoon.json", out.Bytes())

	again, err := report.Read(&out)
	require.NoError(t, err)
	assert.True(t, r.Start.Equal(again.Start))
	var twice bytes.Buffer
	require.NoError(t, report.WriteJSON(&twice, again))
	require.NoError(t, report.WriteJSON(&out, r))
	assert.Equal(t, out.String(), twice.String(), "what is read is what was written")
	assert.NotContains(t, twice.String(), "asg-", "a report is passed on: it names nothing of the account")
}

func TestReportsFollowTheirSchema(t *testing.T) {
	_, _, r := anAfternoon("afternoon", nil)
	empty := report.Summarize(engine.Settings{}, engine.Result{}, report.Options{})
	for _, c := range []struct {
		schema string
		value  any
	}{
		{report.Schema(), r},
		{report.Schema(), empty},
		{report.ComparisonSchema(), report.Compare(r, r)},
		{report.ComparisonSchema(), report.Compare()},
	} {
		var out bytes.Buffer
		require.NoError(t, report.WriteJSON(&out, c.value))
		value, err := validator.UnmarshalJSON(&out)
		require.NoError(t, err)
		assert.NoError(t, compiled(t, c.schema).Validate(value))
	}
	value, err := validator.UnmarshalJSON(strings.NewReader(`{"version": 3}`))
	require.NoError(t, err)
	assert.Error(t, compiled(t, report.Schema()).Validate(value))
}

func compiled(t *testing.T, schema string) *validator.Schema {
	t.Helper()
	document, err := validator.UnmarshalJSON(strings.NewReader(schema))
	require.NoError(t, err)
	c := validator.NewCompiler()
	require.NoError(t, c.AddResource("schema.json", document))
	s, err := c.Compile("schema.json")
	require.NoError(t, err)
	return s
}

// TestSchemasDescribeEverything holds what readers of the form live on.
func TestSchemasDescribeEverything(t *testing.T) {
	for _, text := range []string{report.Schema(), report.ComparisonSchema()} {
		var schema struct {
			Defs map[string]struct {
				Description string
				Properties  map[string]struct{ Description string }
			} `json:"$defs"`
		}
		require.NoError(t, json.Unmarshal([]byte(text), &schema))
		require.NotEmpty(t, schema.Defs)
		for name, def := range schema.Defs {
			assert.NotEmpty(t, def.Description, name)
			for key, property := range def.Properties {
				assert.NotEmpty(t, property.Description, "%s.%s", name, key)
			}
		}
	}
}

func TestReadRefusesWhatIsNoReport(t *testing.T) {
	for _, text := range []string{"", "{}", `{"version": 3}`, "apiVersion: buildpool/v1alpha1", `{"version": "1"}`} {
		_, err := report.Read(strings.NewReader(text))
		assert.ErrorIs(t, err, report.ErrNotReport, text)
	}
}

// TestPartsMakeTheWhole: what is split adds up again.
func TestPartsMakeTheWhole(t *testing.T) {
	for seed := range uint64(5) {
		s := testSettings(2, 300, seed)
		result := play(s)
		r := report.Summarize(s, result, report.Options{SLO: time.Minute})
		var fromNodes float64
		for _, n := range result.Nodes {
			fromNodes += n.Cost
		}
		assert.InDelta(t, fromNodes, r.Capacity.Cost.Total, 1e-5, "cost is the sum over nodes")
		var cost, billed float64
		ran := 0
		for _, g := range r.Groups {
			cost += g.Cost.Total
			billed += g.NodeHours.Billed
			ran += g.Waits.Builds
			c, h := g.Cost, g.NodeHours
			assert.InDelta(t, c.Total, c.Busy+c.Idle+c.Boot+c.Ending, 1e-5, g.Name)
			assert.InDelta(t, h.Billed, h.Busy+h.Idle+h.Boot+h.Ending, 1e-3, g.Name)
			assert.InDelta(t, c.Busy, h.Busy*g.PricePerHour, 1e-2, g.Name)
		}
		assert.InDelta(t, r.Capacity.Cost.Total, cost, 1e-5)
		assert.InDelta(t, r.Capacity.NodeHours.Billed, billed, 1e-3)
		assert.Equal(t, r.Builds.Arrived, ran)
		assert.Equal(t, r.Builds.Arrived, r.Builds.Done+r.Builds.Unfinished)
		count := func(parts []report.NamedWaits) (n int) {
			for _, p := range parts {
				n += p.Builds
			}
			return n
		}
		assert.Equal(t, r.Builds.Arrived, count(r.Classes))
		assert.Equal(t, r.Builds.Arrived, count(r.Jobs))
		byCause, shares := 0, 0.0
		for _, c := range r.Causes {
			byCause += c.Builds
			shares += c.Share
		}
		assert.Equal(t, r.Builds.Arrived, byCause)
		assert.InDelta(t, 1, shares, 1e-4)
		var arrivals, nodeHours float64
		for hour, covered := range r.Week.Hours {
			arrivals += r.Week.Arrivals[hour] * covered
			nodeHours += r.Week.Nodes[hour] * covered
		}
		assert.InDelta(t, float64(r.Builds.Arrived), arrivals, 0.5)
		assert.InDelta(t, billed, nodeHours, 0.5)
		assert.InDelta(t, result.End.Hours(), total(r.Week.Hours), 0.1)
		peak := slices.Max(r.Timeline.Nodes.High)
		assert.LessOrEqual(t, int(peak), r.Capacity.PeakNodes)
		assert.GreaterOrEqual(t, float64(peak), 0.8*float64(r.Capacity.PeakNodes))
	}
}

func total(values []float64) (sum float64) {
	for _, v := range values {
		sum += v
	}
	return sum
}

func TestBuildsThatNeverStartCountWithWhatTheyWaited(t *testing.T) {
	s := testSettings(1, 100, 3)
	result := play(s)
	last := len(result.Builds) - 1
	for _, n := range []int{0, last} {
		result.Builds[n] = engine.BuildResult{Started: engine.Never, Ended: engine.Never, Group: -1, Node: -1, Cause: engine.Unplaced}
	}
	result.Builds[last].Interruptions = 1
	r := report.Summarize(s, result, report.Options{SLO: time.Minute})
	assert.Equal(t, (result.End - s.Trace.Builds[0].Arrival).Seconds(), r.Waits.Max)
	assert.Equal(t, 2, r.Waits.Unstarted)
	assert.Equal(t, 2, r.Builds.Unfinished)
	assert.GreaterOrEqual(t, r.Builds.Lost, 1)
	cause := r.Causes[len(r.Causes)-1]
	assert.Equal(t, "impossible", cause.Cause)
	assert.Equal(t, 2, cause.Unstarted)
	for _, c := range r.Curves {
		assert.Equal(t, 1.0, c.Shares[len(c.Shares)-1])
		assert.True(t, slices.IsSorted(c.Seconds), c.Name)
	}
}

func TestHoursOfTheWeekAreThoseOfTheTrace(t *testing.T) {
	s := testSettings(1, 50, 1)
	s.Trace.Start = time.Date(2026, 11, 22, 23, 40, 0, 0, time.FixedZone("IST", 5*3600+1800))
	s.Trace.Builds = s.Trace.Builds[:1]
	s.Trace.Builds[0].Arrival = 20 * time.Minute // Monday, 00:00
	r := report.Summarize(s, play(s), report.Options{})
	for hour, arrivals := range r.Week.Arrivals {
		assert.Equal(t, hour == 0, arrivals > 0, "hour %d", hour)
	}
	assert.Equal(t, 0.3333, r.Week.Hours[167], "twenty minutes of Sunday's last hour")
	assert.False(t, slices.ContainsFunc(r.Week.Nodes, math.IsNaN))
}

func TestManyGroupsKeepTheTimelineSmall(t *testing.T) {
	s := testSettings(2, 50, 1)
	result := play(s)
	for len(s.Groups) < 200 {
		s.Groups = append(s.Groups, s.Groups[0])
		result.Groups = append(result.Groups, engine.GroupResult{})
		for n := range result.Timeline {
			p := result.Timeline[n]
			p.Groups = append(p.Groups, engine.GroupReading{Billed: 1})
			result.Timeline[n] = engine.Steady(p.At, p.Reading)
		}
	}
	r := report.Summarize(s, result, report.Options{})
	assert.LessOrEqual(t, len(r.Timeline.Nodes.High), 100)
	assert.Len(t, r.Timeline.Groups, 200)
}
