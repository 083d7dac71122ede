package e2e

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
	"github.com/buildpool/buildpool/e2e/internal/objects"
)

const (
	// headroomNamespace and headroomPriority are the configuration's defaults.
	headroomNamespace = "buildpool"
	headroomPriority  = "buildpool-headroom"
	headroomLabel     = "buildpool.io/headroom"
)

// TestHeadroom: a node stands by with room for one build though none waits. The build
// that comes takes the room at once, on that node, and CA makes room for the next. When
// headroom is over, everything goes.
func TestHeadroom(t *testing.T) {
	w := newWorld()
	w.Serve = []string{"--kubeconfig", shared.controlPlane.Kubeconfig}
	w.SpotFloor = `headroom: {slots: 1, slot: {cpu: "6", memory: 10Gi}}`
	s := newScenario(t, w)
	s.prepareHeadroom()
	s.startAutoscaler(autoscaler.Flags{"scale-down-unneeded-time": "3s", "scale-down-delay-after-add": "2s"})
	s.eventually(60*time.Second, "a node with room", func(ctx context.Context) error {
		return errors.Join(s.expectSize(ctx, spot, 1), s.expectRoom(ctx, 1))
	})
	standby := s.nodeNames(spot)[0]
	s.holds(8*time.Second, "the room, though no build waits", func(ctx context.Context) error {
		return errors.Join(s.expectSize(ctx, spot, 1), s.expectRoom(ctx, 1))
	})

	s.create(buildPod("build", spot, spot.whole))
	assert.Equal(t, standby, s.runningOn(10*time.Second, "build"), "it takes the place of what kept it")
	s.eventually(60*time.Second, "room for the next", func(ctx context.Context) error {
		return errors.Join(s.expectSize(ctx, spot, 2), s.expectRoom(ctx, 1), s.expectRunning(ctx, spot, 1))
	})

	s.finish("build")
	s.eventually(60*time.Second, "one node to go", func(ctx context.Context) error {
		return errors.Join(s.expectSize(ctx, spot, 1), s.expectRoom(ctx, 1))
	})
	require.NoError(t, s.cluster.Client.AppsV1().Deployments(headroomNamespace).Delete(s.ctx, "headroom-builds-spot", metav1.DeleteOptions{}))
	s.eventually(60*time.Second, "the other to go", func(ctx context.Context) error { return s.expectSize(ctx, spot, 0) })
	s.expectNoTrouble()
}

// TestHeadroomByCapacityBuffer: where the cluster knows CapacityBuffers, CA keeps the
// room by one, and no pod is there for it.
func TestHeadroomByCapacityBuffer(t *testing.T) {
	w := newWorld()
	w.Serve = []string{"--kubeconfig", shared.controlPlane.Kubeconfig}
	w.SpotFloor = `headroom: {slots: 1, slot: {cpu: "6", memory: 10Gi}}`
	s := newBareScenario(t)
	s.prepareHeadroom()
	s.defineCapacityBuffers()
	s.startSimulator(w)
	s.startProvider(w)
	s.startAutoscaler(autoscaler.Flags{
		"capacity-buffer-controller-enabled": "true", "capacity-buffer-pod-injection-enabled": "true",
		"scale-down-unneeded-time": "3s", "scale-down-delay-after-add": "2s",
	})
	s.eventually(60*time.Second, "a node with room", func(ctx context.Context) error {
		return errors.Join(s.expectSize(ctx, spot, 1), s.expectRoom(ctx, 0))
	})
	standby := s.nodeNames(spot)[0]
	s.holds(8*time.Second, "the room, though no build waits", func(ctx context.Context) error { return s.expectSize(ctx, spot, 1) })

	s.create(buildPod("build", spot, spot.whole))
	assert.Equal(t, standby, s.runningOn(10*time.Second, "build"))
	s.eventually(60*time.Second, "room for the next", func(ctx context.Context) error {
		return errors.Join(s.expectSize(ctx, spot, 2), s.expectRunning(ctx, spot, 1))
	})
	s.finish("build")
	s.eventually(60*time.Second, "one node to go", func(ctx context.Context) error { return s.expectSize(ctx, spot, 1) })
	s.expectNoTrouble()
}

// prepareHeadroom makes what the chart makes for headroom.
func (s *scenario) prepareHeadroom() {
	s.t.Helper()
	client := s.cluster.Client
	never := corev1.PreemptNever
	_, err := client.SchedulingV1().PriorityClasses().Create(s.ctx, &schedulingv1.PriorityClass{
		ObjectMeta: metav1.ObjectMeta{Name: headroomPriority}, Value: -5, PreemptionPolicy: &never,
	}, metav1.CreateOptions{})
	require.NoError(s.t, ignoreExists(err))
	_, err = client.CoreV1().Namespaces().Create(s.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: headroomNamespace}}, metav1.CreateOptions{})
	require.NoError(s.t, ignoreExists(err))
	s.t.Cleanup(func() {
		ctx := context.WithoutCancel(s.ctx)
		err := client.AppsV1().Deployments(headroomNamespace).DeleteCollection(ctx, metav1.DeleteOptions{}, metav1.ListOptions{LabelSelector: headroomLabel})
		assert.NoError(s.t, err)
	})
}

// defineCapacityBuffers makes the cluster know CA's own kind, by the definition in the
// Go module that the CA under test is built with.
func (s *scenario) defineCapacityBuffers() {
	s.t.Helper()
	const apis = "k8s.io/autoscaler/cluster-autoscaler/apis/capacitybuffer/autoscaling.x-k8s.io/v1beta1"
	dir, err := exec.CommandContext(s.ctx, "go", "-C", "controlplane", "list", "-f", "{{.Module.Dir}}", apis).Output()
	require.NoError(s.t, err)
	definitions, err := objects.Read(filepath.Join(strings.TrimSpace(string(dir)), "config", "crd", "autoscaling.x-k8s.io_capacitybuffers.yaml"))
	require.NoError(s.t, err)
	s.apply(definitions...)
}

func ignoreExists(err error) error {
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// expectRoom checks that so many pods keep room, and that they have it.
func (s *scenario) expectRoom(ctx context.Context, want int) error {
	pods, err := s.cluster.Client.CoreV1().Pods(headroomNamespace).List(ctx, metav1.ListOptions{LabelSelector: headroomLabel})
	if err != nil {
		return fmt.Errorf("list headroom: %w", err)
	}
	running := 0
	for _, p := range pods.Items {
		if p.Status.Phase == corev1.PodRunning && p.DeletionTimestamp == nil {
			running++
		}
	}
	if running != want || len(pods.Items) != want {
		return fmt.Errorf("%d pods keep room, %d of them have it; want %d", len(pods.Items), running, want)
	}
	return nil
}
