package oracle

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

func firstGroup(name string, class config.Class, maxNodes int) engine.Group {
	list := func(cpu, mem int64) corev1.ResourceList {
		return corev1.ResourceList{
			corev1.ResourceCPU:    *resource.NewMilliQuantity(cpu, resource.DecimalSI),
			corev1.ResourceMemory: *resource.NewQuantity(mem, resource.BinarySI),
			corev1.ResourcePods:   *resource.NewQuantity(110, resource.DecimalSI),
		}
	}
	return engine.Group{
		Config: config.Group{Name: name, Class: class, Max: maxNodes},
		Template: cloudprovider.NodeTemplate{
			Labels: map[string]string{
				corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64", corev1.LabelInstanceTypeStable: "ecs.c7.4xlarge",
				corev1.LabelTopologyRegion: "cn-hangzhou", corev1.LabelTopologyZone: "cn-hangzhou-h", cloudprovider.LabelClass: string(class),
				"node.alibabacloud.com/instance-charge-type": "PostPaid", "node.alibabacloud.com/spot-strategy": "NoSpot",
			},
			Capacity: list(16000, 32<<30), Allocatable: list(15900, 30<<30),
		},
		PricePerHour: 1, Boot: engine.Delay{Median: 90 * time.Second, P95: 120 * time.Second}, Removal: 10 * time.Second,
	}
}

func firstSettings(perHour int, hours int, seed uint64) engine.Settings {
	s := engine.Settings{
		Seed: seed, Groups: []engine.Group{firstGroup("normal", config.ClassNormal, 500)},
		Autoscaler: engine.Autoscaler{
			ScanInterval: 10 * time.Second, Expander: []string{"least-waste"}, MaxNodeProvisionTime: 15 * time.Minute,
			ScaleDownEnabled: true, ScaleDownDelayAfterAdd: 10 * time.Minute, ScaleDownDelayAfterFailure: 3 * time.Minute,
			ScaleDownUnneededTime: 10 * time.Minute, ScaleDownUnreadyTime: 20 * time.Minute, ScaleDownUtilizationThreshold: 0.5,
			ScaleDownGPUUtilization: 0.5, UnremovableNodeRecheckTimeout: 5 * time.Minute, MaxScaleDownParallelism: 10,
			MaxDrainParallelism: 1, MaxNodesPerScaleUp: 1000, InitialNodeGroupBackoff: 5 * time.Minute, MaxNodeGroupBackoff: 30 * time.Minute,
			NodeGroupBackoffReset: 3 * time.Hour, NodeDeleteDelayAfterTaint: 5 * time.Second,
		},
	}
	s.Trace.Start = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	s.Trace.Shapes = []workload.Shape{{Job: "a", Classes: []string{"normal"}, MilliCPU: 4000, MemoryBytes: 4 << 30}, {Job: "b", Classes: []string{"normal"}, MilliCPU: 2000, MemoryBytes: 2 << 30}}
	rng := rand.New(rand.NewPCG(seed, 7))
	for at := time.Duration(0); at < time.Duration(hours)*time.Hour; {
		at += time.Duration(rng.ExpFloat64() / float64(perHour) * float64(time.Hour))
		s.Trace.Builds = append(s.Trace.Builds, workload.Build{Arrival: at, Duration: time.Duration((2 + 8*rng.Float64()) * float64(time.Minute)), Shape: int32(rng.IntN(2))})
	}
	return s
}

func TestFirst(t *testing.T) {
	for _, hours := range []int{24} {
		s := firstSettings(1000/hours, hours, 1)
		began := time.Now()
		run := Play(t, s)
		wall := time.Since(began)
		var waits []time.Duration
		for n, b := range run.Builds {
			require.NotEqual(t, engine.Never, b.Started)
			waits = append(waits, b.Started-s.Trace.Builds[n].Arrival)
		}
		slices.Sort(waits)
		fmt.Printf("builds %d nodes %d loops %d wall %v per loop %v end %v cost %.2f p50 %v p95 %v failed %d\n", len(waits), len(run.Nodes), run.Loops, wall, wall/time.Duration(run.Loops), run.End,
			run.Groups[0].Cost, waits[len(waits)/2], waits[len(waits)*95/100], len(run.Failed))
		for _, e := range run.Log[:min(20, len(run.Log))] {
			fmt.Println(e)
		}
		for _, e := range run.Failed[:min(3, len(run.Failed))] {
			fmt.Println(e)
		}
	}
}
