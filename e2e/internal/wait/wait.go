// Package wait polls a condition until it holds or its time is over. It is the
// only way a test of this module waits: nothing sleeps and hopes.
//
// It must not know what it waits for.
package wait

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrStop ends a poll at once: a condition that wraps it says that it can never
// hold any more.
var ErrStop = errors.New("pointless to wait on")

// Until calls check every interval, the first time at once, until it returns nil.
// When ctx ends first, or check returns an ErrStop, the error names what was
// awaited and carries check's last error.
func Until(ctx context.Context, what string, interval time.Duration, check func(context.Context) error) error {
	began := time.Now()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var last error
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		// A check that fails because the time is over says less than the one before.
		if last == nil || ctx.Err() == nil {
			last = err
		}
		if errors.Is(err, ErrStop) {
			return fmt.Errorf("wait for %s: after %s: %w", what, since(began), err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: after %s: %w (%w)", what, since(began), last, ctx.Err())
		case <-ticker.C:
		}
	}
}

// Hold calls check every interval for the whole duration and returns the first
// error: the condition must not only come true but stay so.
func Hold(ctx context.Context, what string, duration, interval time.Duration, check func(context.Context) error) error {
	began := time.Now()
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for time.Since(began) < duration {
		if err := check(ctx); err != nil {
			return fmt.Errorf("hold %s: broken after %s: %w", what, since(began), err)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("hold %s: %w", what, ctx.Err())
		case <-ticker.C:
		}
	}
	return nil
}

func since(began time.Time) time.Duration { return time.Since(began).Round(10 * time.Millisecond) }
