package usage

import (
	"maps"
	"slices"
	"time"
)

// Day is what a group's instances came to on one day.
type Day struct {
	// Begins is the day's midnight on the location's clock.
	Begins time.Time
	// Instances is how many different instances existed for a part of it.
	Instances int
	// Time is how long they existed, added up.
	Time time.Duration
}

// Days adds lives up by the days of a location's calendar. Days without any are left
// out.
func Days(lives []Life, location *time.Location) []Day {
	days := map[time.Time]*Day{}
	seen := map[time.Time]map[string]bool{}
	for _, l := range lives {
		for from := l.From; from.Before(l.Until); {
			local := from.In(location)
			begins := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, location)
			to := time.Date(local.Year(), local.Month(), local.Day()+1, 0, 0, 0, 0, location)
			if !to.After(from) {
				to = from.Add(time.Hour) // a midnight that the clock skips
			}
			if to.After(l.Until) {
				to = l.Until
			}
			d := days[begins]
			if d == nil {
				d = &Day{Begins: begins}
				days[begins], seen[begins] = d, map[string]bool{}
			}
			d.Time += to.Sub(from)
			if !seen[begins][l.InstanceID] {
				seen[begins][l.InstanceID] = true
				d.Instances++
			}
			from = to
		}
	}
	out := make([]Day, 0, len(days))
	for _, begins := range slices.SortedFunc(maps.Keys(days), time.Time.Compare) {
		out = append(out, *days[begins])
	}
	return out
}
