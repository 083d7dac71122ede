package e2e

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
)

// TestScaleDown: when builds end, exactly their nodes' instances go; nodes whose
// builds run stay, and so does the group's min.
func TestScaleDown(t *testing.T) {
	w := newWorld()
	w.Spot.Min = 1
	s := newScenario(t, w)
	s.startAutoscaler(autoscaler.Flags{"scale-down-unneeded-time": "3s", "scale-down-delay-after-add": "2s"})

	instance := map[string]string{} // by pod
	for _, name := range []string{"spot-a", "spot-b", "spot-c", "spot-d"} {
		s.create(buildPod(name, spot, spot.whole))
	}
	s.create(buildPod("normal-a", normal, normal.whole))
	for _, name := range []string{"spot-a", "spot-b", "spot-c", "spot-d", "normal-a"} {
		instance[name] = s.instanceOf(s.runningOn(60*time.Second, name))
	}
	s.eventually(10*time.Second, "five nodes", func(ctx context.Context) error {
		return errors.Join(s.expectSize(ctx, spot, 4), s.expectSize(ctx, normal, 1))
	})

	increases := len(s.increases(spot))

	s.finish("spot-b", "spot-d")
	gone := []string{instance["spot-b"], instance["spot-d"]}
	s.eventually(60*time.Second, "two nodes to go", func(ctx context.Context) error { return s.expectSize(ctx, spot, 2) })
	// Three times as long as a node must be unneeded.
	s.holds(9*time.Second, "the busy nodes", func(ctx context.Context) error {
		return errors.Join(s.expectSize(ctx, spot, 2), s.expectSize(ctx, normal, 1),
			s.expectRunning(ctx, spot, 2), s.expectRunning(ctx, normal, 1))
	})
	assert.ElementsMatch(t, gone, s.removed(), "exactly the idle nodes' instances")
	assert.ElementsMatch(t, []string{instance["spot-a"], instance["spot-c"]}, s.instances(spot))
	assert.Equal(t, []string{instance["normal-a"]}, s.instances(normal))

	s.finish("spot-a", "spot-c")
	s.eventually(60*time.Second, "all but min to go", func(ctx context.Context) error { return s.expectSize(ctx, spot, 1) })
	s.holds(9*time.Second, "min", func(ctx context.Context) error {
		return errors.Join(s.expectSize(ctx, spot, 1), s.expectSize(ctx, normal, 1), s.expectRunning(ctx, normal, 1))
	})
	removed := s.removed()
	assert.Len(t, removed, 3, "each instance once")
	assert.NotContains(t, removed, instance["normal-a"], "its build runs")
	assert.Subset(t, removed, gone)

	s.finish("normal-a")
	s.eventually(60*time.Second, "the normal group to be empty", func(ctx context.Context) error { return s.expectSize(ctx, normal, 0) })
	assert.Contains(t, s.removed(), instance["normal-a"])
	assert.Len(t, s.increases(spot), increases, "a group shrinks by removing instances, not by a lower number")
}
