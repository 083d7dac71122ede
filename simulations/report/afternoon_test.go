package report_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

// The runs of these tests are played by a few dozen lines in steps of ten seconds: not
// a model of anything, but whole and consistent, and unchanged when the engine learns
// another rule.
const (
	step     = 10 * time.Second
	bootTime = 90 * time.Second
	idleTime = 10 * time.Minute
	removal  = 30 * time.Second
)

// monday is a trace's start, in a zone of its own.
var monday = time.Date(2026, 11, 23, 0, 0, 0, 0, time.FixedZone("CST", 8*3600))

func testGroup(name string, class config.Class, minSize, maxSize, cores int, price float64) engine.Group {
	return engine.Group{
		Config: config.Group{
			Name: name, Class: class, Min: minSize, Max: maxSize, ScalingGroup: config.ScalingGroup{ID: "asg-" + name},
			Taints: []config.Taint{{Key: cloudprovider.LabelClass, Value: string(class), Effect: corev1.TaintEffectNoSchedule}},
		},
		Template: cloudprovider.NodeTemplate{
			Labels: map[string]string{cloudprovider.LabelClass: string(class)},
			Allocatable: corev1.ResourceList{
				corev1.ResourceCPU:    resource.MustParse(strconv.Itoa(cores*1000-100) + "m"),
				corev1.ResourceMemory: resource.MustParse(strconv.Itoa(cores*4-2) + "Gi"),
				corev1.ResourcePods:   resource.MustParse("110"),
			},
		},
		PricePerHour: price,
		Boot:         engine.Delay{Median: bootTime, P95: bootTime},
		Removal:      removal,
	}
}

// testSettings are three groups and so many days of builds, with a peak on weekday
// afternoons.
func testSettings(days, perDay int, seed uint64) engine.Settings {
	spot := testGroup("builds-spot", config.ClassSpot, 0, 12, 16, 0.98)
	spot.Spot = &engine.Spot{Protected: time.Hour, Notice: 5 * time.Minute, ReclaimsPerHour: 0.15}
	gpu := testGroup("builds-gpu", config.ClassGPU, 0, 5, 8, 9.75)
	gpu.Template.Allocatable[cloudprovider.GPUResource] = resource.MustParse("1")
	s := engine.Settings{
		Groups: []engine.Group{testGroup("builds-normal", config.ClassNormal, 1, 10, 16, 3.24), spot, gpu},
		Autoscaler: engine.Autoscaler{
			ScanInterval: step, Expander: []string{"least-waste"}, ScaleDownEnabled: true, ScaleDownUnneededTime: idleTime,
		},
		Scheduler: engine.LeastAllocated, Currency: "CNY", Seed: seed, TimelineStep: time.Minute, AgentStart: 2 * time.Second,
		Trace: workload.Trace{Start: monday, Shapes: []workload.Shape{
			{Job: "unit-tests", Classes: []string{"spot", "normal"}, MilliCPU: 4000, MemoryBytes: 8 << 30},
			{Job: "package", Classes: []string{"normal"}, MilliCPU: 4000, MemoryBytes: 8 << 30, Image: "builder"},
			{Job: "integration <tests> & more", Classes: []string{"normal"}, MilliCPU: 8000, MemoryBytes: 16 << 30, Labels: map[string]string{"disk": "fast"}},
			{Job: "model", Classes: []string{"gpu"}, MilliCPU: 6000, MemoryBytes: 24 << 30, GPUs: 1},
		}},
	}
	for n := range s.Groups {
		s.Groups[n].Template.Labels["disk"] = "fast"
	}
	s.Trace.Builds = testBuilds(days, perDay, seed)
	return s
}

