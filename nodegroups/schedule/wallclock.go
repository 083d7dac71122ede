package schedule

import "time"

// wallclock is what a clock on the wall shows, as a UTC time with the same figures: it
// knows no daylight saving, so that counting in it skips and repeats nothing.
type wallclock struct{ time.Time }

// reading returns what the location's clock shows at t.
func reading(t time.Time, l *time.Location) wallclock {
	_, offset := t.In(l).Zone()
	return wallclock{t.Add(time.Duration(offset) * time.Second).UTC()}
}

// in returns the first instant at which the location's clock shows w. A reading that
// the clock skips when daylight saving begins is the instant at which it skips: what
// was to begin at 02:30 begins when 02:00 turns into 03:00.
func (w wallclock) in(l *time.Location) time.Time {
	t := time.Date(w.Year(), w.Month(), w.Day(), w.Hour(), w.Minute(), w.Second(), w.Nanosecond(), l)
	start, end := t.ZoneBounds()
	if shown := reading(t, l); !shown.Equal(w.Time) {
		// In the gap, Date answers from either side of it.
		if shown.After(w.Time) {
			return start
		}
		return end
	}
	if start.IsZero() {
		return t
	}
	// The hour that a clock shows twice: the earlier zone shows w, too, and first.
	_, now := t.Zone()
	_, before := start.Add(-time.Nanosecond).In(l).Zone()
	if first := t.Add(time.Duration(now-before) * time.Second); first.Before(start) {
		return first
	}
	return t
}
