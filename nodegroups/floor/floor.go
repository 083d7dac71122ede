package floor

import (
	"fmt"
	"time"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/nodegroups/schedule"
)

// DefaultLead is how early a window opens that names no lead, until the group's boot
// time has been measured.
const DefaultLead = 3 * time.Minute

// Policy is what a group's configuration says of its floor.
type Policy struct {
	windows  []window
	cooldown config.Cooldown
}

type window struct {
	config config.Window
	times  schedule.Window
}

// New compiles a group's windows and cooldowns. It fails if a window's cron expression
// or time zone cannot be read, which a checked configuration's can.
func New(g config.Group) (Policy, error) {
	p := Policy{cooldown: g.Cooldown}
	for i, w := range g.Schedules {
		times, err := w.Times()
		if err != nil {
			return Policy{}, fmt.Errorf("schedule %d of group %q: %w", i, g.Name, err)
		}
		p.windows = append(p.windows, window{config: w, times: times})
	}
	return p, nil
}

// Facts are what a floor depends on beside the configuration and the time.
type Facts struct {
	// Min and Max are the configured ones inside the scaling group's own.
	Min, Max int
	// Target is the group's size as cluster-autoscaler reads it.
	Target int
	// Missing is how much of the target a cooldown does not hold: placeholders, and
	// instances that have not joined within their provision time. cluster-autoscaler
	// removes such instances, but not below min.
	Missing int
	// ScaledUp, ScaledDown, Failed and Reclaimed are when that last happened; zero: not
	// that we know.
	ScaledUp, ScaledDown, Failed, Reclaimed time.Time
	// Boot is how long the group's nodes take to be Ready, as measured, and Warm the same
	// for stopped instances that are started again; 0: not known.
	Boot, Warm time.Duration
	// Stopped is how many instances wait stopped; a scale-up starts them first.
	Stopped int
}

// Floor is the least number of nodes now, and why.
type Floor struct {
	// Min is what cluster-autoscaler is told.
	Min int
	// Reason is what made it so; of equals the one that holds without us.
	Reason Reason
	// Until is when the reason ends by time alone; zero: it does not.
	Until time.Time
	// Window is the warm window that asks for the most now, nil if none is open.
	Window *OpenWindow
	// Cooldowns are the timers that run, in the order of their kinds.
	Cooldowns []Timer
}

// Reason says what a floor comes from.
type Reason string

// The reasons of a floor.
const (
	Configured Reason = "configured"
	Schedule   Reason = "schedule"
	Cooldown   Reason = "cooldown"
	Max        Reason = "max" // the reason asks for more than the group's max
)

// OpenWindow is a warm window in force.
type OpenWindow struct {
	// Cron is its expression, by which people know it, and Least what it asks for.
	Cron  string
	Least int
	schedule.Opening
}

// Timer is a running cooldown.
type Timer struct {
	Kind  TimerKind
	Until time.Time
}

// TimerKind is what a cooldown came after.
type TimerKind string

// The kinds of cooldown.
const (
	AfterScaleUp   TimerKind = "after scale-up"
	AfterScaleDown TimerKind = "after scale-down"
	AfterFailure   TimerKind = "after failure"
	AfterReclaim   TimerKind = "after reclaim"
)

// At returns the floor at an instant. It is never above f.Max, and a cooldown never
// lifts it above f.Target: no timer makes a group grow.
func (p Policy) At(now time.Time, f Facts) Floor {
	out := Floor{Min: f.Min, Reason: Configured, Cooldowns: p.timers(now, f)}
	out.Window = p.open(now, f)
	if out.Window != nil && out.Window.Least > out.Min {
		out.Min, out.Reason, out.Until = out.Window.Least, Schedule, out.Window.Until
	}
	if held := f.Target - f.Missing; len(out.Cooldowns) > 0 && held > out.Min {
		out.Min, out.Reason, out.Until = held, Cooldown, last(out.Cooldowns)
	}
	if out.Min > f.Max {
		out.Min, out.Reason, out.Until = f.Max, Max, time.Time{}
	}
	out.Min = max(0, out.Min)
	return out
}

// Changes returns the first instant after now at which the floor may change by time
// alone; ok is false if there is none.
func (p Policy) Changes(now time.Time, f Facts) (at time.Time, ok bool) {
	earlier := func(t time.Time) {
		if t.After(now) && (!ok || t.Before(at)) {
			at, ok = t, true
		}
	}
	for _, t := range p.timers(now, f) {
		earlier(t.Until)
	}
	for _, w := range p.windows {
		lead := w.lead(f)
		if o, open := w.times.Open(now, lead); open {
			earlier(o.Until)
		}
		if o, will := w.times.Next(now, lead); will {
			earlier(o.From)
		}
	}
	return at, ok
}

// open returns the window that asks for the most now; of equals the one that closes
// last.
func (p Policy) open(now time.Time, f Facts) *OpenWindow {
	var found *OpenWindow
	for _, w := range p.windows {
		o, open := w.times.Open(now, w.lead(f))
		if !open {
			continue
		}
		least := w.config.Least(f.Max)
		if found == nil || least > found.Least || (least == found.Least && o.Until.After(found.Until)) {
			found = &OpenWindow{Cron: w.config.Cron, Least: least, Opening: o}
		}
	}
	return found
}

func (w window) lead(f Facts) time.Duration {
	switch {
	case w.config.Lead != nil:
		return time.Duration(*w.config.Lead)
	case f.startsAll(w.config.Least(f.Max)):
		return f.Warm
	case f.Boot > 0:
		return f.Boot
	}
	return DefaultLead
}

// startsAll reports whether the nodes that are missing need no instance created. With
// none missing it is false, so that a window that has opened early does not close again
// because its nodes are on their way.
func (f Facts) startsAll(least int) bool {
	missing := least - f.Target
	return f.Warm > 0 && missing > 0 && missing <= f.Stopped
}

// timers returns the cooldowns that run.
func (p Policy) timers(now time.Time, f Facts) []Timer {
	var running []Timer
	for _, t := range []struct {
		kind  TimerKind
		began time.Time
		lasts *config.Duration
	}{
		{AfterScaleUp, f.ScaledUp, p.cooldown.AfterScaleUp},
		{AfterScaleDown, f.ScaledDown, p.cooldown.AfterScaleDown},
		{AfterFailure, f.Failed, p.cooldown.AfterFailure},
		{AfterReclaim, f.Reclaimed, p.cooldown.AfterReclaim},
	} {
		if t.lasts == nil || t.began.IsZero() {
			continue
		}
		if until := t.began.Add(time.Duration(*t.lasts)); now.Before(until) {
			running = append(running, Timer{Kind: t.kind, Until: until})
		}
	}
	return running
}

func last(timers []Timer) time.Time {
	var until time.Time
	for _, t := range timers {
		if t.Until.After(until) {
			until = t.Until
		}
	}
	return until
}
