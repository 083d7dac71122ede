package cluster

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// imagesOf adds up how long the containers of a pod that runs had waited for their
// images: a kubelet pulls one when its container's turn has come, and starts the
// container when it is there. A turn comes when the pod's sandbox is ready (which
// kubelets tell since Kubernetes 1.29), and for each container when the one before it is
// done or, if they run side by side, has been started.
//
// It is not known before all have been started, and when one was started again.
func imagesOf(s corev1.PodStatus) (took time.Duration, known bool) {
	turn := sandboxReady(s)
	if s.Phase != corev1.PodRunning || turn.IsZero() || len(s.ContainerStatuses) == 0 {
		return 0, false
	}
	for _, list := range [][]corev1.ContainerStatus{s.InitContainerStatuses, s.ContainerStatuses} {
		for _, c := range list {
			var began, next time.Time
			switch {
			case c.RestartCount > 0:
			case c.State.Running != nil:
				began, next = c.State.Running.StartedAt.Time, c.State.Running.StartedAt.Time
			case c.State.Terminated != nil:
				began, next = c.State.Terminated.StartedAt.Time, c.State.Terminated.FinishedAt.Time
			}
			if began.IsZero() {
				return 0, false
			}
			took += max(0, began.Sub(turn))
			turn = later(turn, next)
		}
	}
	return took, true
}

// sandboxReady is when the pod's containers could begin to be started; zero: not told.
func sandboxReady(s corev1.PodStatus) time.Time {
	for _, c := range s.Conditions {
		if c.Type == corev1.PodReadyToStartContainers && c.Status == corev1.ConditionTrue {
			return c.LastTransitionTime.Time
		}
	}
	return time.Time{}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
