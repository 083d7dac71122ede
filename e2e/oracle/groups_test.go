package oracle

import (
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

const gib = 1 << 30

// group is a group of nodes with so many cores and GiB for builds, at 0.1 per core and
// hour; a node is Ready about 90 seconds after it was asked for.
func group(name string, class config.Class, cpus, memoryGiB int64, highest int) engine.Group {
	list := func(cpus, memory int64) corev1.ResourceList {
		return corev1.ResourceList{
			corev1.ResourceCPU:    *resource.NewQuantity(cpus, resource.DecimalSI),
			corev1.ResourceMemory: *resource.NewQuantity(memory, resource.BinarySI),
			corev1.ResourcePods:   *resource.NewQuantity(110, resource.DecimalSI),
		}
	}
	strategy := cloudprovider.NoSpot
	if class == config.ClassSpot {
		strategy = "SpotAsPriceGo"
	}
	return engine.Group{
		Config: config.Group{Name: name, Class: class, Max: highest},
		Template: cloudprovider.NodeTemplate{
			Labels: map[string]string{
				corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64", corev1.LabelInstanceTypeStable: "ecs." + name + ".large",
				corev1.LabelTopologyRegion: "cn-hangzhou", corev1.LabelTopologyZone: "cn-hangzhou-h",
				cloudprovider.LabelClass: string(class), "node.alibabacloud.com/instance-charge-type": "PostPaid",
				"node.alibabacloud.com/spot-strategy": strategy,
			},
			Capacity: list(cpus, memoryGiB*gib), Allocatable: list(cpus, memoryGiB*gib),
		},
		PricePerHour: 0.1 * float64(cpus),
		Boot:         engine.Delay{Median: 90 * time.Second, P95: 120 * time.Second},
		Removal:      10 * time.Second,
		Refusal:      time.Second,
	}
}

// normal is a group of 16 cores and 64 GiB.
func normal(name string, highest int) engine.Group {
	return group(name, config.ClassNormal, 16, 64, highest)
}

// spot is a group of 16 cores that costs a third and is taken back now and then.
func spot(name string, highest int, perHour float64) engine.Group {
	g := group(name, config.ClassSpot, 16, 64, highest)
	g.PricePerHour /= 3
	g.Config.Spot.OnReclaimNotice = config.ReclaimReplaced // as by default
	g.Spot = &engine.Spot{Protected: time.Hour, Notice: 5 * time.Minute, ReclaimsPerHour: perHour}
	return g
}

// gpu is a tainted group of nodes with two GPUs.
func gpu(name string, highest int) engine.Group {
	g := group(name, config.ClassGPU, 16, 64, highest)
	g.Template.Capacity = maps.Clone(g.Template.Capacity)
	g.Template.Capacity[cloudprovider.GPUResource] = *resource.NewQuantity(2, resource.DecimalSI)
	g.Template.Allocatable = g.Template.Capacity
	g.Template.Labels[cloudprovider.LabelGPU] = "NVIDIA-A10"
	taint := config.Taint{Key: "buildpool.io/class", Value: "gpu", Effect: corev1.TaintEffectNoSchedule}
	g.Config.Taints = []config.Taint{taint}
	g.Template.Taints = []corev1.Taint{{Key: taint.Key, Value: taint.Value, Effect: taint.Effect}}
	g.PricePerHour = 10
	return g
}

// The parts that builds come in.
var (
	smallBuild  = workload.ClassShare{Classes: []string{"normal"}, Share: 5, MilliCPU: 1800, MemoryBytes: 3 * gib}
	mediumBuild = workload.ClassShare{Classes: []string{"normal"}, Share: 3, MilliCPU: 3500, MemoryBytes: 6 * gib}
	largeBuild  = workload.ClassShare{Classes: []string{"normal"}, Share: 2, MilliCPU: 7500, MemoryBytes: 14 * gib}
	gpuBuild    = workload.ClassShare{Classes: []string{"gpu"}, Share: 1, MilliCPU: 4000, MemoryBytes: 8 * gib, GPUs: 1}
	eitherBuild = workload.ClassShare{Classes: []string{"spot", "normal"}, Share: 5, MilliCPU: 3500, MemoryBytes: 6 * gib}
)
