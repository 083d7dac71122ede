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

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
	"github.com/buildpool/buildpool/e2e/internal/metrics"
)

// TestOverflow: what builds that wait become beside a virtual node, one situation after
// the other in one cluster. Spot nodes are two at most, of normal ones there are enough.
func TestOverflow(t *testing.T) {
	w := newWorld()
	w.Spot.Max, w.Join = 2, 10*time.Second
	w.Overflow = []string{
		`{class: spot, podSelector: "app=build,build-class=spot", virtualNode: {selector: buildpool.io/class=virtual}, startWhen: {noGroupCanGrow: true}, margin: 20s, maxPods: 150}`,
		`{class: normal, podSelector: "app=build,build-class=normal", startWhen: {waitedFor: 8s}, margin: 20s, maxPods: 150}`,
	}
	w.Serve = []string{"--kubeconfig", shared.controlPlane.Kubeconfig}
	s := newScenario(t, w)
	s.startAutoscaler(autoscaler.Flags{"cores-total": "0:100", "scale-down-enabled": "false"})

	s.overflowWithoutLabel()
	s.overflowFromBirth()
	m := s.startMover("buildpool-overflow-1")
	s.overflowNeedsNone(m)
	s.overflowOfSurplus(m)
	s.overflowOfSelectors()
	s.overflowOfBurst(m)
	m.Kill()
	s.overflowIsGone()
	s.expectNoTrouble()
}

// overflowWithoutLabel: CA counts a virtual node's cores among its own, so that it adds
// no node, until the label type says what it is.
func (s *scenario) overflowWithoutLabel() {
	s.t.Log("a virtual node without its label")
	s.createVirtualNode(map[string]string{})
	s.create(movable("first", normal))
	s.holds(6*time.Second, "no scale-up", func(context.Context) error {
		plans, err := s.autoscaler.Plans()
		if err == nil && len(plans) > 0 {
			err = fmt.Errorf("CA plans %q", plans)
		}
		return err
	})
	assert.Contains(s.t, s.validate(), "has no label type=virtual-kubelet")
	s.labelVirtualNode("type", "virtual-kubelet")
	assert.NotEqual(s.t, virtualNode, s.runningOn(60*time.Second, "first"))
	s.finish("first")
}

// overflowFromBirth: a build that tolerates the virtual node from the beginning goes
// there at once, whatever it prefers, and CA never hears of it.
func (s *scenario) overflowFromBirth() {
	s.t.Log("a build that tolerates from birth")
	before := len(s.increases(spot))
	build := movable("born", spot)
	build.Spec.Tolerations = append(build.Spec.Tolerations, toVirtual)
	build.Spec.Affinity.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution = []corev1.PreferredSchedulingTerm{{
		Weight: 100, Preference: corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{{
			Key: "buildpool.io/class", Operator: corev1.NodeSelectorOpIn, Values: []string{spot.name},
		}}},
	}}
	s.create(build)
	assert.Equal(s.t, virtualNode, s.runningOn(10*time.Second, "born"))
	s.holds(4*time.Second, "no scale-up", func(context.Context) error {
		if len(s.increases(spot)) != before {
			return errors.New("the spot group grew")
		}
		return nil
	})
	s.finish("born")
}

// overflowNeedsNone: builds for which nodes are on their way are left to them, though
// they wait longer than their class would have them wait.
func (s *scenario) overflowNeedsNone(m *mover) {
	s.t.Log("builds whose nodes are on their way")
	s.eventually(20*time.Second, "no build", func(ctx context.Context) error { return s.expectWhere(ctx, 0, 0, 0) })
	s.create(movable("normal-1", normal), movable("normal-2", normal))
	s.eventually(60*time.Second, "both on real nodes", func(ctx context.Context) error { return s.expectWhere(ctx, 0, 2, 0) })
	assert.Zero(s.t, m.sum("buildpool_overflow_moved_total", nil))
}

