package overflow

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/resource"

	"github.com/buildpool/buildpool/cloudprovider"
)

// AskOf is what the pod asks of a node.
func AskOf(pod *corev1.Pod) Resources {
	return ResourcesOf(resource.PodRequests(pod, resource.PodResourcesOptions{}), 1)
}

// ResourcesOf are those of the list that count, with room for so many pods.
func ResourcesOf(list corev1.ResourceList, pods int64) Resources {
	gpus := list[cloudprovider.GPUResource]
	return Resources{MilliCPU: list.Cpu().MilliValue(), MemoryBytes: list.Memory().Value(), GPUs: gpus.Value(), Pods: pods}
}

// atLimits is what the pod would ask for if each container asked for its limits, where
// it has any.
func atLimits(pod *corev1.Pod) corev1.ResourceList {
	asking := &corev1.Pod{Spec: corev1.PodSpec{
		InitContainers: atTheirLimits(pod.Spec.InitContainers),
		Containers:     atTheirLimits(pod.Spec.Containers),
	}}
	return resource.PodRequests(asking, resource.PodResourcesOptions{})
}

func atTheirLimits(containers []corev1.Container) []corev1.Container {
	out := slices.Clone(containers)
	for n := range out {
		if r := &out[n].Resources; len(r.Limits) > 0 {
			asked := maps.Clone(r.Requests)
			if asked == nil {
				asked = corev1.ResourceList{}
			}
			maps.Copy(asked, r.Limits)
			r.Requests = asked
		}
	}
	return out
}
