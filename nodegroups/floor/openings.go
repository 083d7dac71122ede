package floor

import (
	"cmp"
	"slices"
	"time"
)

// maxOpenings bounds what a window that opens every minute adds to a day.
const maxOpenings = 48

// Openings returns when the warm windows are open between two instants, by their
// beginning; of those that are open at the first instant, with their true beginning.
func (p Policy) Openings(from, until time.Time, f Facts) []OpenWindow {
	var found []OpenWindow
	for _, w := range p.windows {
		lead, least := w.lead(f), w.config.Least(f.Max)
		o, open := w.times.Open(from, lead)
		if !open {
			o, open = w.times.Next(from, lead)
		}
		for n := 0; open && o.From.Before(until) && n < maxOpenings; n++ {
			found = append(found, OpenWindow{Cron: w.config.Cron, Least: least, Opening: o})
			o, open = w.times.Next(o.From, lead)
		}
	}
	slices.SortStableFunc(found, func(a, b OpenWindow) int { return cmp.Or(a.From.Compare(b.From), a.Until.Compare(b.Until)) })
	return found
}
