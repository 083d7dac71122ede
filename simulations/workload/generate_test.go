package workload

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func shanghai(t testing.TB) time.Time {
	t.Helper()
	location, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	return time.Date(2026, time.March, 2, 0, 0, 0, 0, location) // a Monday
}

func generate(t testing.TB, profile string, p Params) Trace {
	t.Helper()
	trace, err := Generate(profile, p)
	require.NoError(t, err)
	return trace
}

// between: a figure of several weeks lies where real CI demand has it.
type between struct{ low, high float64 }

// The shape of every profile, over five weeks and two seeds. The limits are those
// that real traces of CI were seen to have, and what the profile's summary promises.
func TestProfilesHaveTheShapeOfCI(t *testing.T) {
	tests := map[string]struct {
		peakToMean, cv, weekend, peakMinute between
	}{
		"afternoon":        {between{8, 13}, between{8, 12}, between{0.03, 0.09}, between{40, 100}},
		"single-timezone":  {between{8, 15}, between{8, 12}, between{0.03, 0.09}, between{25, 60}},
		"follow-the-sun":   {between{4, 8}, between{7, 12.5}, between{0.03, 0.09}, between{25, 60}},
		"monorepo-fan-out": {between{7, 13}, between{25, 40}, between{0.03, 0.09}, between{150, 500}},
		"nightly":          {between{10, 20}, between{8, 12}, between{0.03, 0.11}, between{100, 200}},
	}
	require.Len(t, tests, len(Profiles()))
	for _, p := range Profiles() {
		want, ok := tests[p.Name]
		require.True(t, ok, p.Name)
		t.Run(p.Name, func(t *testing.T) {
			for seed := range uint64(2) {
				d := Describe(generate(t, p.Name, Params{Days: 35, Seed: seed, Start: shanghai(t)}))
				inside := func(what string, got float64, b between) {
					t.Helper()
					assert.True(t, b.low <= got && got <= b.high, "seed %d: %s is %.3g, not in %v", seed, what, got, b)
				}
				inside("peak to mean", d.Arrivals.PeakToMean, want.peakToMean)
				inside("CV of interarrival times", d.Arrivals.InterarrivalCV, want.cv)
				inside("share of weekends", d.Arrivals.WeekendShare, want.weekend)
				inside("builds in a minute", float64(d.Arrivals.PeakMinute), want.peakMinute)
				inside("builds a weekday", d.Arrivals.PerWeekday/p.BuildsPerWeekday, between{0.88, 1.12})
				inside("share over an hour", d.OverAnHour, between{0.01, 0.02})
				for _, j := range d.Jobs {
					if j.Builds < 200 {
						continue // too few to judge a percentile by
					}
					inside(j.Job+" p50", j.Durations.P50, between{2.4 * 60, 18 * 60})
					inside(j.Job+" p95/p50", j.Durations.P95/j.Durations.P50, between{2, 10})
				}
			}
		})
	}
}

// The promise of the afternoon: 30 to 40 machines of four builds each from three to
// five, and a few otherwise. It is one of hours in the mean, not of every moment.
func TestAfternoonNeedsThirtyToFortyMachines(t *testing.T) {
	trace := generate(t, "afternoon", Params{Days: 28, Seed: 7, Start: shanghai(t)})
	var running [24]float64 // mean builds at once by hour, on weekdays
	for _, b := range trace.Builds {
		for from, end := b.Arrival, b.Arrival+b.Duration; from < end; {
			to := min((from/time.Hour+1)*time.Hour, end)
			if at := trace.Start.Add(from); weekday(at) < 5 {
				running[at.Hour()] += (to - from).Hours() / 20
			}
			from = to
		}
	}
	for hour, builds := range running {
		machines := builds / 4
		switch hour {
		case 15, 16:
			assert.True(t, machines >= 27 && machines <= 40, "at %d: %.1f machines", hour, machines)
		case 17: // what was begun before five is done
			assert.Less(t, machines, 15.0)
		default:
			assert.True(t, machines > 1 && machines < 6, "at %d: %.1f machines", hour, machines)
		}
	}
}

func TestOfficesHaveALunchDip(t *testing.T) {
	week := Describe(generate(t, "single-timezone", Params{Days: 56, Seed: 1, BuildsPerWeekday: 4000, Start: shanghai(t)})).HourOfWeek
	for day := range 5 {
		assert.Less(t, week[day][12], 0.75*week[day][10])
		assert.Less(t, week[day][12], 0.75*week[day][15])
		assert.Less(t, week[day][3], 0.1*week[day][10])
	}
}

func TestTheSunDoesNotSet(t *testing.T) {
	week := Describe(generate(t, "follow-the-sun", Params{Days: 56, Seed: 1, BuildsPerWeekday: 12000, Start: shanghai(t)})).HourOfWeek
	for hour := range 24 {
		assert.Greater(t, week[2][hour], 0.3*12000/24, "Wednesday at %d", hour)
	}
}

