package workload

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A trace small enough to be measured by hand.
func TestDescribe(t *testing.T) {
	trace := Trace{
		Start: time.Date(2026, time.January, 9, 22, 30, 0, 0, time.UTC), // a Friday
		Shapes: []Shape{
			{Job: "unit", Classes: []string{"normal"}, MilliCPU: 2000, MemoryBytes: 4 << 30},
			{Job: "train", Classes: []string{"gpu"}, MilliCPU: 500, MemoryBytes: 1 << 30, GPUs: 2},
		},
		Builds: []Build{
			{Arrival: 0, Duration: 20 * time.Minute, Wait: 10 * time.Second},
			{Arrival: 10 * time.Minute, Duration: 30 * time.Minute, Wait: UnknownWait, Shape: 1},
			{Arrival: 20 * time.Minute, Duration: 10 * time.Minute, Wait: 30 * time.Second},
			{Arrival: 100 * time.Minute, Duration: 2 * time.Hour, Wait: UnknownWait},
		},
	}
	d := Describe(trace)
	assert.Equal(t, 2, d.Hours)
	assert.Equal(t, 4, d.Builds)
	assert.InDelta(t, 0.98995, d.Arrivals.InterarrivalCV, 1e-5) // gaps of 10, 10 and 80 minutes: 70·√2/3 over 100/3
	d.Arrivals.InterarrivalCV = 0
	assert.Equal(t, Arrivals{
		PerHour: 2, PerWeekday: 36, // three of them in the two hours that begin on Friday
		Peak: 3, PeakAt: time.Date(2026, time.January, 9, 22, 0, 0, 0, time.UTC), PeakToMean: 1.5, PeakMinute: 1,
		WeekendShare: 0.25,
	}, d.Arrivals)
	assert.Equal(t, Quantiles{Mean: 45 * 60, P50: 20 * 60, P90: 7200, P95: 7200, P99: 7200, Max: 7200}, d.Durations)
	assert.Equal(t, &Quantiles{Mean: 20, P50: 10, P90: 30, P95: 30, P99: 30, Max: 30}, d.Waits)
	assert.Equal(t, 0.25, d.OverAnHour)
	// One build for 10 minutes, two for 20, one for 10, none until 100.
	assert.Equal(t, Level{Mean: 0.6, P50: 0, P90: 2, P95: 2, P99: 2, Max: 2}, d.Concurrency.Builds)
	assert.Equal(t, 2.5, d.Concurrency.Cores.Max)
	assert.Equal(t, 2.0, d.Concurrency.GPUs.Max)
	assert.Equal(t, 3.0, d.HourOfWeek[4][22])
	assert.Equal(t, 1.0, d.HourOfWeek[5][0])
	require.Len(t, d.Classes, 2)
	assert.Equal(t, "gpu", d.Classes[0].Class)
	assert.Equal(t, 0.5, d.Classes[0].Concurrency.Cores.Max)
	assert.Equal(t, "unit", d.Jobs[0].Job)
	assert.Equal(t, 0.75, d.Jobs[0].Share)
}

func TestDescribeNothing(t *testing.T) {
	text, err := json.Marshal(Describe(Trace{Start: DefaultStart}))
	require.NoError(t, err)
	assert.Contains(t, string(text), `"classes":[]`)
	d := Describe(Trace{Start: DefaultStart, Shapes: []Shape{{Classes: []string{"a"}}}, Builds: make([]Build, 3)})
	_, err = json.Marshal(d)
	require.NoError(t, err, "no NaN if all builds come at once")
	assert.Zero(t, d.Arrivals.InterarrivalCV)
}

// Builds that come by chance, one at a time, have a CV of 1.
func TestInterarrivalCVOfChance(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2))
	builds := make([]Build, 50_000)
	for i := 1; i < len(builds); i++ {
		builds[i].Arrival = builds[i-1].Arrival + time.Duration(chance.ExpFloat64()*float64(time.Minute))
	}
	assert.InDelta(t, 1, interarrivalCV(builds), 0.02)
}

// What runs at once, counted minute by minute, is what the walk through the events says.
func TestConcurrencyAgainstCounting(t *testing.T) {
	trace := generate(t, "single-timezone", Params{Days: 2, Seed: 5})
	until := trace.Builds[len(trace.Builds)-1].Arrival
	var most, sum, seconds int
	for at := time.Duration(0); at < until; at += time.Second {
		n := 0
		for _, b := range trace.Builds {
			if b.Arrival <= at && at < b.Arrival+b.Duration {
				n++
			}
		}
		most = max(most, n)
		sum += n
		seconds++
	}
	c := Describe(trace).Concurrency
	assert.InDelta(t, most, c.Builds.Max, 1)
	assert.InDelta(t, float64(sum)/float64(seconds), c.Builds.Mean, 0.01)
	assert.InDelta(t, c.Builds.Mean*1.8, c.Cores.Mean, 1e-6)
}
