package main

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/nodegroups"
)

func TestReadinessAtItsLimit(t *testing.T) {
	taken := time.Unix(1_790_000_000, 0)
	for name, test := range map[string]struct {
		status   nodegroups.Status
		age      time.Duration
		stopping bool
		want     string
	}{
		"fresh":               {status: nodegroups.Status{Ready: true}, age: 0},
		"just below":          {status: nodegroups.Status{Ready: true}, age: 10*time.Minute - time.Nanosecond},
		"failing but young":   {status: nodegroups.Status{Ready: true, LastError: "down"}, age: time.Minute},
		"at the limit":        {status: nodegroups.Status{Ready: true}, age: 10 * time.Minute, want: "the last good reading of the account is 10m0s old"},
		"failing and old":     {status: nodegroups.Status{Ready: true, LastError: "down"}, age: time.Hour, want: "the last good reading of the account is 1h0m0s old: down"},
		"not read yet":        {want: "the account has not been read yet"},
		"cannot be read":      {status: nodegroups.Status{LastError: "forbidden"}, want: "the account has not been read yet: forbidden"},
		"on the way out":      {status: nodegroups.Status{Ready: true}, stopping: true, want: "stopping"},
		"the future is fresh": {status: nodegroups.Status{Ready: true}, age: -time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			test.status.Taken = taken
			r := &readiness{
				status: func() nodegroups.Status { return test.status },
				clock:  testingclock.NewFakePassiveClock(taken.Add(test.age)),
				maxAge: 10 * time.Minute,
			}
			r.stopping.Store(test.stopping)
			assert.Equal(t, test.want, r.notReady())
		})
	}
}

func TestHealthFollowsWithinAPeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var status atomic.Pointer[nodegroups.Status]
		status.Store(&nodegroups.Status{})
		wall := clock.RealClock{} // the bubble's
		r := &readiness{status: func() nodegroups.Status { return *status.Load() }, clock: wall, maxAge: time.Minute}
		served := make(chan bool, 8)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			r.follow(ctx, wall, slog.New(slog.DiscardHandler), func(ready bool) { served <- ready })
		}()
		synctest.Wait()
		assert.Empty(t, served, "it starts not serving, and nothing changed")

		status.Store(&nodegroups.Status{Ready: true, Taken: wall.Now()})
		<-wall.After(readyPeriod)
		synctest.Wait()
		require.Len(t, served, 1)
		assert.True(t, <-served)

		<-wall.After(time.Minute) // without another reading
		synctest.Wait()
		require.Len(t, served, 1)
		assert.False(t, <-served)
		cancel()
		<-done
	})
}

func TestFirstReadingIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wall := clock.RealClock{}
		start := wall.Now()
		var at []time.Duration
		refreshOnce(t.Context(), wall, slog.New(slog.DiscardHandler), func(ctx context.Context) error {
			at = append(at, wall.Since(start))
			if len(at) < 8 {
				return context.DeadlineExceeded
			}
			return nil
		})
		// 1, 2, 4, 8 and then 15 seconds apart.
		assert.Equal(t, []time.Duration{0, 1 * time.Second, 3 * time.Second, 7 * time.Second, 15 * time.Second, 30 * time.Second, 45 * time.Second, 60 * time.Second}, at)
	})
}

func TestFirstReadingIsBoundedAndEndsWithTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wall := clock.RealClock{}
		start := wall.Now()
		ctx, cancel := context.WithCancel(t.Context())
		attempts := 0
		refreshOnce(ctx, wall, slog.New(slog.DiscardHandler), func(ctx context.Context) error {
			attempts++
			if attempts == 2 {
				cancel()
			}
			<-ctx.Done() // a cloud that does not answer
			return ctx.Err()
		})
		assert.Equal(t, 2, attempts)
		assert.Equal(t, firstRefreshTimeout+firstRefreshWait, wall.Since(start))
	})
}
