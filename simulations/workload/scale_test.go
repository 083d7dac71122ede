package workload

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// Half or thrice the builds: the same bursts, hours and durations.
func TestScaleKeepsTheShape(t *testing.T) {
	trace := generate(t, "single-timezone", Params{Days: 35, Seed: 1, Start: shanghai(t)})
	was := Describe(trace)
	for _, factor := range []float64{0.5, 0.8, 1.5, 3} {
		scaled, err := Scale(trace, RateOptions{Factor: factor, Seed: 1})
		require.NoError(t, err)
		is := Describe(scaled)
		assert.InEpsilon(t, factor*float64(was.Builds), is.Builds, 0.01)
		assert.InDelta(t, was.Arrivals.WeekendShare, is.Arrivals.WeekendShare, 0.02)
		assert.InEpsilon(t, was.Durations.P50, is.Durations.P50, 0.05)
		assert.InEpsilon(t, was.Durations.P95, is.Durations.P95, 0.1)
		assert.Nil(t, is.Waits)
		// More bursts at once are less of a burst each, as it is with more people; one
		// by one, the builds would have a CV of about 2.
		assert.Greater(t, is.Arrivals.InterarrivalCV, 0.6*was.Arrivals.InterarrivalCV, factor)
		for day := range 5 {
			for hour := range 24 {
				assert.InDelta(t, factor*was.HourOfWeek[day][hour], is.HourOfWeek[day][hour], 15+factor*0.6*was.HourOfWeek[day][hour])
			}
		}
	}
}

func TestScaledTracesAreWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		trace := drawTrace(t)
		factor := rapid.Float64Range(0.1, 5).Draw(t, "factor")
		o := RateOptions{Factor: factor, Seed: rapid.Uint64().Draw(t, "seed"), Jitter: time.Duration(rapid.Int64Range(0, 1e13).Draw(t, "jitter"))}
		scaled, err := Scale(trace, o)
		require.NoError(t, err)
		again, err := Scale(trace, o)
		require.NoError(t, err)
		require.Equal(t, scaled, again)
		for i, b := range scaled.Builds {
			require.GreaterOrEqual(t, b.Arrival, scaled.Builds[max(i-1, 0)].Arrival)
			require.GreaterOrEqual(t, int64(b.Arrival), int64(0))
			require.LessOrEqual(t, b.Arrival, trace.Builds[len(trace.Builds)-1].Arrival)
			require.Less(t, int(b.Shape), len(scaled.Shapes))
		}
		if n := len(trace.Builds); n > 0 {
			require.InDelta(t, factor*float64(n), len(scaled.Builds), float64(n)+1)
		}
	})
}

func TestCutShiftAndStretch(t *testing.T) {
	trace := generate(t, "nightly", Params{Days: 7, Seed: 2, Start: shanghai(t)})
	from, to := trace.Start.AddDate(0, 0, 2), trace.Start.AddDate(0, 0, 4)
	parts := 0
	for _, window := range [][2]time.Time{{{}, from}, {from, to}, {to, {}}} {
		part, err := Cut(trace, window[0], window[1])
		require.NoError(t, err)
		parts += len(part.Builds)
		if !window[0].IsZero() {
			assert.Equal(t, window[0], part.Start)
		}
		for _, b := range part.Builds {
			require.GreaterOrEqual(t, int64(b.Arrival), int64(0))
		}
	}
	assert.Equal(t, len(trace.Builds), parts)
	_, err := Cut(trace, to, from)
	require.ErrorContains(t, err, "cut: ")

	assert.Equal(t, trace.Start.Add(90*time.Minute), Shift(trace, 90*time.Minute).Start)

	double, err := Stretch(trace, 2)
	require.NoError(t, err)
	assert.Equal(t, 2*trace.Builds[0].Duration, double.Builds[0].Duration)
	for _, factor := range []float64{0, -1, math.NaN(), math.Inf(1), 1e300} {
		_, err = Stretch(trace, factor)
		require.Error(t, err, factor)
		_, err = Scale(trace, RateOptions{Factor: factor})
		require.Error(t, err, factor)
	}
	_, err = Scale(trace, RateOptions{Factor: 1, Jitter: -1})
	require.Error(t, err)
}
