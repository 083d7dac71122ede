package nodegroups

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// Labels that Alibaba's cloud-controller-manager gives a node, beside Kubernetes'
// own well-known ones.
const (
	labelChargeType   = "node.alibabacloud.com/instance-charge-type"
	labelSpotStrategy = "node.alibabacloud.com/spot-strategy"
)

// payAsYouGo is the charge type of every instance a scaling group creates.
const payAsYouGo = "PostPaid"

// TemplateFor makes the node that a group with these launch settings and instance types
// would add, for those who have no account to ask. ErrNoTemplate: the settings name no
// type, or types that one node cannot stand for.
func TemplateFor(cfg config.Group, region string, launch cloudprovider.Launch, types []cloudprovider.InstanceType) (cloudprovider.NodeTemplate, error) {
	return nodeTemplate(cfg, region, launch, types)
}

// nodeTemplate makes the node a group would add. Where a group may add different
// types, no resource is promised that one of them lacks: a template that promises
// more than the node brings makes CA add nodes without end.
func nodeTemplate(cfg config.Group, region string, launch cloudprovider.Launch, types []cloudprovider.InstanceType) (cloudprovider.NodeTemplate, error) {
	if len(types) == 0 {
		return cloudprovider.NodeTemplate{}, fmt.Errorf("%s names no instance type: %w", launch.Source, cloudprovider.ErrNoTemplate)
	}
	smallest := slices.MinFunc(types, smaller)
	capacity := capacityOf(cfg.Template, launch, smallest)
	left := allocatable(capacity, reservedOf(cfg.Template.Reserved, capacity))
	for _, t := range types {
		if t.Arch != smallest.Arch {
			return cloudprovider.NodeTemplate{}, fmt.Errorf("%s mixes %s and %s types, and a node can only be one: %w",
				launch.Source, smallest.Arch, t.Arch, cloudprovider.ErrNoTemplate)
		}
		c := capacityOf(cfg.Template, launch, t)
		lowerTo(left, allocatable(c, reservedOf(cfg.Template.Reserved, c)))
		lowerTo(capacity, c)
	}
	return cloudprovider.NodeTemplate{
		Labels:      templateLabels(cfg, region, launch, smallest),
		Taints:      templateTaints(cfg.Taints),
		Capacity:    capacity,
		Allocatable: left,
	}, nil
}

// smaller orders types by what CA packs by.
func smaller(a, b cloudprovider.InstanceType) int {
	return cmp.Or(cmp.Compare(a.CPUs, b.CPUs), cmp.Compare(a.MemoryGiB, b.MemoryGiB), cmp.Compare(a.Name, b.Name))
}

func templateLabels(cfg config.Group, region string, launch cloudprovider.Launch, t cloudprovider.InstanceType) map[string]string {
	labels := map[string]string{
		corev1.LabelOSStable:           "linux",
		corev1.LabelArchStable:         t.Arch,
		corev1.LabelInstanceTypeStable: t.Name,
		corev1.LabelTopologyRegion:     region,
		cloudprovider.LabelClass:       string(cfg.Class),
		labelChargeType:                payAsYouGo,
		labelSpotStrategy:              cmp.Or(launch.SpotStrategy, cloudprovider.NoSpot),
	}
	if len(launch.Zones) > 0 {
		// A node has one zone. ESS tries the vSwitches in order, so the first is the
		// likeliest.
		labels[corev1.LabelTopologyZone] = launch.Zones[0]
	}
	if cfg.Class == config.ClassGPU && cfg.Template.GPU != nil {
		labels[cloudprovider.LabelGPU] = cfg.Template.GPU.Type
	}
	maps.Copy(labels, cfg.Labels)
	return labels
}

func templateTaints(taints []config.Taint) []corev1.Taint {
	out := make([]corev1.Taint, 0, len(taints))
	for _, t := range taints {
		out = append(out, corev1.Taint{Key: t.Key, Value: t.Value, Effect: t.Effect})
	}
	return out
}

const gib = 1 << 30

// defaultMemoryOverhead is the share of an instance type's memory, in percent, that
// the machine's firmware and kernel keep. An assumption: it has to err on the side
// of promising too little.
const defaultMemoryOverhead = 5

// defaultMaxPods is kubelet's own default.
const defaultMaxPods = 110

// capacityOf returns what a node of the type shows as its capacity.
func capacityOf(t config.Template, launch cloudprovider.Launch, it cloudprovider.InstanceType) corev1.ResourceList {
	overhead := defaultMemoryOverhead
	if t.MemoryOverheadPercent != nil {
		overhead = *t.MemoryOverheadPercent
	}
	// Whole KiB, as a kernel counts.
	memory := int64(it.MemoryGiB*gib) * int64(100-overhead) / 100 / 1024 * 1024
	capacity := corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewQuantity(int64(it.CPUs), resource.DecimalSI),
		corev1.ResourceMemory: *resource.NewQuantity(memory, resource.BinarySI),
		corev1.ResourcePods:   *resource.NewQuantity(int64(maxPods(t, it)), resource.DecimalSI),
	}
	switch {
	case t.EphemeralStorage != nil:
		capacity[corev1.ResourceEphemeralStorage] = t.EphemeralStorage.DeepCopy()
	case launch.SystemDiskGiB > 0:
		capacity[corev1.ResourceEphemeralStorage] = *resource.NewQuantity(int64(launch.SystemDiskGiB)*gib, resource.BinarySI)
	}
	if gpus := gpuCount(t, it); gpus > 0 {
		capacity[cloudprovider.GPUResource] = *resource.NewQuantity(int64(gpus), resource.DecimalSI)
	}
	return capacity
}

// maxPods is set, or bounded by the addresses of the type's network interfaces
// (Terway: one interface is the node's own, and three pods use the host's network),
// or kubelet's default.
func maxPods(t config.Template, it cloudprovider.InstanceType) int {
	switch {
	case t.MaxPods > 0:
		return t.MaxPods
	case t.PodNetwork == config.PodNetworkTerway && it.ENIs > 1:
		return (it.ENIs-1)*it.IPsPerENI + 3
	}
	return defaultMaxPods
}

func gpuCount(t config.Template, it cloudprovider.InstanceType) int {
	if t.GPU != nil && t.GPU.Count > 0 {
		return t.GPU.Count
	}
	return it.GPUs
}

// lowerTo makes every quantity of the list at most that of the other.
func lowerTo(list, other corev1.ResourceList) {
	for name, q := range list {
		o, ok := other[name]
		if !ok {
			delete(list, name)
		} else if o.Cmp(q) < 0 {
			list[name] = o
		}
	}
}
