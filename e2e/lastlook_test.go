package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
)

// toBeDeleted is the taint by which CA closes a node that it is about to delete.
const toBeDeleted = "ToBeDeletedByClusterAutoscaler"

// TestBuildInTheLastSeconds: CA closes an idle node, waits five seconds, and asks to
// delete it. A build that was bound in between keeps its node and runs to its end; the
// idle node beside it goes.
func TestBuildInTheLastSeconds(t *testing.T) {
	w := newWorld()
	w.Serve = []string{"--kubeconfig", shared.controlPlane.Kubeconfig}
	s := newScenario(t, w)
	s.startAutoscaler(autoscaler.Flags{"scale-down-unneeded-time": "3s", "scale-down-delay-after-add": "2s"})

	began := time.Now()
	s.create(buildPod("first", spot, spot.whole), buildPod("second", spot, spot.whole))
	kept := s.runningOn(60*time.Second, "first")
	idle := s.runningOn(60*time.Second, "second")
	keptInstance, idleInstance := s.instanceOf(kept), s.instanceOf(idle)
	s.eventually(10*time.Second, "two nodes", func(ctx context.Context) error { return s.expectSize(ctx, spot, 2) })

	s.finish("first", "second")
	s.eventually(60*time.Second, "CA to close the node", func(ctx context.Context) error {
		node, err := s.cluster.Client.CoreV1().Nodes().Get(ctx, kept, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("read node: %w", err)
		}
		if !closing(node) {
			return errors.New("it is open")
		}
		return nil
	})
	// As the scheduler would, had it bound the build a moment before the taint.
	late := buildPod("late", spot, spot.whole)
	late.Spec.NodeName = kept
	s.create(late)
	s.runningOn(10*time.Second, "late")

	s.eventually(60*time.Second, "the idle node to go", func(ctx context.Context) error { return s.expectSize(ctx, spot, 1) })
	assert.Equal(t, []string{idleInstance}, s.removed())
	s.eventually(30*time.Second, "CA to open the node again", func(ctx context.Context) error {
		node, err := s.cluster.Client.CoreV1().Nodes().Get(ctx, kept, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("read node: %w", err)
		}
		if closing(node) {
			return errors.New("it is closed")
		}
		return nil
	})
	s.holds(9*time.Second, "the build and its node", func(ctx context.Context) error {
		return errors.Join(s.expectSize(ctx, spot, 1), s.expectRunning(ctx, spot, 1))
	})
	s.expectEvents(began, "late", "KeptNode", "it stays because this pod runs on it")
	s.expectEvents(began, kept, "KeptInNodeGroup", "it stays because pod "+s.namespace+"/late runs on it")
	metrics, err := s.provider.Metrics(s.ctx)
	require.NoError(t, err)
	assert.Contains(t, metrics, `code="FailedPrecondition",method="NodeGroupDeleteNodes"`, "the delete was refused")

	s.finish("late")
	s.eventually(60*time.Second, "its node to go", func(ctx context.Context) error { return s.expectSize(ctx, spot, 0) })
	assert.ElementsMatch(t, []string{idleInstance, keptInstance}, s.removed())
}

func closing(n *corev1.Node) bool {
	return slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.Key == toBeDeleted })
}
