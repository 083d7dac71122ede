package schedule

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// Window is a recurring window of time.
type Window struct {
	begins   cron.Schedule
	location *time.Location
	lasts    time.Duration
	holidays map[string]bool
}

// DayForm is how a holiday is written: the day in the window's own time zone.
const DayForm = time.DateOnly

// New makes a window that opens at each instant the cron expression names (five
// fields: minute, hour, day of month, month, day of week, or @daily and the like) on
// the location's clock, stays open for lasts, and does not open on holidays.
func New(expression string, location *time.Location, lasts time.Duration, holidays []string) (Window, error) {
	begins, err := ParseCron(expression)
	if err != nil {
		return Window{}, err
	}
	if lasts <= 0 {
		return Window{}, fmt.Errorf("a window of %v is never open", lasts)
	}
	w := Window{begins: begins, location: location, lasts: lasts, holidays: map[string]bool{}}
	for _, day := range holidays {
		if _, err := time.Parse(DayForm, day); err != nil {
			return Window{}, fmt.Errorf("holiday %q: want a day such as 2026-10-01", day)
		}
		w.holidays[day] = true
	}
	return w, nil
}

// ParseCron reads a cron expression of five fields. The time zone is the window's, not
// the expression's.
func ParseCron(expression string) (cron.Schedule, error) {
	if strings.Contains(expression, "TZ=") {
		return nil, fmt.Errorf("cron %q: the time zone has a field of its own", expression)
	}
	parsed, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor).Parse(expression)
	if err != nil {
		return nil, fmt.Errorf("cron %q: %w", expression, err)
	}
	spec, ok := parsed.(*cron.SpecSchedule)
	if !ok {
		return nil, fmt.Errorf("cron %q: an interval has no time of day", expression)
	}
	// Expressions are counted out on wall clocks, which are UTC to the parser.
	spec.Location = time.UTC
	return spec, nil
}

// Opening is one time that a window is open: from From until before Until.
type Opening struct{ From, Until time.Time }

// Open returns the opening in force at t, if there is one. The window opens early by
// lead and closes when it would have closed anyway. Of openings that overlap it is the
// one that closes last.
func (w Window) Open(t time.Time, lead time.Duration) (Opening, bool) {
	var found Opening
	// An hour more than the window is long: a clock that was set back in between shows
	// less time than has passed.
	for at := reading(t, w.location).Add(-w.lasts - time.Hour - time.Nanosecond); ; {
		at = w.begins.Next(at)
		if at.IsZero() {
			break
		}
		o := w.opening(at, lead)
		if o.From.After(t) && w.past(at, t, lead) {
			break
		}
		if !w.closed(at) && !o.From.After(t) && o.Until.After(t) && o.Until.After(found.Until) {
			found = o
		}
	}
	return found, !found.Until.IsZero()
}

// Next returns the first opening that begins after t; ok is false if there is none in
// the next years.
func (w Window) Next(t time.Time, lead time.Duration) (o Opening, ok bool) {
	for at := reading(t, w.location).Add(-time.Hour - time.Nanosecond); ; {
		at = w.begins.Next(at)
		if at.IsZero() {
			return Opening{}, false
		}
		if w.closed(at) {
			continue
		}
		if o := w.opening(at, lead); o.From.After(t) {
			return o, true
		}
	}
}

func (w Window) opening(at time.Time, lead time.Duration) Opening {
	begins := wallclock{at}.in(w.location)
	return Opening{From: begins.Add(-lead), Until: begins.Add(w.lasts)}
}

// past reports whether readings from at on are surely later than t: by more than a
// clock can be set back.
func (w Window) past(at, t time.Time, lead time.Duration) bool {
	return at.After(reading(t, w.location).Add(lead + time.Hour))
}

// closed reports whether a window that would open at the reading does not.
func (w Window) closed(at time.Time) bool { return w.holidays[at.Format(DayForm)] }
