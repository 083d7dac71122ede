package main

import (
	"time"

	"k8s.io/utils/clock"
)

// acceleratedClock shows time that passes speed times as fast as on another clock.
//
// Its channels fire at the right moments but carry the other clock's time: ask Now.
type acceleratedClock struct {
	base   clock.WithTicker
	origin time.Time // the base's time at which start is shown
	start  time.Time
	speed  float64
}

var _ clock.WithTicker = (*acceleratedClock)(nil)

// newAcceleratedClock accelerates base from now on, showing start at first; speed is
// positive, and 1 changes nothing.
func newAcceleratedClock(base clock.WithTicker, start time.Time, speed float64) *acceleratedClock {
	return &acceleratedClock{base: base, origin: base.Now(), start: start, speed: speed}
}

// slow turns a duration of this clock into one of the base. A positive one stays
// positive, because a ticker refuses zero.
func (c *acceleratedClock) slow(d time.Duration) time.Duration {
	slowed := time.Duration(float64(d) / c.speed)
	if d > 0 && slowed <= 0 {
		return 1
	}
	return slowed
}

// Now returns the accelerated time.
func (c *acceleratedClock) Now() time.Time {
	return c.start.Add(time.Duration(float64(c.base.Since(c.origin)) * c.speed))
}

// Since returns the accelerated time that has passed since an accelerated instant.
func (c *acceleratedClock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// Sleep returns after an accelerated duration.
func (c *acceleratedClock) Sleep(d time.Duration) { c.base.Sleep(c.slow(d)) }

// After sends the time once, after an accelerated duration.
func (c *acceleratedClock) After(d time.Duration) <-chan time.Time { return c.NewTimer(d).C() }

// Tick sends the time at accelerated intervals, for ever.
func (c *acceleratedClock) Tick(d time.Duration) <-chan time.Time { return c.NewTicker(d).C() }

// NewTimer makes a timer of an accelerated duration.
func (c *acceleratedClock) NewTimer(d time.Duration) clock.Timer {
	return acceleratedTimer{Timer: c.base.NewTimer(c.slow(d)), clock: c}
}

// NewTicker makes a ticker of accelerated intervals.
func (c *acceleratedClock) NewTicker(d time.Duration) clock.Ticker {
	return c.base.NewTicker(c.slow(d))
}

// acceleratedTimer is a timer of the base that is set in accelerated durations.
type acceleratedTimer struct {
	clock.Timer
	clock *acceleratedClock
}

// Reset sets the timer anew to an accelerated duration.
func (t acceleratedTimer) Reset(d time.Duration) bool { return t.Timer.Reset(t.clock.slow(d)) }
