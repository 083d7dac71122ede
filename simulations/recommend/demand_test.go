package recommend

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.FixedZone("", 8*3600))

func groupOf(name string, class config.Class, price float64) engine.Group {
	return engine.Group{
		Config: config.Group{Name: name, Class: class, Max: 20},
		Template: cloudprovider.NodeTemplate{Allocatable: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse("8"), corev1.ResourceMemory: resource.MustParse("16Gi"), corev1.ResourcePods: resource.MustParse("110"),
		}},
		PricePerHour: price, Boot: engine.Delay{Median: 90 * time.Second, P95: 2 * time.Minute}, Removal: 30 * time.Second,
	}
}

func settingsOf(trace workload.Trace, groups ...engine.Group) engine.Settings {
	return engine.Settings{
		Trace: trace, Groups: groups, Autoscaler: engine.DefaultAutoscaler(), Scheduler: engine.LeastAllocated,
		AgentStart: 5 * time.Second, Currency: "CNY", Seed: 1,
	}
}

// workingDays has builds from nine to five on working days: two every five minutes, one
// of which may run on spot.
func workingDays(days int) workload.Trace {
	t := workload.Trace{Start: monday, Shapes: []workload.Shape{
		{Job: "unit", Classes: []string{"normal", "spot"}, MilliCPU: 3000, MemoryBytes: 4 << 30},
		{Job: "release", Classes: []string{"normal"}, MilliCPU: 5000, MemoryBytes: 8 << 30},
	}}
	chance := rand.New(rand.NewPCG(7, 7))
	for d := range days {
		if d%7 >= 5 {
			continue
		}
		for at := 9 * time.Hour; at < 17*time.Hour; at += 5 * time.Minute {
			for shape := range int32(2) {
				t.Builds = append(t.Builds, workload.Build{
					Arrival: time.Duration(d)*day + at, Duration: time.Duration(5+chance.IntN(20)) * time.Minute, Wait: workload.UnknownWait, Shape: shape,
				})
			}
		}
	}
	return t
}

func TestPartOfANode(t *testing.T) {
	g := groupOf("n", config.ClassNormal, 1)
	g.Template.Labels = map[string]string{"disk": "ssd"}
	for name, test := range map[string]struct {
		shape workload.Shape
		want  float64
	}{
		"a half":            {workload.Shape{Classes: []string{"normal"}, MilliCPU: 4000}, 0.5},
		"what is left over": {workload.Shape{Classes: []string{"normal"}, MilliCPU: 5000}, 1},
		"by memory":         {workload.Shape{Classes: []string{"normal"}, MilliCPU: 100, MemoryBytes: 4 << 30}, 0.25},
		"too large":         {workload.Shape{Classes: []string{"normal"}, MilliCPU: 9000}, 0},
		"another class":     {workload.Shape{Classes: []string{"gpu"}}, 0},
		"a GPU":             {workload.Shape{Classes: []string{"normal"}, GPUs: 1}, 0},
		"its label":         {workload.Shape{Classes: []string{"normal"}, MilliCPU: 8000, Labels: map[string]string{"disk": "ssd"}}, 1},
		"another label":     {workload.Shape{Classes: []string{"normal"}, MilliCPU: 8000, Labels: map[string]string{"disk": "hdd"}}, 0},
	} {
		t.Run(name, func(t *testing.T) { assert.InDelta(t, test.want, partOf(g, test.shape), 1e-9) })
	}
}

func TestDemandByHourOfTheWeek(t *testing.T) {
	trace := workload.Trace{Start: monday.Add(10 * time.Hour), Shapes: []workload.Shape{{Classes: []string{"normal"}, MilliCPU: 8000}}}
	for w := range 2 { // on both Mondays half an hour of two nodes, on one Tuesday an hour of one
		trace.Builds = append(trace.Builds,
			workload.Build{Arrival: time.Duration(w)*week + 30*time.Minute, Duration: 90 * time.Minute},
			workload.Build{Arrival: time.Duration(w)*week + 30*time.Minute, Duration: 30 * time.Minute})
		if w == 0 {
			trace.Builds = append(trace.Builds, workload.Build{Arrival: day, Duration: time.Hour})
		}
	}
	trace.Builds = append(trace.Builds, workload.Build{Arrival: 2 * week, Duration: time.Hour})
	zone, location := zoneOf(trace.Start)
	assert.Equal(t, "Etc/GMT-8", zone)
	d := demands(settingsOf(trace, groupOf("n", config.ClassNormal, 1)), location)[0]
	assert.Equal(t, 2, d.peak)
	assert.False(t, d.shared)
	assert.InDelta(t, 1, d.week[10], 0.01)
	assert.InDelta(t, 1, d.week[11], 0.01)
	assert.InDelta(t, 0.5, d.week[24+10], 0.01, "one Tuesday of two")
	assert.Zero(t, d.week[9])
}

