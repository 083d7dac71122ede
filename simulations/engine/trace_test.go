package engine_test

import (
	"math/rand/v2"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

const gib = 1 << 30

// template is a node of the size, all of it for builds.
func template(cpus, memoryGiB, gpus int64) cloudprovider.NodeTemplate {
	all := corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewQuantity(cpus, resource.DecimalSI),
		corev1.ResourceMemory: *resource.NewQuantity(memoryGiB*gib, resource.BinarySI),
		corev1.ResourcePods:   *resource.NewQuantity(110, resource.DecimalSI),
	}
	labels := map[string]string{}
	if gpus > 0 {
		all[cloudprovider.GPUResource] = *resource.NewQuantity(gpus, resource.DecimalSI)
		labels[cloudprovider.LabelGPU] = "NVIDIA-A10"
	}
	return cloudprovider.NodeTemplate{Labels: labels, Capacity: all, Allocatable: all}
}

// normal is a group of 16-core nodes that boot in 90 seconds and cost 1 per hour.
func normal(name string, minimum, maximum int) engine.Group {
	return engine.Group{
		Config:   config.Group{Name: name, Class: config.ClassNormal, Min: minimum, Max: maximum},
		Template: template(16, 64, 0), PricePerHour: 1,
		Boot: engine.Delay{Median: 90 * time.Second, P95: 90 * time.Second},
	}
}

// quarter is a build that fills a quarter of a node.
var quarter = workload.Shape{Job: "unit", Classes: []string{"normal"}, MilliCPU: 4000, MemoryBytes: 8 * gib}

var monday = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

// settings play the trace on the groups, with loops every ten seconds.
func settings(t workload.Trace, groups ...engine.Group) engine.Settings {
	a := engine.DefaultAutoscaler()
	a.FrequentLoops = false
	return engine.Settings{Trace: t, Groups: groups, Expander: config.DefaultExpander(), Autoscaler: a, Scheduler: engine.LeastAllocated}
}

// poisson is a trace of so many builds an hour, of exponential duration.
func poisson(seed uint64, perHour float64, span, mean time.Duration, shapes ...workload.Shape) workload.Trace {
	chance := rand.New(rand.NewPCG(seed, 99))
	t := workload.Trace{Start: monday, Shapes: shapes}
	for now := 0.0; ; {
		now += chance.ExpFloat64() / perHour
		arrival := time.Duration(now * float64(time.Hour))
		if arrival > span {
			return t
		}
		t.Builds = append(t.Builds, workload.Build{
			Arrival: arrival, Duration: time.Duration(chance.ExpFloat64() * float64(mean)),
			Wait: workload.UnknownWait, Shape: int32(chance.IntN(len(shapes))),
		})
	}
}
