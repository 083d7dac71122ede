package e2e

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
)

// reclaimedAnnotation is on the pod of a build that is about to lose its node, and
// closedAnnotation on the node.
const (
	reclaimedAnnotation = "buildpool.io/reclaimed"
	closedAnnotation    = "buildpool.io/closed"
)

// TestReclaimNotice: the cloud announces to take the instance under a build back. Its
// node is closed, build and node are told, and the replacement is a node of the cluster
// while the old one still runs the build. The number stays one all the time, and CA has
// nothing to ask for.
func TestReclaimNotice(t *testing.T) {
	w := newWorld()
	w.Serve = []string{"--kubeconfig", shared.controlPlane.Kubeconfig}
	s := newScenario(t, w)
	s.startAutoscaler(autoscaler.Flags{"scale-down-unneeded-time": "10m"})
	began := time.Now()
	s.create(buildPod("first", spot, spot.whole))
	old := s.runningOn(60*time.Second, "first")
	instance := s.instanceOf(old)

	const notice = 75 * time.Second // of five minutes in life
	noticed := time.Now()
	require.NoError(t, s.simulator.Reclaim(s.ctx, instance, notice))
	s.eventually(40*time.Second, "the node to be closed", func(ctx context.Context) error {
		return s.expectClosed(ctx, old, "reclaim-notice")
	})
	s.eventually(10*time.Second, "the build to be marked", func(ctx context.Context) error {
		pod, err := s.cluster.Client.CoreV1().Pods(s.namespace).Get(ctx, "first", metav1.GetOptions{})
		if err != nil {
			return err
		}
		_, err = time.Parse(time.RFC3339, pod.Annotations[reclaimedAnnotation])
		return err
	})
	s.expectEvent(began, old, "ReclaimNotice", "The cloud takes spot instance "+instance+" of node group builds-spot back")
	s.expectEvent(began, "first", "NodeTakenBack", "The cloud takes spot instance "+instance)
	s.eventually(40*time.Second, "the replacement beside the old node", func(ctx context.Context) error {
		return errors.Join(s.expectNodes(ctx, spot, 2), s.expectInstances(ctx, spot, 1), s.expectRunning(ctx, spot, 1))
	})
	assert.Less(t, time.Since(noticed), notice, "the old node was there all the time")
	t.Logf("the replacement was Ready %v after the notice", time.Since(noticed).Round(time.Second))
	assert.NotContains(t, s.instances(spot), instance)

	// What the build's CI system does with it.
	s.create(buildPod("again", spot, spot.whole))
	assert.NotEqual(t, old, s.runningOn(15*time.Second, "again"), "the closed node takes no build")
	s.eventually(notice, "the old node to go", func(ctx context.Context) error { return s.expectSize(ctx, spot, 1) })
	s.holds(10*time.Second, "one node", func(ctx context.Context) error { return s.expectSize(ctx, spot, 1) })
	assert.Len(t, s.increases(spot), 1, "the first build's")
	assert.Empty(t, s.removed())
	s.expectPlans("builds-spot 0->1 (max: 40)")
}

// expectClosed checks that the node takes no build, and why.
func (s *scenario) expectClosed(ctx context.Context, node, why string) error {
	n, err := s.cluster.Client.CoreV1().Nodes().Get(ctx, node, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("read node: %w", err)
	}
	if !n.Spec.Unschedulable || n.Annotations[closedAnnotation] != why {
		return fmt.Errorf("unschedulable %t, closed by %q", n.Spec.Unschedulable, n.Annotations[closedAnnotation])
	}
	return nil
}

// TestDrainAfter: a node whose instance is near the end of its protection takes no new
// build, keeps the one that runs, and goes when it is idle. That every node of the group
// is closed keeps CA from nothing: the next build gets a node of its own.
func TestDrainAfter(t *testing.T) {
	w := newWorld()
	w.Serve = []string{"--kubeconfig", shared.controlPlane.Kubeconfig}
	w.Spot.Existing = 1 // an hour old
	w.SpotFloor = `spot: {drainAfter: 50m}`
	s := newScenario(t, w)
	s.eventually(60*time.Second, "the node that was there", func(ctx context.Context) error { return s.expectNodes(ctx, spot, 1) })
	old := s.nodeNames(spot)[0]
	instance := s.instanceOf(old)
	running := buildPod("running", spot, spot.whole)
	running.Spec.NodeName = old // the scheduler gave it the node before
	s.create(running)
	s.runningOn(10*time.Second, "running")
	s.startAutoscaler(autoscaler.Flags{"scale-down-unneeded-time": "3s", "scale-down-delay-after-add": "2s"})
	began := time.Now()
	s.eventually(40*time.Second, "the node to be closed", func(ctx context.Context) error {
		return s.expectClosed(ctx, old, "drain-after")
	})
	s.expectEvent(began, old, "NearEndOfProtection", "The cloud may soon take spot instance "+instance)

	s.create(buildPod("next", spot, spot.half))
	assert.NotEqual(t, old, s.runningOn(60*time.Second, "next"))
	s.holds(9*time.Second, "both builds and both nodes", func(ctx context.Context) error {
		return errors.Join(s.expectSize(ctx, spot, 2), s.expectRunning(ctx, spot, 2))
	})
	assert.Empty(t, s.removed())
	s.finish("running")
	s.eventually(60*time.Second, "the closed node to go", func(ctx context.Context) error { return s.expectSize(ctx, spot, 1) })
	assert.Equal(t, []string{instance}, s.removed())
	s.expectPlans("builds-spot 1->2 (max: 40)")
}
