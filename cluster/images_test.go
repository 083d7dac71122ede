package cluster

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func second(n int) metav1.Time { return metav1.Unix(int64(n), 0) }

func runsSince(n int) corev1.ContainerStatus {
	return corev1.ContainerStatus{State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: second(n)}}}
}

func ran(from, until int) corev1.ContainerStatus {
	return corev1.ContainerStatus{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{StartedAt: second(from), FinishedAt: second(until)}}}
}

func sandboxAt(n int) []corev1.PodCondition {
	return []corev1.PodCondition{{Type: corev1.PodReadyToStartContainers, Status: corev1.ConditionTrue, LastTransitionTime: second(n)}}
}

func TestHowLongImagesTook(t *testing.T) {
	again := runsSince(300)
	again.RestartCount = 1
	for name, c := range map[string]struct {
		status corev1.PodStatus
		want   time.Duration
		known  bool
	}{
		"one container":            {corev1.PodStatus{Conditions: sandboxAt(100), ContainerStatuses: []corev1.ContainerStatus{runsSince(120)}}, 20 * time.Second, true},
		"two, one after the other": {corev1.PodStatus{Conditions: sandboxAt(100), ContainerStatuses: []corev1.ContainerStatus{runsSince(120), runsSince(125)}}, 25 * time.Second, true},
		"the work of an init container is none of it": {corev1.PodStatus{Conditions: sandboxAt(100),
			InitContainerStatuses: []corev1.ContainerStatus{ran(110, 170)}, ContainerStatuses: []corev1.ContainerStatus{runsSince(172)}}, 12 * time.Second, true},
		"a sidecar before the others": {corev1.PodStatus{Conditions: sandboxAt(100),
			InitContainerStatuses: []corev1.ContainerStatus{runsSince(110)}, ContainerStatuses: []corev1.ContainerStatus{runsSince(113)}}, 13 * time.Second, true},
		"clocks that differ":                        {corev1.PodStatus{Conditions: sandboxAt(100), ContainerStatuses: []corev1.ContainerStatus{runsSince(98), runsSince(101)}}, time.Second, true},
		"a kubelet that does not tell of sandboxes": {corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{runsSince(120)}}, 0, false},
		"one was started again":                     {corev1.PodStatus{Conditions: sandboxAt(100), ContainerStatuses: []corev1.ContainerStatus{again}}, 0, false},
		"one waits still":                           {corev1.PodStatus{Conditions: sandboxAt(100), ContainerStatuses: []corev1.ContainerStatus{runsSince(120), {}}}, 0, false},
		"nothing is told of containers":             {corev1.PodStatus{Conditions: sandboxAt(100)}, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			c.status.Phase = corev1.PodRunning
			took, known := imagesOf(c.status)
			assert.Equal(t, c.known, known)
			assert.Equal(t, c.want, took)
			c.status.Phase = corev1.PodPending
			_, known = imagesOf(c.status)
			assert.False(t, known, "before it runs")
		})
	}
}
