package controller_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/overflow/controller"
)

func aNode(name string, labels map[string]string, taints ...string) corev1.Node {
	n := corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}}
	for _, key := range taints {
		n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: key, Effect: corev1.TaintEffectNoSchedule})
	}
	return n
}

func TestCheck(t *testing.T) {
	const taint = "virtual-kubelet.io/provider"
	good := aNode("virtual", map[string]string{"type": "virtual-kubelet"}, taint)
	build := func(change func(*corev1.Pod)) []corev1.Pod {
		w := newTown(t)
		pod := w.build("build", "normal", 0)
		w.bind("build", "node") // it runs: its like will wait again
		if change != nil {
			change(pod)
		}
		return []corev1.Pod{*pod}
	}
	delay := "overflow.classes[0].scaleUpDelay: pod ci/build without the annotation " + controller.AnnotationScaleUpDelay + ": until it is added, cluster-autoscaler may add a node"
	for name, test := range map[string]struct {
		selector string
		nodes    []corev1.Node
		pods     []corev1.Pod
		want     []string
	}{
		"all is well":       {"", []corev1.Node{good}, build(func(p *corev1.Pod) { p.Annotations = map[string]string{controller.AnnotationScaleUpDelay: "40s"} }), nil},
		"no annotation":     {"", []corev1.Node{good}, build(nil), []string{delay}},
		"others' pods":      {"", []corev1.Node{good}, build(func(p *corev1.Pod) { p.Labels, p.Spec.HostNetwork = nil, true }), nil},
		"has moved":         {"", []corev1.Node{good}, build(func(p *corev1.Pod) { p.Spec.NodeName, p.Spec.HostNetwork = "virtual", true }), nil},
		"no virtual node":   {"", []corev1.Node{aNode("vk", nil, "k8s.aliyun.com/vnode")}, nil, []string{"overflow.classes[0].virtualNode.selector: no node has the labels type=virtual-kubelet"}},
		"without its label": {"vk=yes", []corev1.Node{aNode("vk", map[string]string{"vk": "yes"}, taint)}, nil, []string{"overflow.classes[0].virtualNode: the virtual node vk has no label type=virtual-kubelet: cluster-autoscaler counts its cores and memory against the cluster's limits, and may add no node at all"}},
		"another taint":     {"", []corev1.Node{aNode("vk", map[string]string{"type": "virtual-kubelet"}, "k8s.aliyun.com/vnode")}, nil, []string{"overflow.classes[0].virtualNode.taintKey: the virtual node vk has no taint virtual-kubelet.io/provider, so that tolerating that changes nothing"}},
		"a node selector": {"", []corev1.Node{good}, build(func(p *corev1.Pod) {
			p.Spec.NodeSelector = map[string]string{"workload_type": "spot"}
			p.Annotations = map[string]string{controller.AnnotationScaleUpDelay: "40s"}
		}), []string{"overflow.classes[0].podSelector: pod ci/build may not move: its nodeSelector or required node affinity does not match the virtual node: use nodeAffinity with operator In and the virtual node's value beside the class's"}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, err := config.Parse("ci.yaml", []byte(ciFile))
			require.NoError(t, err)
			o := cfg.Overflow
			o.Classes = o.Classes[1:]
			if test.selector != "" {
				o.Classes[0].VirtualNode.Selector = test.selector
			}
			findings, err := controller.Check(o, test.nodes, test.pods)
			require.NoError(t, err)
			var got []string
			for _, f := range findings {
				got = append(got, f.Field+": "+f.Message)
				assert.NotEmpty(t, f.Fix)
			}
			assert.Equal(t, test.want, got)
		})
	}
}