func testBuilds(days, perDay int, seed uint64) []workload.Build {
	chance := rand.New(rand.NewPCG(seed, 1))
	var builds []workload.Build
	for day := range days {
		n := perDay
		if day%7 >= 5 {
			n = perDay / 12
		}
		for range n {
			hour := 15 + 2.2*chance.NormFloat64()
			if chance.IntN(4) == 0 {
				hour = 8 + 12*chance.Float64()
			}
			arrival := time.Duration(day)*24*time.Hour + time.Duration(min(max(hour, 0), 23.9)*float64(time.Hour))
			shape := []int32{0, 0, 0, 0, 0, 1, 1, 1, 2, 3}[chance.IntN(10)]
			median := []float64{5, 8, 14, 25}[shape]
			builds = append(builds, workload.Build{
				Arrival:  arrival.Round(time.Second),
				Duration: time.Duration(median * math.Exp(0.6*chance.NormFloat64()) * float64(time.Minute)).Round(time.Second),
				Wait:     time.Duration(chance.IntN(200)) * time.Second, Shape: shape,
			})
		}
	}
	slices.SortStableFunc(builds, func(a, b workload.Build) int { return int(a.Arrival - b.Arrival) })
	return builds
}

// testRun plays settings.
type testRun struct {
	settings engine.Settings
	chance   *rand.Rand
	result   engine.Result
	nodes    []testNode
	pending  []int32
	next     int
}

type testNode struct {
	free   int64 // milli CPU
	builds []int32
	idle   time.Duration
}

func play(s engine.Settings) engine.Result {
	r := &testRun{settings: s, chance: rand.New(rand.NewPCG(s.Seed, 2))}
	r.result.Builds = make([]engine.BuildResult, len(s.Trace.Builds))
	for n := range r.result.Builds {
		r.result.Builds[n] = engine.BuildResult{Started: engine.Never, Ended: engine.Never, Group: -1, Node: -1}
	}
	for _, g := range s.Groups {
		r.result.Groups = append(r.result.Groups, engine.GroupResult{Name: g.Config.Name})
	}
	for now := time.Duration(0); ; now += step {
		r.result.Loops++
		for r.next < len(s.Trace.Builds) && s.Trace.Builds[r.next].Arrival <= now {
			r.pending = append(r.pending, int32(r.next))
			r.next++
		}
		r.endBuilds(now)
		r.reclaim(now)
		r.place(now)
		r.scaleUp(now)
		r.scaleDown(now)
		if now%s.TimelineStep == 0 {
			r.record(now)
		}
		if r.next == len(s.Trace.Builds) && len(r.pending) == 0 && r.atRest() && now%time.Hour == 0 {
			r.finish(now)
			return r.result
		}
	}
}

func (r *testRun) atRest() bool {
	for g, did := range r.result.Groups {
		if r.count(int32(g)) > r.settings.Groups[g].Config.Min {
			return false
		}
		_ = did
	}
	for _, n := range r.nodes {
		if len(n.builds) > 0 {
			return false
		}
	}
	return true
}

func (r *testRun) alive(n int) bool { return r.result.Nodes[n].Removed == engine.Never }

func (r *testRun) ready(n int, now time.Duration) bool {
	return r.alive(n) && r.result.Nodes[n].Created+bootTime <= now
}

func (r *testRun) count(group int32) (nodes int) {
	for n, node := range r.result.Nodes {
		if node.Group == group && r.alive(n) {
			nodes++
		}
	}
	return nodes
}

func (r *testRun) shape(build int32) workload.Shape {
	return r.settings.Trace.Shapes[r.settings.Trace.Builds[build].Shape]
}

func (r *testRun) endBuilds(now time.Duration) {
	for n := range r.nodes {
		r.nodes[n].builds = slices.DeleteFunc(r.nodes[n].builds, func(b int32) bool {
			ends := r.result.Builds[b].Started + r.settings.Trace.Builds[b].Duration
			if ends > now {
				return false
			}
			r.result.Builds[b].Ended = ends
			r.nodes[n].free += r.shape(b).MilliCPU
			return true
		})
	}
}
