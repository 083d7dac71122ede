package e2e

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
	"github.com/buildpool/buildpool/e2e/internal/metrics"
)

// TestTimeline: the life of a build that needs a new node, phase by phase, as metrics and
// in the events of its pod and its node.
func TestTimeline(t *testing.T) {
	w := newWorld()
	w.Create, w.Join = 4*time.Second, 3*time.Second
	w.Serve = []string{"--kubeconfig", shared.controlPlane.Kubeconfig, "--build-wait-slo", "2s"}
	s := newScenario(t, w)
	s.startAutoscaler(autoscaler.Flags{"scale-down-unneeded-time": "2s", "scale-down-delay-after-add": "1s"})

	began := time.Now()
	s.create(buildPod("build", gpu, gpu.whole))
	node := s.runningOn(60*time.Second, "build")
	waited := time.Since(began)
	s.eventually(10*time.Second, "the phases until the build runs", func(ctx context.Context) error {
		return s.expectPhases(ctx, "decide", "create", "register", "ready", "gpu", "wait", "bind", "start", "image")
	})
	samples, err := s.provider.Samples(s.ctx)
	require.NoError(t, err)
	ofGPU := metrics.Labels{"node_group": gpu.nodeGroup}
	assert.Equal(t, 1.0, samples.Sum("buildpool_build_wait_duration_seconds_count", ofGPU))
	assert.InDelta(t, waited.Seconds(), samples.Sum("buildpool_build_wait_duration_seconds_sum", ofGPU), 2)
	assert.Equal(t, 1.0, samples.Sum("buildpool_build_wait_slo_exceeded_total", ofGPU))
	phase := func(name string) float64 {
		return samples.Sum("buildpool_build_phase_duration_seconds_sum", metrics.Labels{"node_group": gpu.nodeGroup, "phase": name})
	}
	// ESS cuts the time of creation off to the minute, so that only the two together tell.
	assert.InDelta(t, (w.Create + w.Join).Seconds(), phase("create")+phase("register"), 3, "the simulated account's own delays")

	s.expectEvent(began, "build", "WaitedForNode", "for a new node of node group builds-gpu: asked for after ")
	s.expectEvent(began, node, "JoinedNodeGroup", "joined node group builds-gpu, Ready ")
	s.finish("build")
	s.eventually(60*time.Second, "the node to go", func(ctx context.Context) error { return s.expectSize(ctx, gpu, 0) })
	s.eventually(20*time.Second, "the phases until the node has gone", func(ctx context.Context) error {
		return s.expectPhases(ctx, "run", "idle")
	})
	s.expectEvent(began, node, "RemovedFromNodeGroup", "cluster-autoscaler asked for it: instance ")
}

// expectPhases checks that the GPU group's builds and nodes have passed each phase once.
func (s *scenario) expectPhases(ctx context.Context, phases ...string) error {
	samples, err := s.provider.Samples(ctx)
	if err != nil {
		return err
	}
	for _, phase := range phases {
		if n := samples.Sum("buildpool_build_phase_duration_seconds_count", metrics.Labels{"node_group": gpu.nodeGroup, "phase": phase}); n != 1 {
			return fmt.Errorf("phase %s was passed %v times, want once", phase, n)
		}
	}
	return nil
}

// expectEvent waits for the one event of buildpool's on the object with the reason.
func (s *scenario) expectEvent(since time.Time, name, reason, says string) {
	s.t.Helper()
	e := s.expectEvents(since, name, reason, says)
	assert.Len(s.t, e, 1)
	assert.LessOrEqual(s.t, e[0].Count, int32(1))
}

// expectEvents waits for events with the reason on the object, and returns them; each
// has to say something. Those of earlier tests' nodes, which had the same names, do not
// count.
func (s *scenario) expectEvents(since time.Time, name, reason, says string) []corev1.Event {
	s.t.Helper()
	var found []corev1.Event
	s.eventually(10*time.Second, fmt.Sprintf("the event %s on %s", reason, name), func(ctx context.Context) error {
		events, err := s.cluster.Client.CoreV1().Events("").List(ctx, metav1.ListOptions{FieldSelector: "involvedObject.name=" + name + ",reason=" + reason})
		if err != nil {
			return err
		}
		found = slices.DeleteFunc(events.Items, func(e corev1.Event) bool { return e.CreationTimestamp.Time.Before(since.Truncate(time.Second)) })
		if len(found) == 0 {
			return errors.New("there is none")
		}
		for _, e := range found {
			if !strings.Contains(e.Message, says) {
				return fmt.Errorf("it says %q", e.Message)
			}
		}
		return nil
	})
	return found
}
