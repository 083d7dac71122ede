package nodegroups

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/buildpool/buildpool/nodegroups/config"
)

const mib = 1 << 20

// reservedOf returns what a node keeps back from builds: the configured amounts,
// else what ACK's nodes keep (kube-reserved, system-reserved and eviction threshold
// together).
//
// DaemonSet pods are not part of it: CA adds them to the template by itself. A
// kube-proxy that runs as a static pod is not a DaemonSet; where a cluster has one,
// its requests belong into reserved.cpu and reserved.memory.
func reservedOf(r config.Reserved, capacity corev1.ResourceList) corev1.ResourceList {
	pods := capacity[corev1.ResourcePods]
	reserved := corev1.ResourceList{
		corev1.ResourceCPU:    ackReservedCPU(capacity.Cpu().Value()),
		corev1.ResourceMemory: ackReservedMemory(capacity.Memory().Value(), pods.Value()),
	}
	if disk, ok := capacity[corev1.ResourceEphemeralStorage]; ok {
		reserved[corev1.ResourceEphemeralStorage] = *resource.NewQuantity(evictionShare(disk.Value()), resource.BinarySI)
	}
	for name, q := range map[corev1.ResourceName]*resource.Quantity{
		corev1.ResourceCPU: r.CPU, corev1.ResourceMemory: r.Memory, corev1.ResourceEphemeralStorage: r.EphemeralStorage,
	} {
		if q != nil {
			reserved[name] = q.DeepCopy()
		}
	}
	return reserved
}

// evictionShare is kubelet's default eviction threshold nodefs.available<10%. kubelet
// keeps the percentage as a float32, so it is a few bytes more than a tenth.
func evictionShare(disk int64) int64 { return int64(float64(disk) * float64(float32(0.1))) }

// ackReservedCPU: 6 % of the first core, 1 % of the second, 0.5 % of the third and
// fourth, 0.25 % of the rest (ACK documentation, "Resource reservation policy").
func ackReservedCPU(cores int64) resource.Quantity {
	var microCores int64
	for n := range cores {
		switch {
		case n == 0:
			microCores += 60_000
		case n == 1:
			microCores += 10_000
		case n < 4:
			microCores += 5_000
		default:
			microCores += 2_500
		}
	}
	return *resource.NewMilliQuantity((microCores+999)/1000, resource.DecimalSI)
}

// ackReservedMemory: 11 MiB per pod and 255 MiB, at most a quarter of the memory,
// and 200 MiB on top (observed on ACK nodes).
func ackReservedMemory(memory, pods int64) resource.Quantity {
	kube := min((11*pods+255)*mib, memory/4)
	return *resource.NewQuantity(kube+200*mib, resource.BinarySI)
}

// allocatable is capacity less what is reserved, never below zero.
func allocatable(capacity, reserved corev1.ResourceList) corev1.ResourceList {
	out := corev1.ResourceList{}
	for name, c := range capacity {
		left := c.DeepCopy()
		if r, ok := reserved[name]; ok {
			left.Sub(r)
			if left.Sign() < 0 {
				left = *resource.NewQuantity(0, c.Format)
			}
		}
		out[name] = left
	}
	return out
}
