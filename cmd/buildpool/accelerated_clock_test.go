package main

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
)

func TestAcceleratedClockShowsFasterTime(t *testing.T) {
	start := time.Date(2026, 8, 3, 15, 0, 0, 0, time.UTC)
	base := clocktesting.NewFakeClock(start)
	base.Step(time.Hour)
	fast := newAcceleratedClock(base, start, 60)
	assert.Equal(t, start, fast.Now(), "it begins where it is told to")
	base.Step(time.Second)
	assert.Equal(t, start.Add(time.Minute), fast.Now())
	assert.Equal(t, 30*time.Second, fast.Since(start.Add(30*time.Second)))
}

func TestAcceleratedClockFiresEarlier(t *testing.T) {
	base := clocktesting.NewFakeClock(time.Date(2026, 8, 3, 15, 0, 0, 0, time.UTC))
	fast := newAcceleratedClock(base, base.Now(), 60)
	timer, after := fast.NewTimer(time.Minute), fast.After(time.Minute)
	ticker := fast.NewTicker(time.Minute)
	defer ticker.Stop()

	base.Step(time.Second - time.Nanosecond)
	assert.Empty(t, timer.C())
	assert.Empty(t, after)
	assert.Empty(t, ticker.C())
	base.Step(time.Nanosecond)
	assert.Len(t, timer.C(), 1)
	assert.Len(t, after, 1)
	assert.Len(t, ticker.C(), 1)

	<-timer.C()
	timer.Reset(2 * time.Minute)
	base.Step(2*time.Second - time.Nanosecond)
	assert.Empty(t, timer.C())
	base.Step(time.Nanosecond)
	assert.Len(t, timer.C(), 1)
}

func TestAcceleratedClockSleepsLess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := clock.RealClock{}
		before := base.Now()
		newAcceleratedClock(base, before, 60).Sleep(time.Minute)
		assert.Equal(t, time.Second, base.Since(before))
	})
}

func TestAcceleratedClockNeverMakesAnEmptyInterval(t *testing.T) {
	base := clock.RealClock{}
	fast := newAcceleratedClock(base, base.Now(), 1000)
	assert.NotPanics(t, func() { fast.NewTicker(time.Nanosecond).Stop() })
}
