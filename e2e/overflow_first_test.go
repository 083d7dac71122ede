package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
)

// TestOverflowFirst: builds that go to the virtual node first. With the annotation that
// keeps CA from them for a while no node is added; without it CA is quicker than the
// rule, and where somebody moves such a build all the same, its node comes for nobody.
func TestOverflowFirst(t *testing.T) {
	w := newWorld()
	w.Overflow = []string{`{class: normal, podSelector: app=build, startWhen: {waitedFor: 8s}, scaleUpDelay: 40s, maxPods: 10}`}
	w.Serve = []string{"--kubeconfig", shared.controlPlane.Kubeconfig, "--overflow"}
	s := newScenario(t, w)
	s.createVirtualNode(map[string]string{"type": "virtual-kubelet"})
	s.startAutoscaler(autoscaler.Flags{"scale-down-enabled": "false"})

	first := movable("first", normal)
	first.Annotations = map[string]string{"cluster-autoscaler.kubernetes.io/pod-scale-up-delay": "40s"}
	s.create(first)
	assert.Equal(t, virtualNode, s.runningOn(20*time.Second, "first"))
	assert.Empty(t, s.increases(normal), "the build was CA's only one, and CA left it alone")

	// The annotation alone does it: nobody moves this one, and CA comes for it, but late.
	delayed := movable("delayed", normal)
	delayed.Labels["app"] = "other"
	delayed.Annotations = map[string]string{"cluster-autoscaler.kubernetes.io/pod-scale-up-delay": "20s"}
	s.create(delayed)
	s.holds(15*time.Second, "no scale-up", func(context.Context) error {
		return s.expectPlanned(0)
	})
	assert.NotEqual(t, virtualNode, s.runningOn(40*time.Second, "delayed"))

	// Nobody opted this one in: it stands for a router that only looks at the clock.
	naive := movable("naive", normal)
	naive.Labels["app"] = "other"
	s.create(naive)
	s.eventually(20*time.Second, "CA to ask for a node", func(context.Context) error {
		return s.expectPlanned(2)
	})
	s.tolerateByHand("naive")
	assert.Equal(t, virtualNode, s.runningOn(20*time.Second, "naive"))
	s.eventually(30*time.Second, "a node for nobody", func(ctx context.Context) error { return s.expectSize(ctx, normal, 2) })
	s.expectNoTrouble()
}

// expectPlanned checks how often CA has planned to add nodes.
func (s *scenario) expectPlanned(want int) error {
	plans, err := s.autoscaler.Plans()
	if err == nil && len(plans) != want {
		err = fmt.Errorf("CA plans %q, want %d", plans, want)
	}
	return err
}
