package grpcserver

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// requestsOf returns what a pod asks for, as the scheduler counts it: its containers
// and sidecars together, or an init container beside the sidecars started before it
// where that is more; the pod's own figures in place of its containers'; and the
// overhead on top.
func requestsOf(spec corev1.PodSpec) corev1.ResourceList {
	running, starting, sidecars := corev1.ResourceList{}, corev1.ResourceList{}, corev1.ResourceList{}
	for _, c := range spec.InitContainers {
		if always := c.RestartPolicy; always != nil && *always == corev1.ContainerRestartPolicyAlways {
			addTo(running, c.Resources.Requests)
			addTo(sidecars, c.Resources.Requests)
			continue
		}
		moment := maps.Clone(sidecars)
		addTo(moment, c.Resources.Requests)
		raiseTo(starting, moment)
	}
	for _, c := range spec.Containers {
		addTo(running, c.Resources.Requests)
	}
	raiseTo(running, starting)
	if spec.Resources != nil {
		maps.Copy(running, spec.Resources.Requests)
	}
	addTo(running, spec.Overhead)
	return running
}

func addTo(sum, more corev1.ResourceList) {
	for name, q := range more {
		// Add changes the number that it is called on: never a caller's.
		total := resource.Quantity{}
		total.Add(sum[name])
		total.Add(q)
		sum[name] = total
	}
}

func raiseTo(list, floor corev1.ResourceList) {
	for name, q := range floor {
		if there := list[name]; there.Cmp(q) < 0 {
			list[name] = q
		}
	}
}