func TestNightlySuitesStartAtTwo(t *testing.T) {
	week := Describe(generate(t, "nightly", Params{Days: 28, Seed: 1, Start: shanghai(t)})).HourOfWeek
	assert.InDelta(t, 250, week[2][2], 15)
	assert.Greater(t, week[6][2], 10.0)
}

// The same parameters give the same bytes, another seed gives others.
func TestGenerateIsRepeatable(t *testing.T) {
	written := func(p Params) string {
		var b bytes.Buffer
		require.NoError(t, Write(&b, generate(t, "single-timezone", p), CSV))
		return b.String()
	}
	p := Params{Days: 3, Seed: 1, Start: shanghai(t)}
	first := written(p)
	assert.Equal(t, first, written(p))
	p.Seed = 2
	assert.NotEqual(t, first, written(p))
}

func TestGeneratedTracesAreWhole(t *testing.T) {
	start := shanghai(t).Add(8*time.Hour + 17*time.Minute)
	for _, p := range Profiles() {
		trace := generate(t, p.Name, Params{Days: 2, Seed: 3, Start: start})
		assert.Equal(t, start, trace.Start)
		var file bytes.Buffer
		require.NoError(t, Write(&file, trace, JSONLines))
		again, _, err := Read("t", &file, Options{Format: JSONLines})
		require.NoError(t, err)
		assert.Equal(t, trace.Builds, again.Builds)
		assert.Equal(t, trace.Shapes, again.Shapes)
		for _, b := range trace.Builds {
			require.True(t, b.Arrival >= 0 && b.Arrival < 48*time.Hour && b.Duration > 0 && b.Duration <= longest)
		}
	}
}

func TestClassesAreSharedOut(t *testing.T) {
	trace := generate(t, "monorepo-fan-out", Params{Days: 7, Seed: 1, Classes: []ClassShare{
		{Classes: []string{"spot", "normal"}, Share: 6, MilliCPU: 2000, MemoryBytes: 4 << 30, Image: "golang:1.26"},
		{Classes: []string{"normal"}, Share: 3, MilliCPU: 4000, MemoryBytes: 8 << 30},
		{Classes: []string{"gpu"}, Share: 1, MilliCPU: 4000, MemoryBytes: 16 << 30, GPUs: 1, Labels: map[string]string{"disk": "ssd"}},
		{Classes: []string{"never"}, Share: 0, MilliCPU: 1},
	}})
	classes := Describe(trace).Classes
	require.Len(t, classes, 3)
	assert.Equal(t, "gpu", classes[0].Class)
	assert.InDelta(t, 0.1, classes[0].Share, 0.01)
	assert.Equal(t, "normal", classes[1].Class)
	assert.InDelta(t, 0.3, classes[1].Share, 0.01)
	assert.Equal(t, "normal|spot", classes[2].Class)
	assert.InDelta(t, 0.6, classes[2].Share, 0.01)
	for _, s := range trace.Shapes {
		switch s.Classes[0] {
		case "gpu":
			assert.Equal(t, int64(1), s.GPUs)
			assert.Equal(t, "ssd", s.Labels["disk"])
		case "normal":
			assert.Zero(t, s.GPUs)
		}
	}
}

func TestGenerateRefusesNonsense(t *testing.T) {
	_, err := Generate("morning", Params{})
	require.ErrorIs(t, err, ErrUnknownProfile)
	require.ErrorContains(t, err, "use one of afternoon, single-timezone, follow-the-sun, monorepo-fan-out, nightly")
	for want, p := range map[string]Params{
		"days -1 are negative":                           {Days: -1},
		"builds per weekday -5 are not more than 0":      {BuildsPerWeekday: -5},
		"builds per weekday NaN are not more than 0":     {BuildsPerWeekday: math.NaN()},
		"7000000000000 builds are more than 200000000":   {BuildsPerWeekday: 1e12},
		"all shares of classes are 0":                    {Classes: []ClassShare{{Classes: []string{"a"}}}},
		"classes[0]: share -1 is not 0 or more":          {Classes: []ClassShare{{Classes: []string{"a"}, Share: -1}}},
		`classes[0]: class: has an empty class`:          {Classes: []ClassShare{{Share: 1}}},
		`classes[0]: cpu: "-1" is negative`:              {Classes: []ClassShare{{Classes: []string{"a"}, Share: 1, MilliCPU: -1000}}},
		`start: "1066-10-14T00:00:00Z" lies outside the`: {Start: time.Date(1066, 10, 14, 0, 0, 0, 0, time.UTC)},
	} {
		_, err := Generate("afternoon", p)
		assert.ErrorContains(t, err, want)
	}
}
