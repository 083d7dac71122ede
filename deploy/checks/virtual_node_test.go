package checks

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"

	"github.com/buildpool/buildpool/deploy/checks/internal/manifest"
)

// virtualNodes are those of the examples, with the labels that their README gives them.
var virtualNodes = map[string]nodeGroup{
	"ack": {Labels: map[string]string{"type": "virtual-kubelet", classLabel: "virtual"},
		Taints: []corev1.Taint{{Key: "virtual-kubelet.io/provider", Value: "alibabacloud", Effect: corev1.TaintEffectNoSchedule}}},
	"self-managed": {Labels: map[string]string{"type": "virtual-kubelet", classLabel: "virtual", "k8s.aliyun.com/vnode": "true"},
		Taints: []corev1.Taint{{Key: "k8s.aliyun.com/vnode", Value: "true", Effect: corev1.TaintEffectNoSchedule}}},
}

// TestOverflowPods: they run on their class, and on a virtual node once they tolerate
// it, and not before.
func TestOverflowPods(t *testing.T) {
	for _, system := range []string{"jenkins", "gitlab", "tekton"} {
		objects, err := manifest.Read(filepath.Join("..", "examples", "virtual-node", "pods", system+".yaml"))
		require.NoError(t, err)
		pod, ok, err := objects[0].Pod()
		require.NoError(t, err)
		require.True(t, ok)
		assert.Equal(t, "true", pod.Labels["buildpool.io/overflow"], system)
		checkSize(t, pod.Spec, false)
		assert.Empty(t, forbiddenBy(t, api.LevelBaseline, pod), system)
		for _, g := range exampleGroups(t) {
			assert.Equal(t, g.Class == "spot", g.takes(pod.Spec), "%s on %s", system, g.Name)
		}
		for kind, node := range virtualNodes {
			assert.False(t, node.takes(pod.Spec), "%s on %s from birth", system, kind)
			moved := pod.Spec
			moved.Tolerations = append([]corev1.Toleration{{Key: node.Taints[0].Key, Operator: corev1.TolerationOpExists}}, pod.Spec.Tolerations...)
			assert.True(t, node.takes(moved), "%s on %s", system, kind)
		}
	}
}

// TestOverflowFiles: the program takes the examples' node-group files.
func TestOverflowFiles(t *testing.T) {
	for kind := range virtualNodes {
		output, err := buildpool(t, "validate", filepath.Join("..", "examples", "virtual-node", "nodegroups-"+kind+".yaml"))
		require.NoError(t, err, output)
	}
}
