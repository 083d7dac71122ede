package e2e

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
	"github.com/buildpool/buildpool/e2e/internal/metrics"
)

// TestOverflowReplicas: of two replicas of `buildpool overflow` one moves builds. It is
// killed among the patches of a burst; the other takes over within the lease's time and
// moves the rest, the killed one comes back and stands by, and nothing is patched twice.
func TestOverflowReplicas(t *testing.T) {
	w := newWorld()
	w.Spot.Max, w.Join = 1, 5*time.Second
	w.Overflow = []string{`{class: spot, podSelector: app=build, startWhen: {noGroupCanGrow: true}, margin: 10s, maxPods: 150}`}
	w.Serve = []string{"--kubeconfig", shared.controlPlane.Kubeconfig}
	s := newScenario(t, w)
	s.createVirtualNode(map[string]string{"type": "virtual-kubelet"})
	s.startAutoscaler(autoscaler.Flags{"scale-down-enabled": "false"})
	elected := func(name string) *mover {
		return s.startMover(name, "--leader-elect", "--leader-elect-lease", s.namespace+"/overflow", "--leader-elect-identity", name)
	}
	first := elected("overflow-1")
	moved := metrics.Labels{"class": "spot"}
	for n := range 3 {
		s.create(movable(fmt.Sprintf("few-%d", n), spot))
	}
	s.eventually(60*time.Second, "two on the virtual node and one on a real one", func(ctx context.Context) error { return s.expectWhere(ctx, 2, 1, 0) })
	second := elected("overflow-2")
	assert.Equal(t, 2, first.sum("buildpool_overflow_moved_total", moved))

	const burst = 60
	for n := range burst {
		s.create(movable(fmt.Sprintf("burst-%d", n), spot))
	}
	first.Kill()
	killed := time.Now()
	before := s.tolerating()
	s.eventually(takeover+20*time.Second, "all of them to run", func(ctx context.Context) error { return s.expectWhere(ctx, 2+burst, 1, 0) })
	t.Logf("the first was killed when %d of %d had moved; all ran %s later", before-2, burst, time.Since(killed).Round(100*time.Millisecond))
	s.expectToleratedOnce(2 + burst)
	assert.LessOrEqual(t, second.sum("buildpool_overflow_moved_total", moved), burst)
	if before < 2+burst {
		assert.Positive(t, second.sum("buildpool_overflow_moved_total", moved))
	}

	again := elected("overflow-1")
	s.create(movable("last", spot))
	s.eventually(20*time.Second, "it to run", func(ctx context.Context) error { return s.expectWhere(ctx, 3+burst, 1, 0) })
	assert.Zero(t, again.sum("buildpool_overflow_moved_total", moved), "it stands by")
	s.expectToleratedOnce(3 + burst)
	assert.Equal(t, []int{1}, s.totals(s.increases(spot)), "the autoscaler added one node in all")
	s.expectNoTrouble()
}

// TestChartOverflow: the chart with overflow.enabled moves builds under the rights that it
// gives.
func TestChartOverflow(t *testing.T) {
	w := newWorld()
	w.Spot.Max, w.Join = 1, 5*time.Second
	w.Overflow = []string{`{class: spot, podSelector: app=build, startWhen: {noGroupCanGrow: true}, margin: 10s, maxPods: 10, annotations: {k8s.aliyun.com/eci-spot-strategy: SpotAsPriceGo}}`}
	s := newChartScenario(t, chartValues{Topology: "sidecar", Replicas: 1, World: &w})
	s.createVirtualNode(map[string]string{"type": "virtual-kubelet"})
	pod := s.podsOf("provider", 1)[0]
	s.provider = s.serveIn(pod)
	s.autoscaleIn(pod)
	for n := range 3 {
		s.create(movable(fmt.Sprintf("build-%d", n), spot))
	}
	s.eventually(60*time.Second, "two on the virtual node and one on a real one", func(ctx context.Context) error { return s.expectWhere(ctx, 2, 1, 0) })
	s.expectToleratedOnce(2)
	pods, err := s.pods(s.ctx, class{})
	require.NoError(t, err)
	annotated := 0
	for _, p := range pods {
		if p.Annotations["k8s.aliyun.com/eci-spot-strategy"] == "SpotAsPriceGo" {
			annotated++
			s.expectTold(p.Name, "Overflowed", "It may run on the virtual node now")
		}
	}
	assert.Equal(t, 2, annotated)
	s.expectNothingForbidden(s.provider.LogPath(), s.autoscaler.LogPath())
}

// tolerating is how many pods may run on the virtual node.
func (s *scenario) tolerating() (n int) {
	s.t.Helper()
	pods, err := s.pods(s.ctx, class{})
	require.NoError(s.t, err)
	for _, p := range pods {
		for _, t := range p.Spec.Tolerations {
			if t.Key == virtualTaint {
				n++
			}
		}
	}
	return n
}
