package engine

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/buildpool/buildpool/cloudprovider"
)

// growth is so many nodes more for a group.
type growth struct {
	group, nodes int
}

// balance shares a scale-up among the group and those that are like it, the smallest
// first, and keeps each at its max (CA processors/nodegroupset/balancing_processor.go
// BalanceScaleUpBetweenGroups).
func (s *autoscaler) balance(o *option, nodes int) []growth {
	w := s.world
	members := []int{o.group}
	for _, g := range w.groups[o.group].similar {
		if s.mayGrow(g) && s.takesTheSame(o.group, g) {
			members = append(members, g)
		}
	}
	grown := make([]growth, len(members))
	for i, g := range members {
		grown[i].group = g
	}
	for ; nodes > 0; nodes-- {
		smallest := -1
		for i, g := range members {
			if size := w.groups[g].target + grown[i].nodes; size < w.max(g) &&
				(smallest < 0 || size < w.groups[members[smallest]].target+grown[smallest].nodes) {
				smallest = i
			}
		}
		if smallest < 0 {
			break
		}
		grown[smallest].nodes++
	}
	return slices.DeleteFunc(grown, func(g growth) bool { return g.nodes == 0 })
}

// takesTheSame reports whether the other group's nodes would do for every waiting build
// that the group's nodes would do for (matchingSchedulablePodGroups).
func (s *autoscaler) takesTheSame(group, other int) bool {
	for d, n := range s.need {
		if fits := s.world.demands[d].fits; n > 0 && fits[group] && !fits[other] {
			return false
		}
	}
	return true
}

// similarTo returns the groups whose nodes are like the group's, by their templates
// (CA processors/nodegroupset/compare_nodegroups.go IsCloudProviderNodeInfoSimilar).
func similarTo(s *Settings, g int) []int {
	var similar []int
	for other := range s.Groups {
		if other != g && alike(s.Groups[g].Template, s.Groups[other].Template, s.Autoscaler.BalancingIgnoreLabels) {
			similar = append(similar, other)
		}
	}
	return similar
}

// basicIgnored are the labels that two nodes of one kind may differ in.
var basicIgnored = []string{
	corev1.LabelHostname, corev1.LabelTopologyZone, corev1.LabelTopologyRegion,
	corev1.LabelFailureDomainBetaZone, corev1.LabelFailureDomainBetaRegion,
}

const (
	memoryRatio = 0.015 // DefaultMaxCapacityMemoryDifferenceRatio
	otherRatio  = 0.05  // DefaultMaxAllocatableDifferenceRatio, and of what is free
)

func alike(a, b cloudprovider.NodeTemplate, ignored []string) bool {
	if len(a.Capacity) != len(b.Capacity) || len(a.Allocatable) != len(b.Allocatable) {
		return false
	}
	for name, q := range a.Capacity {
		other, ok := b.Capacity[name]
		if !ok || name == corev1.ResourceMemory && !within(q, other, memoryRatio) || name != corev1.ResourceMemory && q.Cmp(other) != 0 {
			return false
		}
	}
	for name, q := range a.Allocatable {
		if other, ok := b.Allocatable[name]; !ok || !within(q, other, otherRatio) {
			return false
		}
	}
	return labelsAlike(a.Labels, b.Labels, ignored) && labelsAlike(b.Labels, a.Labels, ignored)
}

func within(a, b resource.Quantity, ratio float64) bool {
	x, y := float64(a.MilliValue()), float64(b.MilliValue())
	return max(x, y)-min(x, y) <= max(x, y)*ratio
}

func labelsAlike(a, b map[string]string, ignored []string) bool {
	for k, v := range a {
		if slices.Contains(basicIgnored, k) || slices.Contains(ignored, k) {
			continue
		}
		if other, ok := b[k]; !ok || other != v {
			return false
		}
	}
	return true
}
