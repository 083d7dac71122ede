package ess

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
)

func slowly(o *Options) { o.Limits.Default = Rate{PerSecond: 1, Burst: 2} }

func TestOwnRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := scripted(t, slowly, noGroups)
		began := virtual.Now()
		for range 5 {
			require.NoError(t, readGroup(t.Context(), c))
		}
		assert.Equal(t, 3*time.Second, virtual.Since(began), "two at once, then one a second")
		assert.Equal(t, 5, s.attempts())
	})
}

func TestOwnRateLimitIsPerAPI(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := scripted(t, func(o *Options) {
			slowly(o)
			o.Limits.PerAPI = map[string]Rate{"ScaleWithAdjustment": {PerSecond: 100, Burst: 100}}
		}, accepted)
		began := virtual.Now()
		for range 2 {
			require.NoError(t, readGroup(t.Context(), c))
		}
		for range 50 {
			require.NoError(t, grow(t.Context(), c))
		}
		assert.Zero(t, virtual.Since(began))
	})
}

func TestOwnRateLimitMeetsTheDeadline(t *testing.T) {
	for _, test := range []struct {
		deadline time.Duration
		passes   bool
	}{{999 * time.Millisecond, false}, {time.Second, false}, {1001 * time.Millisecond, true}} {
		synctest.Test(t, func(t *testing.T) {
			c, s := scripted(t, slowly, noGroups)
			require.NoError(t, readGroup(t.Context(), c))
			require.NoError(t, readGroup(t.Context(), c))
			began := virtual.Now()
			ctx, cancel := context.WithTimeout(t.Context(), test.deadline)
			defer cancel()
			err := readGroup(ctx, c)
			if test.passes {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, cloudprovider.ErrThrottled)
			assert.Zero(t, virtual.Since(began), "it is told at once")
			assert.Equal(t, 2, s.attempts())
			// The place it did not use is free for the next.
			require.NoError(t, readGroup(t.Context(), c))
			assert.Equal(t, time.Second, virtual.Since(began))
		})
	}
}

func TestLeavingTheQueueGivesTheTurnBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := scripted(t, slowly, noGroups)
		require.NoError(t, readGroup(t.Context(), c))
		require.NoError(t, readGroup(t.Context(), c))
		began := virtual.Now()
		ctx, cancel := context.WithCancel(t.Context())
		timer := virtual.AfterFunc(time.Millisecond, cancel)
		defer timer.Stop()
		require.ErrorIs(t, readGroup(ctx, c), context.Canceled)
		assert.Equal(t, time.Millisecond, virtual.Since(began))
		require.NoError(t, readGroup(t.Context(), c))
		assert.Equal(t, time.Second, virtual.Since(began))
	})
}

func TestZeroRateSendsNothing(t *testing.T) {
	c, s := scripted(t, func(o *Options) { o.Limits.PerAPI = map[string]Rate{"DescribeScalingGroups": {}} }, noGroups)
	require.ErrorIs(t, readGroup(t.Context(), c), cloudprovider.ErrThrottled)
	assert.Zero(t, s.attempts())
}

// TestManyCallersAreSpread: a hundred callers at once are served in turn.
func TestManyCallersAreSpread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := scripted(t, func(o *Options) { o.Limits.Default = Rate{PerSecond: 10, Burst: 10} }, noGroups)
		began := virtual.Now()
		var work sync.WaitGroup
		for range 100 {
			work.Go(func() { assert.NoError(t, readGroup(t.Context(), c)) })
		}
		work.Wait()
		assert.Equal(t, 9*time.Second, virtual.Since(began))
		assert.Equal(t, 100, s.attempts())
	})
}
