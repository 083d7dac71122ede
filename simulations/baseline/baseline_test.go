package baseline_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"pgregory.net/rapid"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/baseline"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

func group(name string, class config.Class, cpu, memory string, gpus, price float64) engine.Group {
	allocatable := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
	if gpus > 0 {
		allocatable[cloudprovider.GPUResource] = *resource.NewQuantity(int64(gpus), resource.DecimalSI)
	}
	return engine.Group{
		Config:       config.Group{Name: name, Class: class, Max: 100},
		Template:     cloudprovider.NodeTemplate{Allocatable: allocatable, Labels: map[string]string{"disk": "fast"}},
		PricePerHour: price,
	}
}

func build(arrival, minutes int, shape int32) workload.Build {
	return workload.Build{Arrival: time.Duration(arrival) * time.Minute, Duration: time.Duration(minutes) * time.Minute, Shape: shape}
}

// TestByHand: two classes, figures that can be worked out on paper.
func TestByHand(t *testing.T) {
	spot := group("spot", config.ClassSpot, "4", "8Gi", 0, 1)
	spot.Spot = &engine.Spot{}
	s := engine.Settings{
		Groups: []engine.Group{group("normal", config.ClassNormal, "4", "8Gi", 0, 3), spot, group("gpu", config.ClassGPU, "8", "32Gi", 1, 10)},
		Trace: workload.Trace{
			Shapes: []workload.Shape{
				{Classes: []string{"normal", "spot"}, MilliCPU: 2000, MemoryBytes: 1 << 30},
				{Classes: []string{"gpu"}, MilliCPU: 2000, MemoryBytes: 1 << 30, GPUs: 1, Labels: map[string]string{"disk": "fast"}},
				{Classes: []string{"normal"}, MilliCPU: 5000}, // fits nowhere
			},
			Builds: []workload.Build{build(0, 60, 0), build(0, 60, 0), build(0, 60, 0), build(10, 30, 1), build(20, 60, 2), build(40, 30, 1)},
		},
	}
	waits := []time.Duration{0, 0, time.Hour, 0, 0, 0}
	found := map[string]baseline.Baseline{}
	for _, b := range baseline.Compute(s, waits, 2*time.Hour) {
		found[b.Name] = b
	}

	peak := found[baseline.StaticPeak]
	assert.Equal(t, 3, peak.PeakNodes, "two normal nodes, because the spot market is no static pool, and one with a GPU")
	assert.Equal(t, 2*2*3+2*10.0, peak.Cost)
	assert.Zero(t, peak.P95Seconds)

	equal := found[baseline.StaticEqualP95]
	assert.Equal(t, 2, equal.PeakNodes, "one normal node, as the third build may wait an hour")
	assert.Equal(t, 3600.0, equal.P95Seconds)

	clairvoyant := found[baseline.Clairvoyant]
	assert.Equal(t, 2*1.0+10, clairvoyant.Cost, "two spot nodes for an hour each, the GPU node twice for half an hour")
	assert.Equal(t, 3.0, clairvoyant.NodeHours)

	assert.Equal(t, 1.5*1+1*10, found[baseline.LowerBound].Cost, "three builds on halves of a spot node, and the GPU")
}

// TestOrderOfBaselines: whatever the builds, foresight is not dearer than a pool that
// stands around, and nothing is cheaper than the bound.
func TestOrderOfBaselines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := engine.Settings{
			Groups: []engine.Group{group("small", config.ClassNormal, "4", "8Gi", 0, 1), group("large", config.ClassNormal, "16", "32Gi", 0, 3.8), group("gpu", config.ClassGPU, "8", "32Gi", 2, 10)},
			Trace: workload.Trace{Shapes: []workload.Shape{
				{Classes: []string{"normal"}, MilliCPU: 1000, MemoryBytes: 6 << 30},
				{Classes: []string{"normal"}, MilliCPU: 3000, MemoryBytes: 1 << 30},
				{Classes: []string{"normal", "gpu"}, MilliCPU: 8000, MemoryBytes: 8 << 30},
				{Classes: []string{"gpu"}, MilliCPU: 1000, MemoryBytes: 1 << 30, GPUs: 1},
			}},
		}
		arrival, end := 0, 0
		for range rapid.IntRange(1, 80).Draw(t, "builds") {
			arrival += rapid.IntRange(0, 20).Draw(t, "gap")
			b := build(arrival, rapid.IntRange(1, 90).Draw(t, "minutes"), rapid.Int32Range(0, 3).Draw(t, "shape"))
			s.Trace.Builds = append(s.Trace.Builds, b)
			end = max(end, int((b.Arrival+b.Duration)/time.Minute))
		}
		waits := make([]time.Duration, len(s.Trace.Builds))
		for n := range waits {
			waits[n] = time.Duration(rapid.IntRange(0, 3600).Draw(t, "wait")) * time.Second
		}
		all := baseline.Compute(s, waits, time.Duration(end)*time.Minute)
		require.Len(t, all, 4)
		peak, equal, clairvoyant, bound := all[0], all[1], all[2], all[3]
		assert.LessOrEqual(t, bound.Cost, clairvoyant.Cost+1e-3)
		assert.LessOrEqual(t, clairvoyant.Cost, peak.Cost+1e-3)
		assert.LessOrEqual(t, equal.Cost, peak.Cost+1e-3)
		for n := range s.Groups {
			assert.LessOrEqual(t, equal.Groups[n].Nodes, peak.Groups[n].Nodes)
		}
	})
}

