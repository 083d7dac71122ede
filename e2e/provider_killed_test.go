package e2e

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
)

// TestProviderKilled: the provider dies by kill -9 in the worst moment of a
// scale-up, when ESS has heard the write and it has not heard the answer. It comes
// back on the same address, and dies once more while the instances are being
// created. Nothing is lost, nothing is doubled, and CA goes on.
func TestProviderKilled(t *testing.T) {
	w := newWorld()
	w.Create = 20 * time.Second // longer than two outages
	s := newScenario(t, w)
	s.startAutoscaler(autoscaler.Flags{"scale-down-unneeded-time": "3s", "scale-down-delay-after-add": "2s"})
	require.NoError(t, s.simulator.HoldAnswer(s.ctx, "ScaleWithAdjustment", time.Minute))

	names := []string{"build-0", "build-1", "build-2", "build-3"}
	for _, name := range names {
		s.create(buildPod(name, normal, normal.whole))
	}
	s.eventually(30*time.Second, "the write", func(ctx context.Context) error { return s.expectDesired(ctx, normal, len(names)) })
	s.provider.Kill()
	s.loopsGoOn("the provider is away")
	s.restartProvider()
	require.NoError(t, s.expectPending(s.ctx, normal, len(names)), "the instances are still being created")
	s.provider.Kill()
	s.restartProvider()

	settled := func(ctx context.Context) error {
		return errors.Join(s.expectSize(ctx, normal, len(names)), s.expectRunning(ctx, normal, len(names)))
	}
	s.eventually(60*time.Second, "every build to run", settled)
	s.holds(10*time.Second, "the right number", settled)
	writes, err := s.simulator.Writes(s.ctx) // with those that were not answered
	require.NoError(t, err)
	assert.Equal(t, []int{len(names)}, s.totals(writes), "one write in all")

	// CA must have come back to its work: it takes the nodes away again.
	s.finish(names...)
	s.eventually(90*time.Second, "the nodes to go", func(ctx context.Context) error { return s.expectSize(ctx, normal, 0) })
	assert.True(t, s.autoscaler.Running())
}

func (s *scenario) expectDesired(ctx context.Context, c class, want int) error {
	group, err := s.simulator.Group(ctx, c.scalingGroup)
	if err == nil && group.Desired != want {
		err = fmt.Errorf("%s wants %d instances", group.ID, group.Desired)
	}
	return err
}

func (s *scenario) expectPending(ctx context.Context, c class, want int) error {
	group, err := s.simulator.Group(ctx, c.scalingGroup)
	if err != nil {
		return err
	}
	pending := 0
	for _, instance := range group.Instances {
		if instance.State == "Pending" {
			pending++
		}
	}
	if pending != want {
		return fmt.Errorf("%d of %d instances are Pending", pending, len(group.Instances))
	}
	return nil
}

// loopsGoOn waits until CA has begun two more loops: it lives through what goes on.
func (s *scenario) loopsGoOn(while string) {
	s.t.Helper()
	before, err := s.autoscaler.Loops()
	require.NoError(s.t, err)
	s.eventually(30*time.Second, "CA to loop while "+while, func(context.Context) error {
		now, err := s.autoscaler.Loops()
		if err == nil && now < before+2 {
			err = fmt.Errorf("%d loops since", now-before)
		}
		return err
	})
}

// restartProvider starts the provider again and waits until CA has found it: after
// an outage gRPC waits a while before it dials again.
func (s *scenario) restartProvider() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, 30*time.Second)
	defer cancel()
	require.NoError(s.t, s.provider.Restart(ctx))
	s.eventually(30*time.Second, "CA to ask the restarted provider", func(ctx context.Context) error {
		answered, err := s.provider.Answered(ctx, "Refresh")
		if err == nil && answered == 0 {
			err = errors.New("no Refresh has come")
		}
		return err
	})
}
