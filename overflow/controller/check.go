package controller

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/overflow"
)

// The label by which cluster-autoscaler knows a virtual node.
const (
	labelVirtual = "type"
	valueVirtual = "virtual-kubelet"
)

// Check holds a file's section against a cluster: whether its virtual nodes are there
// and what cluster-autoscaler takes for such, and whether the pods that opt in could
// move. Findings are in the order of the classes.
func Check(o config.Overflow, nodes []corev1.Node, pods []corev1.Pod) ([]config.Finding, error) {
	rules, err := RulesOf(o)
	if err != nil {
		return nil, err
	}
	var findings []config.Finding
	for n, class := range rules.Classes {
		k := &check{rules: rules, class: class, at: fmt.Sprintf("overflow.classes[%d]", n), delayed: o.Classes[n].ScaleUpDelay != nil}
		virtual := k.virtualNodes(nodes, o.Classes[n].VirtualNode)
		for i := range pods {
			if rules.classOf(&pods[i]) == n {
				k.pod(&pods[i], virtual)
			}
		}
		k.sumUp()
		findings = append(findings, k.findings...)
	}
	return findings, nil
}

// check is the check of one class.
type check struct {
	rules    Rules
	class    Class
	at       string
	delayed  bool
	findings []config.Finding
	// refused are the pods that could not move, by reason; undelayed those without the
	// annotation.
	refused   map[overflow.Reason][]string
	undelayed []string
}

func (k *check) add(severity config.Severity, key, fix, format string, args ...any) {
	k.findings = append(k.findings, config.Finding{Severity: severity, Field: k.at + key, Message: fmt.Sprintf(format, args...), Fix: fix})
}

// virtualNodes looks at the nodes that the class takes for virtual ones.
func (k *check) virtualNodes(nodes []corev1.Node, of config.VirtualNode) []*corev1.Node {
	var out []*corev1.Node
	for i := range nodes {
		n := &nodes[i]
		if !k.class.VirtualNodes.Matches(labels.Set(n.Labels)) {
			continue
		}
		out = append(out, n)
		if n.Labels[labelVirtual] != valueVirtual {
			k.add(config.SeverityError, ".virtualNode", fmt.Sprintf("kubectl label node %s %s=%s", n.Name, labelVirtual, valueVirtual),
				"the virtual node %s has no label %s=%s: cluster-autoscaler counts its cores and memory against the cluster's limits, and may add no node at all", n.Name, labelVirtual, valueVirtual)
		}
		if !repelledBy(n, of.TaintKey) {
			k.add(config.SeverityError, ".virtualNode.taintKey", "write the key of the taint that keeps other pods off"+theTaintsOf(n),
				"the virtual node %s has no taint %s, so that tolerating that changes nothing", n.Name, of.TaintKey)
		}
	}
	if len(out) == 0 {
		k.add(config.SeverityError, ".virtualNode.selector", "install the virtual node, or write labels that it has"+lookalike(nodes),
			"no node has the labels %s", of.Selector)
	}
	return out
}

func repelledBy(n *corev1.Node, key string) bool {
	return slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool {
		return t.Key == key && t.Effect != corev1.TaintEffectPreferNoSchedule
	})
}

func theTaintsOf(n *corev1.Node) string {
	var keys []string
	for _, t := range n.Spec.Taints {
		keys = append(keys, t.Key)
	}
	if len(keys) == 0 {
		return "; it has none"
	}
	return "; it has " + strings.Join(keys, ", ")
}

// lookalike names a node that is likely meant.
func lookalike(nodes []corev1.Node) string {
	for i := range nodes {
		for _, key := range []string{"virtual-kubelet.io/provider", "k8s.aliyun.com/vnode"} {
			if repelledBy(&nodes[i], key) {
				return fmt.Sprintf("; %s looks like one", nodes[i].Name)
			}
		}
	}
	return ""
}

// pod notes what would keep the pod, also one that runs, from moving. Those that run on
// a virtual node have moved.
func (k *check) pod(pod *corev1.Pod, virtual []*corev1.Node) {
	if slices.ContainsFunc(virtual, func(n *corev1.Node) bool { return n.Name == pod.Spec.NodeName }) {
		return
	}
	name := pod.Namespace + "/" + pod.Name
	if _, has := pod.Annotations[AnnotationScaleUpDelay]; k.delayed && !has {
		k.undelayed = append(k.undelayed, name)
	}
	waiting := pod.DeepCopy()
	waiting.Spec.NodeName, waiting.Status.Phase = "", corev1.PodPending
	for n, node := range virtual {
		why := k.class.Policy.Eligible(waiting, node)
		if why == "" || why == overflow.Tolerates {
			return
		}
		if n == len(virtual)-1 && !passing[why] {
			if k.refused == nil {
				k.refused = map[overflow.Reason][]string{}
			}
			k.refused[why] = append(k.refused[why], name)
		}
	}
}

// sumUp tells of the pods, one finding a reason.
func (k *check) sumUp() {
	for _, why := range slices.Sorted(maps.Keys(k.refused)) {
		names := k.refused[why]
		k.add(config.SeverityWarning, ".podSelector", "mend the pods, or narrow the selector",
			"%s may not move: %s", theNames(names), why)
	}
	if len(k.undelayed) > 0 {
		k.add(config.SeverityWarning, ".scaleUpDelay", fmt.Sprintf("write it into the pods: %s: %q", AnnotationScaleUpDelay, k.class.ScaleUpDelay),
			"%s without the annotation %s: until it is added, cluster-autoscaler may add a node", theNames(k.undelayed), AnnotationScaleUpDelay)
	}
}

func theNames(names []string) string {
	slices.Sort(names)
	if len(names) == 1 {
		return "pod " + names[0]
	}
	return fmt.Sprintf("%d pods such as %s", len(names), names[0])
}