func TestSharedDemandIsTheCheaperGroups(t *testing.T) {
	s := settingsOf(workingDays(7), groupOf("normal", config.ClassNormal, 1), groupOf("spot", config.ClassSpot, 0.2))
	d := demands(s, time.UTC)
	assert.True(t, d[0].shared)
	assert.Greater(t, d[0].peak, d[1].peak, "normal nodes take all builds")
	assert.Positive(t, d[1].week[2])
}

func TestWarmWindows(t *testing.T) {
	var demanded [hoursOfWeek]float64
	for weekday := range 5 {
		for h := 8; h < 20; h++ {
			demanded[weekday*24+h] = 4
		}
		for h := 14; h < 16; h++ {
			demanded[weekday*24+h] = 10
		}
	}
	demanded[5*24+23] = 8 // Saturdays at eleven in the evening: 4 on the mean weekend
	got := warmWindows(demanded, 0.5, "Asia/Shanghai", 90*time.Second)
	lead := config.Duration(90 * time.Second)
	assert.Equal(t, []config.Window{
		{Cron: "0 8 * * 1-5", Duration: config.Duration(12 * time.Hour), Min: 3, Lead: &lead, TimeZone: "Asia/Shanghai"},
		{Cron: "0 14 * * 1-5", Duration: config.Duration(2 * time.Hour), Min: 5, Lead: &lead, TimeZone: "Asia/Shanghai"},
		{Cron: "0 23 * * 0,6", Duration: config.Duration(time.Hour), Min: 2, Lead: &lead, TimeZone: "Asia/Shanghai"},
	}, got)
	for _, w := range got {
		_, err := w.Times()
		assert.NoError(t, err)
	}
	assert.Empty(t, warmWindows(demanded, 0, "UTC", 0))
	assert.Empty(t, warmWindows([hoursOfWeek]float64{3: 0.2}, 1, "UTC", 0), "a fifth of a node is not worth a window")
}

func TestZoneOf(t *testing.T) {
	shanghai, err := time.LoadLocation("Asia/Shanghai")
	require.NoError(t, err)
	for want, at := range map[string]time.Time{
		"Asia/Shanghai": time.Date(2026, 1, 5, 0, 0, 0, 0, shanghai),
		"Etc/GMT+5":     time.Date(2026, 1, 5, 0, 0, 0, 0, time.FixedZone("", -5*3600)),
		"UTC":           time.Date(2026, 1, 5, 0, 0, 0, 0, time.FixedZone("", 5*3600+1800)),
	} {
		name, location := zoneOf(at)
		assert.Equal(t, want, name)
		_, offset := at.In(location).Zone()
		if _, own := at.Zone(); own%3600 == 0 {
			assert.Equal(t, own, offset, want)
		}
	}
}

func TestResampledHistories(t *testing.T) {
	for name, test := range map[string]struct {
		days int
	}{"days": {10}, "weeks": {28}} {
		t.Run(name, func(t *testing.T) {
			trace := workingDays(test.days)
			before := trace.Builds[0]
			moved := false
			for n := range uint64(10) {
				got := resample(trace, rand.New(rand.NewPCG(1, n)))
				require.NotEmpty(t, got.Builds)
				for i, b := range got.Builds {
					if i > 0 {
						require.LessOrEqual(t, got.Builds[i-1].Arrival, b.Arrival, "in order of arrival")
					}
					at := trace.Start.Add(b.Arrival)
					require.NotContains(t, []time.Weekday{time.Saturday, time.Sunday}, at.Weekday(), "working days stay working days")
					require.GreaterOrEqual(t, at.Hour(), 9)
				}
				again := resample(trace, rand.New(rand.NewPCG(1, n)))
				require.Equal(t, got, again, "the same chance gives the same history")
				moved = moved || !assert.ObjectsAreEqual(trace.Builds, got.Builds)
			}
			assert.True(t, moved)
			assert.Equal(t, before, trace.Builds[0], "the trace stays as it was")
		})
	}
	assert.Empty(t, resample(workload.Trace{}, rand.New(rand.NewPCG(1, 1))).Builds)
}
