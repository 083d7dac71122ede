package e2e

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
)

// silentWithin is how soon the simulated kubelet of an instance that has gone is missed.
const silentWithin = 20 * time.Second

// keptNodes is a world whose Node objects outlive their instances, as without a
// cloud-controller-manager.
func keptNodes() world {
	w := newWorld()
	w.Serve = []string{"--kubeconfig", shared.controlPlane.Kubeconfig}
	w.Simulator = []string{"--keep-nodes"}
	return w
}

// expectSilent checks that the control plane misses the node's kubelet.
func (s *scenario) expectSilent(ctx context.Context, name string) error {
	node, err := s.cluster.Client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("read node: %w", err)
	}
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady && c.Status != corev1.ConditionUnknown {
			return fmt.Errorf("node %s is Ready %s", name, c.Status)
		}
	}
	return nil
}

// TestRecycledInstance: an instance that was stopped is started again for the next
// build, and rejoins under its old ID: its Node object has stayed, closed as CA left it
// and with a kubelet that was missed. The build runs there.
func TestRecycledInstance(t *testing.T) {
	w := keptNodes()
	w.NormalRecycles = true
	s := newScenario(t, w)
	s.startAutoscaler(autoscaler.Flags{"scale-down-unneeded-time": "2s", "scale-down-delay-after-add": "1s", "scale-down-delay-after-delete": "1s"})
	s.create(buildPod("first", normal, normal.whole))
	old := s.runningOn(60*time.Second, "first")
	before, err := s.cluster.Client.CoreV1().Nodes().Get(s.ctx, old, metav1.GetOptions{})
	require.NoError(t, err)
	instance := s.instanceOf(old)

	s.finish("first")
	s.eventually(60*time.Second, "the instance to be stopped", func(ctx context.Context) error {
		group, err := s.simulator.Group(ctx, normal.scalingGroup)
		if err != nil {
			return err
		}
		if group.Desired != 0 || len(group.Instances) != 1 || group.Instances[0].State != "Stopped" {
			return fmt.Errorf("scaling group %s wants %d and holds %v", group.ID, group.Desired, group.Instances)
		}
		return nil
	})
	s.eventually(silentWithin, "the old node to be missed", func(ctx context.Context) error { return s.expectSilent(ctx, old) })

	s.create(buildPod("second", normal, normal.whole))
	assert.Equal(t, old, s.runningOn(90*time.Second, "second"), "the old node is back")
	after, err := s.cluster.Client.CoreV1().Nodes().Get(s.ctx, old, metav1.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, before.UID, after.UID, "it is the same object")
	assert.Empty(t, closingTaints(after), "what CA closed in the life before is open")
	assert.Equal(t, []string{instance}, s.instances(normal), "none was created")
	assert.Len(t, s.increases(normal), 2, "one for each build")
	s.holds(10*time.Second, "one node and its build", func(ctx context.Context) error {
		return errors.Join(s.expectSize(ctx, normal, 1), s.expectRunning(ctx, normal, 1))
	})
	assert.Len(t, s.increases(normal), 2)
	s.expectPlans("builds-normal 0->1 (max: 40)", "builds-normal 0->1 (max: 40)")
}

// closingTaints are those by which CA closes a node. Its soft one, which only makes the
// scheduler prefer others, CA takes back itself.
func closingTaints(n *corev1.Node) []corev1.Taint {
	var closing []corev1.Taint
	for _, t := range n.Spec.Taints {
		if t.Key == "ToBeDeletedByClusterAutoscaler" {
			closing = append(closing, t)
		}
	}
	return closing
}

// TestNodeCleanup: the Node object of an instance that is gone stays where no
// cloud-controller-manager deletes it, until we do; that of an instance that runs stays.
func TestNodeCleanup(t *testing.T) {
	w := keptNodes()
	w.NodeCleanup = "{enabled: true, after: 30s}"
	s := newScenario(t, w)
	s.startAutoscaler(autoscaler.Flags{"scale-down-unneeded-time": "2s", "scale-down-delay-after-add": "1s"})
	s.create(buildPod("short", normal, normal.whole), buildPod("long", normal, normal.whole))
	gone := s.runningOn(60*time.Second, "short")
	s.runningOn(30*time.Second, "long")
	s.finish("short")
	s.eventually(60*time.Second, "the idle instance to go", func(ctx context.Context) error { return s.expectInstances(ctx, normal, 1) })
	left := time.Now()
	_, err := s.cluster.Client.CoreV1().Nodes().Get(s.ctx, gone, metav1.GetOptions{})
	require.NoError(t, err, "nobody has deleted its node yet")
	s.eventually(silentWithin+time.Minute, "its node to be deleted", func(ctx context.Context) error {
		_, err := s.cluster.Client.CoreV1().Nodes().Get(ctx, gone, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return errors.Join(errors.New("it is there"), err)
	})
	t.Logf("the node was deleted %v after its instance had gone", time.Since(left).Round(time.Second))
	assert.Greater(t, time.Since(left), 30*time.Second, "not before its kubelet was silent for so long")
	s.holds(5*time.Second, "the other node and its build", func(ctx context.Context) error {
		return errors.Join(s.expectSize(ctx, normal, 1), s.expectRunning(ctx, normal, 1))
	})
}
