package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
)

// TestJenkinsAgent: one agent pod on empty groups costs exactly one write, for one
// instance of the right scaling group, and runs on the node that joins.
func TestJenkinsAgent(t *testing.T) {
	s := newScenario(t, newWorld())
	s.startAutoscaler(nil)

	s.create(jenkinsAgent())
	node := s.runningOn(60*time.Second, "agent-7f3k9")
	assert.Equal(t, []string{s.instanceOf(node)}, s.instances(spot))

	// CA looks again every second. A second scale-up would come within the next few.
	s.holds(12*time.Second, "one scale-up", func(ctx context.Context) error {
		writes, err := s.simulator.Writes(ctx)
		if err != nil {
			return err
		}
		if len(writes) != 1 {
			return fmt.Errorf("%d writes: %+v", len(writes), writes)
		}
		return s.expectSize(ctx, spot, 1)
	})
	writes := s.increases(spot)
	require.Len(t, writes, 1)
	assert.Equal(t, "ScaleWithAdjustment", writes[0].API)
	assert.Equal(t, []int{1}, s.totals(writes))
	assert.NotEmpty(t, writes[0].Params["ClientToken"], "without it a repeated write could count twice")
	assert.Empty(t, s.instances(normal))
	assert.Empty(t, s.instances(gpu))

	plans, err := s.autoscaler.Plans()
	require.NoError(t, err)
	require.Len(t, plans, 1)
	assert.Contains(t, plans[0], "builds-spot 0->1 (max: 40)")
}

// jenkinsAgent has the shape in which Jenkins' Kubernetes plugin starts agents: a
// bare pod, the build's containers idling beside jnlp, and a workspace that they
// share.
func jenkinsAgent() *corev1.Pod {
	pod := buildPod("agent-7f3k9", spot, nil)
	pod.Labels["jenkins"] = "agent"
	pod.Annotations = map[string]string{"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}
	pod.Spec.Containers = []corev1.Container{
		container("golang", requests("2", "4Gi")),
		container("docker", requests("1", "2Gi")),
		container("jnlp", requests("100m", "256Mi")),
	}
	workspace := corev1.VolumeMount{Name: "workspace-volume", MountPath: "/home/jenkins/agent"}
	for i := range pod.Spec.Containers {
		pod.Spec.Containers[i].VolumeMounts = []corev1.VolumeMount{workspace}
	}
	pod.Spec.Volumes = []corev1.Volume{{
		Name: workspace.Name, VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}},
	}}
	return pod
}
