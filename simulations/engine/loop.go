package engine

import "time"

// autoscaler is cluster-autoscaler: its loop, and what it remembers from one to the
// next.
type autoscaler struct {
	world *world
	flags *Autoscaler
	// next is when the next loop is due that could do something, forever if none is;
	// last is when the last one was played.
	next, last time.Duration
	period     time.Duration
	// lastScaleUp and lastScaleDown are the global delays' beginnings.
	lastScaleUp, lastScaleDown time.Duration
	// quick loops are still to follow at once.
	quick int
	// changed: this loop did something, so that the next may go on from there.
	changed bool
	// holdScaleDown: pods are very new, so that this loop removes nothing.
	holdScaleDown bool
	// due is the earliest time at which this loop's outcome would have been another.
	due time.Duration

	touched   []int32
	recheck   []recheck // nodes found unremovable, in the order in which that ends
	empties   []int32   // idle nodes that are not yet tracked as unneeded
	unneeded  int       // nodes tracked as unneeded
	deletions deletions
	soft      softTaints
	drains    drains
	worths    worths
	need      []int // by demand: builds that no upcoming node has room for
	// oldest is since when the oldest of these has waited.
	oldest []time.Duration
	pods   podPacking
}

func newAutoscaler(w *world) autoscaler {
	flags := &w.settings.Autoscaler
	return autoscaler{
		world: w, flags: flags, next: forever, period: flags.ScanInterval + flags.LoopTime,
		lastScaleUp: longAgo, lastScaleDown: longAgo, need: make([]int, len(w.demands)), oldest: make([]time.Duration, len(w.demands)),
		deletions: deletions{byGroup: make([]int, len(w.settings.Groups))},
	}
}

func (s *autoscaler) now() time.Duration { return s.world.now }

// playAfter makes sure that a loop is played at or after the time. Loops come every
// period; those at which nothing can have changed are not played.
func (s *autoscaler) playAfter(at time.Duration) {
	if at >= s.next {
		return
	}
	s.next = min(s.next, s.slot(at))
}

// slot is the first time from the given one on at which a loop begins.
func (s *autoscaler) slot(at time.Duration) time.Duration {
	if at <= s.last {
		return s.last + s.period
	}
	n := (at - s.last + s.period - 1) / s.period
	return s.last + n*s.period
}

// podFailed: the scheduler found no node for a pod, which starts a loop at once with
// --frequent-loops-enabled (CA loop/trigger.go Wait).
func (s *autoscaler) podFailed() {
	if !s.flags.FrequentLoops {
		s.world.wake()
		return
	}
	s.next = min(s.next, max(s.now(), s.last+s.flags.LoopTime))
}

// loop is one RunOnce (CA core/static_autoscaler.go RunOnce).
func (s *autoscaler) loop() {
	s.world.result.Loops++
	s.last, s.next, s.due = s.now(), forever, forever
	s.changed, s.holdScaleDown = false, false
	lastScaleUp, lastScaleDown := s.lastScaleUp, s.lastScaleDown

	s.keepFloors()
	s.updateClusterState()
	s.drains.snapshot.taken = false
	s.filterOutSchedulable()
	s.scaleUp()
	s.scaleDown()
	s.enforceMin()

	s.planNext(s.lastScaleUp != lastScaleUp || s.lastScaleDown != lastScaleDown)
}

// planNext says which loop is to be played next. A loop that did something is followed
// by the next one. With --frequent-loops-enabled two more follow a productive loop at
// once: the trigger compares with the start of the loop before the last.
func (s *autoscaler) planNext(productive bool) {
	if s.flags.FrequentLoops {
		if productive {
			s.quick = 2
		}
		if s.quick > 0 {
			s.quick--
			s.next = s.last + s.flags.LoopTime
			return
		}
	}
	if s.changed || productive {
		s.playAfter(s.last + 1)
	}
	s.timers()
	if s.due < forever {
		s.playAfter(max(s.due, s.last+1))
	}
}

// dueAt notes a time at which a loop may come to another result.
func (s *autoscaler) dueAt(at time.Duration) { s.due = min(s.due, at) }

// timers notes when time alone will change what a loop finds.
func (s *autoscaler) timers() {
	waiting := s.waiting()
	for g := range s.world.groups {
		group := &s.world.groups[g]
		if group.request.increase > 0 {
			s.dueAt(group.request.expected + 1)
		}
		if group.backoff.holds(s.now()) && (waiting || group.target < s.world.floor(g)) {
			s.dueAt(group.backoff.until + 1)
		}
		for _, id := range group.creating {
			if n := &s.world.nodes[id]; n.state == creating {
				if n.seen == Never {
					s.dueAt(s.now() + 1)
				} else {
					s.dueAt(n.seen + group.options.provisionTime + 1)
				}
				break
			}
		}
		s.floorTimer(g)
		s.idleTimer(g)
	}
	if len(s.recheck) > 0 {
		s.dueAt(s.recheck[0].at)
	}
	if len(s.empties) > 0 || s.soft.waiting() || s.pods.chance {
		s.dueAt(s.now() + 1)
	}
}

// waiting reports whether a build waits that no node is on its way for.
func (s *autoscaler) waiting() bool {
	for _, n := range s.need {
		if n > 0 {
			return true
		}
	}
	return false
}
