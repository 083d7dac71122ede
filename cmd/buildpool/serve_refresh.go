package main

import (
	"context"
	"log/slog"
	"time"

	"k8s.io/utils/clock"
)

// The first reading is tried again and again: the server is up, and may come before
// its credentials or its network.
const (
	firstRefreshTimeout = 30 * time.Second
	firstRefreshWait    = time.Second
	firstRefreshMaxWait = 15 * time.Second
)

// refreshOnce reads the account for the first time, so that the server is ready
// before the autoscaler asks. Later readings are the autoscaler's: a server that is
// not called reads nothing. It returns when a reading succeeded or ctx ended.
func refreshOnce(ctx context.Context, clock clock.WithTicker, log *slog.Logger, refresh func(context.Context) error) {
	for wait := firstRefreshWait; ; wait = min(2*wait, firstRefreshMaxWait) {
		attempt, cancel := context.WithTimeout(ctx, firstRefreshTimeout)
		err := refresh(attempt)
		cancel()
		if err == nil || ctx.Err() != nil {
			return
		}
		log.Warn("cannot read the account yet, will try again", "error", err, "after", wait)
		timer := clock.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C():
		}
	}
}
