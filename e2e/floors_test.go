package e2e

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
)

// comingHour is the next full minute, the shortest "hour" that a schedule knows, that
// leaves time to start everything and for nodes to come.
func comingHour() time.Time {
	return time.Now().Add(20 * time.Second).Truncate(time.Minute).Add(time.Minute)
}

// TestWarmWindow: nodes are Ready before the hour, by no build's asking, and go after it.
func TestWarmWindow(t *testing.T) {
	const nodes, lasts = 2, 4 * time.Second
	hour := comingHour()
	w := newWorld()
	w.SpotFloor = fmt.Sprintf(`schedules: [{cron: "%d %d * * *", duration: %s, min: %d, lead: %s, timeZone: UTC}]`,
		hour.UTC().Minute(), hour.UTC().Hour(), lasts, nodes, time.Until(hour).Truncate(time.Second))
	s := newScenario(t, w)
	s.startAutoscaler(autoscaler.Flags{"enforce-node-group-min-size": "true", "scale-down-unneeded-time": "1s", "scale-down-delay-after-add": "1s"})

	s.eventually(60*time.Second, "the window's nodes", func(ctx context.Context) error { return s.expectSize(ctx, spot, nodes) })
	assert.Less(t, time.Now(), hour, "they are to be Ready before the hour")
	assert.Equal(t, []int{nodes}, s.totals(s.increases(spot)), "in one write")
	closes := hour.Add(lasts)
	s.holds(time.Until(closes)-time.Second, "the window's nodes, idle as they are", func(ctx context.Context) error {
		return errors.Join(s.expectSize(ctx, spot, nodes), s.expectOpen(ctx, spot))
	})
	require.Empty(t, s.removed())

	s.eventually(30*time.Second, "the nodes to go", func(ctx context.Context) error { return s.expectSize(ctx, spot, 0) })
	assert.Greater(t, time.Now(), closes)
	assert.Len(t, s.removed(), nodes)
	s.expectNoTrouble()
	s.expectNoFailedDelete()
}

// TestCooldown: CA plans no scale-down while the group keeps its size, instead of
// failing one; afterwards it does.
func TestCooldown(t *testing.T) {
	const cooldown = 25 * time.Second
	w := newWorld()
	w.SpotFloor = fmt.Sprintf("cooldown: {afterScaleUp: %s}", cooldown)
	s := newScenario(t, w)
	s.startAutoscaler(autoscaler.Flags{"scale-down-unneeded-time": "1s", "scale-down-delay-after-add": "1s"})

	asked := time.Now() // not after the timer began
	s.create(buildPod("short", spot, spot.whole))
	s.runningOn(30*time.Second, "short")
	s.finish("short")
	s.holds(time.Until(asked.Add(cooldown-time.Second)), "the idle node", func(ctx context.Context) error {
		return errors.Join(s.expectSize(ctx, spot, 1), s.expectOpen(ctx, spot))
	})
	require.Empty(t, s.removed())
	kept, err := s.autoscaler.LogLines(regexp.MustCompile(`min size reached`))
	require.NoError(t, err)
	assert.NotEmpty(t, kept, "CA had no other reason to keep the node")

	s.eventually(40*time.Second, "the node to go", func(ctx context.Context) error { return s.expectSize(ctx, spot, 0) })
	assert.Len(t, s.removed(), 1)
	s.expectNoTrouble()
	s.expectNoFailedDelete()
}

// expectOpen checks that CA has closed none of the class's nodes.
func (s *scenario) expectOpen(ctx context.Context, c class) error {
	nodes, err := s.nodes(ctx, c)
	if err != nil {
		return err
	}
	for _, n := range nodes {
		for _, taint := range n.Spec.Taints {
			if taint.Key == "ToBeDeletedByClusterAutoscaler" && taint.Effect == corev1.TaintEffectNoSchedule {
				return fmt.Errorf("node %s is tainted %s", n.Name, taint.Key)
			}
		}
	}
	return nil
}

// expectNoFailedDelete fails the test if CA tried to take a node and could not.
func (s *scenario) expectNoFailedDelete() {
	s.t.Helper()
	failed, err := s.autoscaler.LogLines(regexp.MustCompile(`(?i)(failed to delete|couldn't delete|ScaleDownFailed|failed to scale down)`))
	require.NoError(s.t, err)
	assert.Empty(s.t, failed)
}
