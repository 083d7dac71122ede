package overflow

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
)

// What a container group of ECI can have at most (ECI, "Limits").
const (
	maxContainers = 20
	maxVolumes    = 20
)

var maxCPU = resource.MustParse("64")

// Eligible says whether the pod may move to the virtual node, now or ever; empty: it
// may. It looks at the pod and the node alone, not at what real nodes offer.
func (p Policy) Eligible(pod *corev1.Pod, node *corev1.Node) Reason {
	for _, rule := range []func(*corev1.Pod) Reason{
		waits,
		p.allowed,
		p.owned,
		onNoHost,
		sized,
	} {
		if no := rule(pod); no != "" {
			return no
		}
	}
	return p.reaches(pod, node)
}

func waits(pod *corev1.Pod) Reason {
	switch {
	case pod.Spec.NodeName != "", pod.DeletionTimestamp != nil, pod.Status.Phase != corev1.PodPending && pod.Status.Phase != "":
		return Gone
	case len(pod.Spec.SchedulingGates) > 0:
		return Gated
	}
	return ""
}

// allowed: the pod has opted in, where it may.
func (p Policy) allowed(pod *corev1.Pod) Reason {
	if p.Selector == nil || !p.Selector.Matches(labels.Set(pod.Labels)) {
		return NotSelected
	}
	if !p.Allows(pod.Namespace) {
		return WrongNamespace
	}
	return ""
}

// Allows reports whether pods of the namespace may move.
func (p Policy) Allows(namespace string) bool {
	return len(p.Namespaces) == 0 || slices.Contains(p.Namespaces, namespace)
}

func (p Policy) owned(pod *corev1.Pod) Reason {
	owner := metav1.GetControllerOfNoCopy(pod)
	switch {
	case owner == nil:
		return ""
	case owner.Kind == "DaemonSet":
		return OwnedByDaemonSet
	case (owner.Kind == "ReplicaSet" || owner.Kind == "Deployment") && !p.Deployments:
		return OwnedByDeployment
	}
	return ""
}

// onNoHost: nothing of the pod needs the machine it runs on.
func onNoHost(pod *corev1.Pod) Reason {
	if pod.Spec.HostNetwork {
		return UsesHostNetwork
	}
	for _, v := range pod.Spec.Volumes {
		if v.HostPath != nil {
			return UsesHostPath
		}
	}
	for _, c := range containers(pod) {
		if c.SecurityContext != nil && c.SecurityContext.Privileged != nil && *c.SecurityContext.Privileged {
			return IsPrivileged
		}
		for _, port := range c.Ports {
			if port.HostPort != 0 {
				return UsesHostPort
			}
		}
	}
	return ""
}

func containers(pod *corev1.Pod) []corev1.Container {
	return slices.Concat(pod.Spec.InitContainers, pod.Spec.Containers)
}

func sized(pod *corev1.Pod) Reason {
	if len(pod.Spec.Containers) > maxContainers || len(pod.Spec.InitContainers) > maxContainers {
		return TooManyContainers
	}
	if len(pod.Spec.Volumes) > maxVolumes {
		return TooManyVolumes
	}
	var sum resource.Quantity
	for _, c := range pod.Spec.Containers {
		sum.Add(*c.Resources.Requests.Cpu())
	}
	for _, c := range pod.Spec.InitContainers {
		if c.Resources.Requests.Cpu().Cmp(maxCPU) > 0 {
			return TooLarge
		}
	}
	if sum.Cmp(maxCPU) > 0 {
		return TooLarge
	}
	return ""
}

// reaches: with the toleration alone the scheduler would place the pod on the node. A
// toleration can be added to a pod that exists; its node selector cannot be relaxed.
func (p Policy) reaches(pod *corev1.Pod, node *corev1.Node) Reason {
	if p.Tolerated(pod, node) {
		return Tolerates
	}
	if matches, err := nodeaffinity.GetRequiredNodeAffinity(pod).Match(node); err != nil || !matches {
		return AsksForOtherNode
	}
	for _, t := range node.Spec.Taints {
		if t.Key != p.TaintKey && repels(t) && !tolerated(pod.Spec.Tolerations, t) {
			return RepelledByTaint
		}
	}
	return ""
}

// Tolerated reports whether the pod, whosever it is, tolerates the virtual node's taint
// already.
func (p Policy) Tolerated(pod *corev1.Pod, node *corev1.Node) bool {
	found := false
	for _, t := range node.Spec.Taints {
		if t.Key != p.TaintKey || !repels(t) {
			continue
		}
		found = true
		if !tolerated(pod.Spec.Tolerations, t) {
			return false
		}
	}
	return found
}

func repels(t corev1.Taint) bool { return t.Effect != corev1.TaintEffectPreferNoSchedule }

func tolerated(tolerations []corev1.Toleration, taint corev1.Taint) bool {
	return slices.ContainsFunc(tolerations, func(t corev1.Toleration) bool {
		return (t.Effect == "" || t.Effect == taint.Effect) &&
			(t.Key == taint.Key || t.Key == "" && t.Operator == corev1.TolerationOpExists) &&
			(t.Operator == corev1.TolerationOpExists || t.Value == taint.Value)
	})
}
