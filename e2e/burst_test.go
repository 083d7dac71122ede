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
)

// TestBurst: 60 pods over the three classes at once. Two spot or normal pods fill a
// node, a GPU pod fills one, so every count is certain: 20 spot pods need 10 nodes,
// 12 GPU pods 12, and 28 normal pods 14, of which max allows 5.
func TestBurst(t *testing.T) {
	w := newWorld()
	w.Normal.Max = 5
	s := newScenario(t, w)
	s.startAutoscaler(nil)

	var pods []*corev1.Pod
	for i := range 20 {
		pods = append(pods, buildPod(fmt.Sprintf("spot-%d", i), spot, spot.half))
	}
	for i := range 28 {
		pods = append(pods, buildPod(fmt.Sprintf("normal-%d", i), normal, normal.half))
	}
	for i := range 12 {
		pods = append(pods, buildPod(fmt.Sprintf("gpu-%d", i), gpu, gpu.whole))
	}
	s.create(pods...)

	// CA lets GPU pods wait 30 s for a node that may be there already, and while one
	// waits nothing else is scaled up either.
	settled := func(ctx context.Context) error {
		return errors.Join(
			s.expectSize(ctx, spot, 10), s.expectRunning(ctx, spot, 20),
			s.expectSize(ctx, normal, 5), s.expectRunning(ctx, normal, 10),
			s.expectSize(ctx, gpu, 12), s.expectRunning(ctx, gpu, 12),
		)
	}
	s.eventually(2*time.Minute, "every pod that max allows to run", settled)
	s.holds(8*time.Second, "the right sizes", settled)

	assert.Equal(t, []int{10}, s.totals(s.increases(spot)), "CA's own estimate, in one write")
	assert.Equal(t, []int{5}, s.totals(s.increases(normal)), "CA's own estimate, in one write")
	assert.Equal(t, []int{12}, s.totals(s.increases(gpu)), "CA's own estimate, in one write")
	assert.Empty(t, s.removed())
	s.expectPlans("builds-spot 0->10 (max: 40)", "builds-normal 0->5 (max: 5)", "builds-gpu 0->12 (max: 40)")
}

// expectPlans checks that CA planned exactly these scale-ups, in any order.
func (s *scenario) expectPlans(want ...string) {
	s.t.Helper()
	plans, err := s.autoscaler.Plans()
	require.NoError(s.t, err)
	require.Len(s.t, plans, len(want), "%q", plans)
	for _, plan := range want {
		assert.Condition(s.t, func() bool { return anyContains(plans, plan) }, "no plan %q in %q", plan, plans)
	}
}

func anyContains(lines []string, part string) bool {
	return slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, part) })
}
