package engine

import (
	"time"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/nodegroups/floor"
)

// floors are a group's min over time, by the provider's own rules.
type floors struct {
	policy floor.Policy
	// fixed: neither windows nor cooldowns, so that the min never changes.
	fixed bool
	// known is the min that holds until the time, as long as the facts are the same.
	known int
	until time.Duration
	facts floor.Facts
}

func fixedFloor(g config.Group) bool {
	c := g.Cooldown
	return len(g.Schedules) == 0 && c.AfterScaleUp == nil && c.AfterScaleDown == nil && c.AfterFailure == nil && c.AfterReclaim == nil
}

// floor is the group's min as the autoscaler sees it now.
func (w *world) floor(g int) int {
	f := &w.groups[g].floors
	if f.fixed {
		return w.settings.Groups[g].Config.Min
	}
	facts := w.facts(g)
	if w.now < f.until && facts == f.facts {
		return f.known
	}
	f.facts, f.known, f.until = facts, f.policy.At(w.clock(), facts).Min, forever
	if at, changes := f.policy.Changes(w.clock(), facts); changes {
		f.until = at.Sub(w.settings.Trace.Start)
	}
	return f.known
}

// facts are what a floor depends on.
func (w *world) facts(g int) floor.Facts {
	group, c := &w.groups[g], &w.settings.Groups[g].Config
	return floor.Facts{
		Min: c.Min, Max: c.Max, Target: group.target, Missing: group.failed + group.overdue,
		ScaledUp: w.past(group.scaledUp), ScaledDown: w.past(group.scaledDown),
		Failed: later(group.trouble.Failed.At, group.trouble.OutOfStock.At), Reclaimed: group.trouble.Reclaimed.At,
		Boot: w.settings.Groups[g].Boot.Median, Warm: w.warmMedian(g), Stopped: w.cloud.stopped[g],
	}
}

// warmMedian is how long an instance that was stopped takes; 0 where none is stopped.
func (w *world) warmMedian(g int) time.Duration {
	if !w.settings.Groups[g].Recycles {
		return 0
	}
	return w.settings.Groups[g].Warm.Median
}

// past is the instant as the production code sees it; zero if it never was.
func (w *world) past(at time.Duration) time.Time {
	if at == longAgo {
		return time.Time{}
	}
	return w.settings.Trace.Start.Add(at)
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// keepFloors raises groups to what a warm window keeps, where that is the provider's
// task and not the autoscaler's. It comes with the refresh at a loop's beginning.
func (s *autoscaler) keepFloors() {
	if s.world.settings.Schedule.Mode != config.ScheduleByProvider {
		return
	}
	for g := range s.world.groups {
		group := &s.world.groups[g]
		if missing := s.world.floor(g) - group.target; missing > 0 && len(s.world.settings.Groups[g].Config.Schedules) > 0 {
			s.world.increase(g, missing)
			group.scaledUp, s.changed = s.now(), true
		}
	}
}

// floorTimer notes when the group's min will change.
func (s *autoscaler) floorTimer(g int) {
	f := &s.world.groups[g].floors
	if f.fixed {
		return
	}
	s.world.floor(g)
	if f.until < forever {
		s.dueAt(f.until)
	}
}
