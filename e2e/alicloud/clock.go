package main

import (
	"sync/atomic"
	"time"

	"k8s.io/utils/clock"
)

// skippingClock is the real clock with the waiting between CA's loops left out: it
// runs at the real speed, and skip moves it forward.
type skippingClock struct {
	clock.RealClock
	skipped atomic.Int64 // nanoseconds
}

func (c *skippingClock) skip(d time.Duration) { c.skipped.Add(int64(d)) }

// Now implements clock.PassiveClock.
func (c *skippingClock) Now() time.Time {
	return c.RealClock.Now().Add(time.Duration(c.skipped.Load()))
}

// Since implements clock.PassiveClock.
func (c *skippingClock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }
