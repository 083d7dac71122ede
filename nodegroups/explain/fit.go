package explain

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	helpers "k8s.io/component-helpers/resource"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"
)

// offer is a node, or what would be one.
type offer struct {
	labels map[string]string
	taints []corev1.Taint
	free   corev1.ResourceList
}

// misfit returns what keeps the pod off the node, by the rules of the scheduler: node
// selector, required node affinity, taints, requests, and where its volumes can be used.
// Empty: nothing of these.
func (f Facts) misfit(pod *corev1.Pod, on offer) []Obstacle {
	return append(unfit(pod, on), f.tied(pod, on.labels)...)
}

// unfit is the same without volumes: what the pod says itself.
func unfit(pod *corev1.Pod, on offer) []Obstacle {
	var out []Obstacle
	add := func(c Cause, format string, args ...any) {
		out = append(out, Obstacle{c, fmt.Sprintf(format, args...)})
	}
	selected := true
	for _, key := range slices.Sorted(maps.Keys(pod.Spec.NodeSelector)) {
		want := pod.Spec.NodeSelector[key]
		has, there := on.labels[key]
		switch {
		case !there:
			add(Label, "the pod asks for nodes with %s=%s, and these have no label %s", key, want, key)
			selected = false
		case has != want:
			add(Label, "the pod asks for nodes with %s=%s, and these have %s=%s", key, want, key, has)
			selected = false
		}
	}
	if selected {
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "new", Labels: on.labels}}
		if ok, err := nodeaffinity.GetRequiredNodeAffinity(pod).Match(node); err != nil {
			add(Label, "the pod's required node affinity cannot be read: %v", err)
		} else if !ok {
			add(Label, "the pod's required node affinity (%s) does not match their labels", selectorText(pod.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution))
		}
	}
	for _, taint := range on.taints {
		if taint.Effect != corev1.TaintEffectPreferNoSchedule && !tolerated(pod, taint) {
			add(Taint, "they are tainted %s, which the pod does not tolerate", taint.ToString())
		}
	}
	asks := requests(pod)
	for _, name := range slices.Sorted(maps.Keys(asks)) {
		ask, free := asks[name], on.free[name]
		switch {
		case ask.IsZero() || ask.Cmp(free) <= 0:
		case free.IsZero():
			add(Request, "the pod asks for %s of %s, and they have none", ask.String(), name)
		default:
			add(Request, "the pod asks for %s of %s, and they have %s for pods", ask.String(), name, free.String())
		}
	}
	return out
}

func tolerated(pod *corev1.Pod, taint corev1.Taint) bool {
	return slices.ContainsFunc(pod.Spec.Tolerations, func(t corev1.Toleration) bool {
		return t.ToleratesTaint(klog.Background(), &taint, false)
	})
}

// requests are what the pod asks of a node, its own place among the pods included.
func requests(pod *corev1.Pod) corev1.ResourceList {
	asks := helpers.PodRequests(pod, helpers.PodResourcesOptions{})
	asks[corev1.ResourcePods] = *resource.NewQuantity(1, resource.DecimalSI)
	return asks
}

// selectorText is a node selector as a person would write it.
func selectorText(selector *corev1.NodeSelector) string {
	var terms []string
	for _, term := range selector.NodeSelectorTerms {
		var parts []string
		for _, e := range slices.Concat(term.MatchExpressions, term.MatchFields) {
			parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Key, e.Operator, strings.Join(e.Values, ","))))
		}
		terms = append(terms, strings.Join(parts, " and "))
	}
	return strings.Join(terms, "; or ")
}

// free is what a node has left for pods beside those that are bound to it.
func free(node corev1.Node, pods []corev1.Pod) corev1.ResourceList {
	left := corev1.ResourceList{}
	for name, q := range node.Status.Allocatable {
		left[name] = q.DeepCopy()
	}
	for i := range pods {
		if pods[i].Spec.NodeName != node.Name || ended(&pods[i]) {
			continue
		}
		for name, q := range requests(&pods[i]) {
			rest := left[name]
			rest.Sub(q)
			left[name] = rest
		}
	}
	return left
}

func ended(pod *corev1.Pod) bool {
	return pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed
}

func ready(node corev1.Node) bool {
	return slices.ContainsFunc(node.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}

// readySince is when the node became what it is; zero if it does not say.
func readySince(node corev1.Node) time.Time {
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.LastTransitionTime.Time
		}
	}
	return time.Time{}
}
