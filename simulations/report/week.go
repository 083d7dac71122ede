package report

import (
	"sort"
	"time"

	"github.com/buildpool/buildpool/simulations/engine"
)

// hoursOfWeek are the cells of a week, from Monday 00:00.
const hoursOfWeek = 7 * 24

// Week is the run by hour of the week: 168 figures each, the first for Monday from
// 00:00 to 01:00 in the trace's own time.
type Week struct {
	// Hours of the run that fell into the hour of the week; where it is 0, so are the
	// others.
	Hours []float64 `json:"hours"`
	// Arrivals per hour.
	Arrivals []float64 `json:"arrivals"`
	// WaitP95 is the 95th percentile of the waits of the builds that arrived then, in
	// seconds.
	WaitP95 []float64 `json:"waitP95"`
	// Nodes that were billed, on average.
	Nodes []float64 `json:"nodes"`
}

// slot is a stretch of the run within one hour of the week.
type slot struct {
	from, until time.Duration
	hour        int
}

// slotsOf cuts a run at the full hours of its own clock.
func slotsOf(start time.Time, end time.Duration) []slot {
	var slots []slot
	for from := time.Duration(0); from < end; {
		now := start.Add(from)
		past := time.Duration(now.Minute())*time.Minute + time.Duration(now.Second())*time.Second + time.Duration(now.Nanosecond())
		until := min(from+time.Hour-past, end)
		day := (int(now.Weekday()) + 6) % 7 // Monday is 0
		slots = append(slots, slot{from: from, until: until, hour: day*24 + now.Hour()})
		from = until
	}
	return slots
}

func summarizeWeek(w waiting) Week {
	slots := slotsOf(w.trace.Start, w.result.End)
	week := Week{
		Hours: make([]float64, hoursOfWeek), Arrivals: make([]float64, hoursOfWeek),
		WaitP95: make([]float64, hoursOfWeek), Nodes: make([]float64, hoursOfWeek),
	}
	for _, s := range slots {
		week.Hours[s.hour] += (s.until - s.from).Hours()
	}
	arrived := w.gather(hoursOfWeek, func(b int32) int {
		if at := slotAt(slots, w.trace.Builds[b].Arrival); at < len(slots) {
			return slots[at].hour
		}
		return -1 // after the run's horizon
	})
	nodeHours := nodeHoursByWeek(slots, w.result)
	for hour, covered := range week.Hours {
		waits := arrived[hour].waits
		week.Arrivals[hour] = rounded(share(float64(len(waits)), covered), 1000)
		week.WaitP95[hour] = seconds(Percentile(waits, 95))
		week.Nodes[hour] = rounded(share(nodeHours[hour], covered), 1000)
		week.Hours[hour] = rounded(covered, 10000)
	}
	return week
}

// nodeHoursByWeek spreads each node's time over the hours in which it was billed.
func nodeHoursByWeek(slots []slot, result engine.Result) []float64 {
	spread := make([]float64, hoursOfWeek)
	for _, n := range result.Nodes {
		if n.Created == engine.Never {
			continue
		}
		gone := goneAt(n, result.End)
		for at := slotAt(slots, n.Created); at < len(slots) && slots[at].from < gone; at++ {
			s := slots[at]
			spread[s.hour] += (min(gone, s.until) - max(n.Created, s.from)).Hours()
		}
	}
	return spread
}

// slotAt is the index of the slot that holds the instant.
func slotAt(slots []slot, at time.Duration) int {
	return sort.Search(len(slots), func(n int) bool { return slots[n].until > at })
}