// overflowOfSurplus: of four builds for two nodes two move, also though CA says of all
// four that no group helps.
func (s *scenario) overflowOfSurplus(m *mover) {
	s.t.Log("four builds for two nodes")
	for n := range 4 {
		s.create(movable(fmt.Sprintf("spot-%d", n), spot))
	}
	settled := func(ctx context.Context) error { return s.expectWhere(ctx, 2, 4, 0) }
	s.eventually(60*time.Second, "two on the virtual node and two on real ones", settled)
	s.holds(3*time.Second, "that", settled)
	assert.Equal(s.t, []int{2}, s.totals(s.increases(spot)))
	assert.Equal(s.t, 2, m.sum("buildpool_overflow_moved_total", metrics.Labels{"class": "spot"}))
	s.expectToleratedOnce(2)
}

// overflowOfSelectors: a node selector cannot be relaxed, so that a build with one is
// refused, and told why, until the virtual node has the label; nor is a build moved that
// mounts a path of its host.
func (s *scenario) overflowOfSelectors() {
	s.t.Log("builds that may not move")
	selecting, mounting := movable("selecting", spot), movable("mounting", spot)
	selecting.Spec.Affinity, selecting.Spec.NodeSelector = nil, map[string]string{"workload_type": "spot"}
	mounting.Spec.Volumes = []corev1.Volume{{Name: "docker", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/var/run"}}}}
	s.create(selecting, mounting)
	s.expectTold("selecting", "OverflowRefused", "nodeAffinity")
	s.expectTold("mounting", "OverflowRefused", "hostPath")
	require.NoError(s.t, s.expectWhere(s.ctx, 2, 4, 2))
	assert.Contains(s.t, string(s.explain("pod", s.namespace+"/mounting")), "does not move to the virtual node: it mounts a hostPath")

	// By hand the toleration alone does not help either.
	s.tolerateByHand("selecting")
	s.holds(3*time.Second, "it waits", func(ctx context.Context) error { return s.expectWhere(ctx, 2, 4, 2) })
	s.labelVirtualNode("workload_type", "spot")
	assert.Equal(s.t, virtualNode, s.runningOn(10*time.Second, "selecting"))
	s.finish("mounting", "selecting")
}

// overflowOfBurst: 100 builds more than there are nodes for all run within a minute, CA
// adds nothing, and of two movers none patches what the other has.
func (s *scenario) overflowOfBurst(m *mover) {
	s.t.Log("100 builds too many")
	other := s.startMover("buildpool-overflow-2")
	before := len(s.increases(spot))
	began := time.Now()
	for n := range 100 {
		s.create(movable(fmt.Sprintf("burst-%d", n), spot))
	}
	s.eventually(60*time.Second, "all of them to run", func(ctx context.Context) error { return s.expectWhere(ctx, 102, 4, 0) })
	s.t.Logf("100 builds ran on the virtual node %v after the first was created", time.Since(began).Round(100*time.Millisecond))
	assert.Len(s.t, s.increases(spot), before)
	s.expectToleratedOnce(102)
	moved := metrics.Labels{"class": "spot"}
	assert.Equal(s.t, 102, m.sum("buildpool_overflow_moved_total", moved)+other.sum("buildpool_overflow_moved_total", moved))
	s.eventually(10*time.Second, "the metrics to follow", func(context.Context) error {
		if live := m.sum("buildpool_overflow_pods", moved); live != 102 {
			return fmt.Errorf("%d pods are on the virtual node by the metric", live)
		}
		return nil
	})
	assert.InDelta(s.t, 102*(8*0.2+8*0.02), m.sum("buildpool_overflow_cost_per_hour", moved), 1, "8 CPU and 8 GiB each")
	other.Kill()
}

// overflowIsGone: with nobody to move them, builds wait for real nodes as ever.
func (s *scenario) overflowIsGone() {
	s.t.Log("nobody moves builds")
	for n := range 3 {
		s.create(movable(fmt.Sprintf("late-%d", n), normal))
	}
	s.eventually(60*time.Second, "all of them to run on real nodes", func(ctx context.Context) error { return s.expectWhere(ctx, 102, 7, 0) })
}
