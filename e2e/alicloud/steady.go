package main

import (
	"errors"
	"time"
)

// steady is what a cluster costs in which nothing happens.
type steady struct {
	fleet fleet
	// loop is one loop's calls, and its time when an API call takes no time.
	loop cost
	// slowLoop and slowList are with an API that takes its time; list is CA's look at
	// the instances of all groups.
	list, slowLoop, slowList cost
	// full is a loop in which the provider looks at everything by itself.
	full cost
}

// buildpool reads all instances again every fullLookInterval, whether or not a
// counter moved; the in-tree provider does the like every hour, which is left out.
const fullLookInterval = 5 * time.Minute

// rateLimitRefill is how long buildpool's own rate limit, 20 calls a second and 40 at
// once, takes to allow 40 again. It runs by the real clock, which knows nothing of the
// minutes that were skipped.
const rateLimitRefill = 2 * time.Second

// perTenMinutes is how many calls the account sees in ten minutes at CA's pace.
func (s steady) perTenMinutes() int {
	const span = 10 * time.Minute
	loops, lists, looks := int(span/scanInterval), int(span/listInterval), int(span/fullLookInterval)
	return (loops-looks)*s.loop.calls + looks*s.full.calls + lists*s.list.calls
}

// How many loops are timed; the quickest counts, since others use the machine too.
const (
	quietLoops = 3
	slowLoops  = 2
)

// quickest returns the shortest time of a number of loops, and the most calls.
func (c *contestant) quickest(loops int) (best cost, err error) {
	for n := range loops {
		one, err := c.measure(c.loop)
		if err != nil {
			return cost{}, err
		}
		if n == 0 || one.took < best.took {
			best.took = one.took
		}
		best.calls = max(best.calls, one.calls)
	}
	return best, nil
}

// beSteady measures a cluster in which nothing happens. Times with an API latency are
// left at zero when the latency is.
func beSteady(k kind, f fleet, latency time.Duration) (s steady, err error) {
	c, err := open(k, f)
	if err != nil {
		return steady{}, err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	s.fleet = f
	for range 2 { // learn nodes, templates, instance types
		if err := c.loop(); err != nil {
			return s, err
		}
	}
	if s.loop, err = c.quickest(quietLoops); err != nil {
		return s, err
	}
	if s.list, err = c.measure(c.list); err != nil {
		return s, err
	}
	if latency > 0 {
		c.account.latency.Store(int64(latency))
		if s.slowLoop, err = c.quickest(slowLoops); err != nil {
			return s, err
		}
		if s.slowList, err = c.measure(c.list); err != nil {
			return s, err
		}
		c.account.latency.Store(0)
	}
	c.account.clock.skip(fullLookInterval)
	if k == buildpool {
		time.Sleep(rateLimitRefill)
	}
	s.full, err = c.measure(c.loop)
	return s, err
}
