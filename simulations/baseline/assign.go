package baseline

import (
	"slices"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

// size is what a build asks for, or a node offers.
type size struct {
	milliCPU, memory, gpus, pods int64
}

func (s size) holds(o size) bool {
	return s.milliCPU >= o.milliCPU && s.memory >= o.memory && s.gpus >= o.gpus && s.pods >= o.pods
}

func (s size) minus(o size) size {
	return size{s.milliCPU - o.milliCPU, s.memory - o.memory, s.gpus - o.gpus, s.pods - o.pods}
}

func (s size) plus(o size) size {
	return size{s.milliCPU + o.milliCPU, s.memory + o.memory, s.gpus + o.gpus, s.pods + o.pods}
}

func (s size) atLeast(o size) size {
	return size{max(s.milliCPU, o.milliCPU), max(s.memory, o.memory), max(s.gpus, o.gpus), max(s.pods, o.pods)}
}

// defaultPods is kubelet's own limit, for templates that do not tell theirs.
const defaultPods = 110

func nodeSize(g engine.Group) size {
	a := g.Template.Allocatable
	gpus := a[cloudprovider.GPUResource]
	pods := a.Pods().Value()
	if pods == 0 {
		pods = defaultPods
	}
	return size{milliCPU: a.Cpu().MilliValue(), memory: a.Memory().Value(), gpus: gpus.Value(), pods: pods}
}

func buildSize(s workload.Shape) size {
	return size{milliCPU: s.MilliCPU, memory: s.MemoryBytes, gpus: s.GPUs, pods: 1}
}

// takes reports whether an empty node of the group may run a build of the shape.
func takes(g engine.Group, s workload.Shape) bool {
	if !slices.Contains(s.Classes, string(g.Config.Class)) || !nodeSize(g).holds(buildSize(s)) {
		return false
	}
	for key, value := range s.Labels {
		if g.Template.Labels[key] != value {
			return false
		}
	}
	return true
}

// priceOf a build on the group's nodes: of the largest share of a node that it takes.
func priceOf(g engine.Group, s workload.Shape) float64 {
	node, build := nodeSize(g), buildSize(s)
	largest := float64(build.pods) / float64(node.pods)
	for _, r := range resources {
		if of := r(node); of > 0 {
			largest = max(largest, float64(r(build))/float64(of))
		}
	}
	return largest * g.PricePerHour
}

var resources = []func(size) int64{
	func(s size) int64 { return s.milliCPU },
	func(s size) int64 { return s.memory },
	func(s size) int64 { return s.gpus },
}

// preference reports whether builds of the shape are rather run on a than on b.
type preference func(a, b engine.Group, s workload.Shape) bool

func cheapest(a, b engine.Group, s workload.Shape) bool { return priceOf(a, s) < priceOf(b, s) }

// steadyFirst takes nodes that the cloud does not take back, where there are any: a
// static pool of spot instances is none.
func steadyFirst(a, b engine.Group, s workload.Shape) bool {
	if steady := a.Spot == nil; steady != (b.Spot == nil) {
		return steady
	}
	return cheapest(a, b, s)
}

// assign gives each build to one group, and returns each group's builds in order of
// arrival.
func assign(settings engine.Settings, rather preference) [][]int32 {
	group := make([]int, len(settings.Trace.Shapes))
	for n, s := range settings.Trace.Shapes {
		group[n] = -1
		for candidate, g := range settings.Groups {
			if takes(g, s) && (group[n] < 0 || rather(g, settings.Groups[group[n]], s)) {
				group[n] = candidate
			}
		}
	}
	builds := make([][]int32, len(settings.Groups))
	for n, b := range settings.Trace.Builds {
		if g := group[b.Shape]; g >= 0 {
			builds[g] = append(builds[g], int32(n))
		}
	}
	return builds
}