// TestStaticPoolKeepsItsSize: never more runs than fits, no build starts before it
// arrives, and the pool at the peak keeps nobody waiting.
func TestStaticPoolKeepsItsSize(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := group("normal", config.ClassNormal, "4", "8Gi", 0, 1)
		trace := workload.Trace{Shapes: []workload.Shape{{Classes: []string{"normal"}, MilliCPU: 1000}, {Classes: []string{"normal"}, MilliCPU: 3000}}}
		var builds []int32
		arrival := 0
		for n := range rapid.IntRange(1, 60).Draw(t, "builds") {
			arrival += rapid.IntRange(0, 5).Draw(t, "gap")
			trace.Builds = append(trace.Builds, build(arrival, rapid.IntRange(1, 30).Draw(t, "minutes"), rapid.Int32Range(0, 1).Draw(t, "shape")))
			builds = append(builds, int32(n))
		}
		nodes := rapid.IntRange(1, 5).Draw(t, "nodes")
		waits := baseline.StaticWaits(g, trace, builds, nodes)
		require.Len(t, waits, len(builds))
		for n := range builds {
			at := trace.Builds[n].Arrival + waits[n]
			assert.GreaterOrEqual(t, waits[n], time.Duration(0))
			used := int64(0)
			for m, b := range trace.Builds {
				if from := b.Arrival + waits[m]; from <= at && at < from+b.Duration {
					used += trace.Shapes[b.Shape].MilliCPU
				}
			}
			assert.LessOrEqual(t, used, int64(4000*nodes))
		}
		assert.Zero(t, slices.Max(baseline.StaticWaits(g, trace, builds, len(builds))))
	})
}

// TestStaticPoolAgreesWithErlangC: the textbook's queue is the one case with a formula.
func TestStaticPoolAgreesWithErlangC(t *testing.T) {
	for _, q := range []baseline.Queue{
		{Servers: 4, ArrivalsPerHour: 36, Service: 5 * time.Minute},
		{Servers: 20, ArrivalsPerHour: 220, Service: 5 * time.Minute},
		{Servers: 30, ArrivalsPerHour: 110, Service: 15 * time.Minute},
	} {
		const n = 400_000
		chance := rand.New(rand.NewPCG(uint64(q.Servers), 3))
		trace := workload.Trace{Shapes: []workload.Shape{{Classes: []string{"normal"}, MilliCPU: 4000}}}
		builds := make([]int32, n)
		arrival := 0.0
		for i := range builds {
			builds[i] = int32(i)
			arrival += chance.ExpFloat64() / q.ArrivalsPerHour
			trace.Builds = append(trace.Builds, workload.Build{
				Arrival:  time.Duration(arrival * float64(time.Hour)),
				Duration: time.Duration(chance.ExpFloat64() * float64(q.Service)),
			})
		}
		waits := baseline.StaticWaits(group("normal", config.ClassNormal, "4", "8Gi", 0, 1), trace, builds, q.Servers)
		waited, sum := 0, 0.0
		for _, w := range waits {
			if w > 0 {
				waited++
			}
			sum += w.Seconds()
		}
		slices.Sort(waits)
		assert.InEpsilon(t, q.WaitShare(), float64(waited)/n, 0.03, "%+v", q)
		assert.InEpsilon(t, q.MeanWait().Seconds(), sum/n, 0.06, "%+v", q)
		assert.InDelta(t, q.WaitAt(95).Seconds(), waits[n*95/100].Seconds(), math.Max(0.06*q.WaitAt(95).Seconds(), 2), "%+v", q)
	}
	overloaded := baseline.Queue{Servers: 1, ArrivalsPerHour: 61, Service: time.Minute}
	assert.Equal(t, 1.0, overloaded.WaitShare())
	assert.Equal(t, time.Duration(math.MaxInt64), overloaded.MeanWait())
}

func BenchmarkCompute(b *testing.B) {
	chance := rand.New(rand.NewPCG(1, 1))
	s := engine.Settings{
		Groups: []engine.Group{group("normal", config.ClassNormal, "16", "32Gi", 0, 1)},
		Trace:  workload.Trace{Shapes: []workload.Shape{{Classes: []string{"normal"}, MilliCPU: 4000, MemoryBytes: 8 << 30}, {Classes: []string{"normal"}, MilliCPU: 6000, MemoryBytes: 4 << 30}}},
	}
	arrival := 0.0
	for range 100_000 {
		arrival += chance.ExpFloat64() / 2000
		s.Trace.Builds = append(s.Trace.Builds, workload.Build{
			Arrival: time.Duration(arrival * float64(time.Hour)), Duration: time.Duration(chance.ExpFloat64() * float64(10*time.Minute)), Shape: int32(chance.IntN(2)),
		})
	}
	waits := make([]time.Duration, len(s.Trace.Builds))
	for n := range waits {
		waits[n] = time.Duration(chance.IntN(120)) * time.Second
	}
	for b.Loop() {
		baseline.Compute(s, waits, 50*time.Hour)
	}
}
