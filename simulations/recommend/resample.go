package recommend

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/buildpool/buildpool/simulations/workload"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// resample is a history that could have been as well: of as many weeks, each drawn from
// those of the trace; of a trace shorter than two weeks as many days, working days drawn
// from working days and weekends from weekends. Weeks and days count from the trace's
// start, and what does not fill one stays where it is. Within a week or day nothing
// changes, so that bursts stay bursts.
func resample(t workload.Trace, chance *rand.Rand) workload.Trace {
	if len(t.Builds) == 0 {
		return t
	}
	span := t.Builds[len(t.Builds)-1].Arrival + 1
	length, kind := week, func(int) int { return 0 }
	if span < 2*week {
		length, kind = day, func(n int) int {
			if d := t.Start.Add(time.Duration(n) * day).Weekday(); d == time.Saturday || d == time.Sunday {
				return 1
			}
			return 0
		}
	}
	whole := int(span / length)
	var of [2][]int
	for n := range whole {
		of[kind(n)] = append(of[kind(n)], n)
	}
	out := t
	out.Builds = nil
	for n := range whole {
		from := of[kind(n)]
		drawn := from[chance.IntN(len(from))]
		out.Builds = appendMoved(out.Builds, t.Builds, drawn, n, length)
	}
	tail, _ := slices.BinarySearchFunc(t.Builds, time.Duration(whole)*length, byArrival)
	out.Builds = append(out.Builds, t.Builds[tail:]...)
	return out
}

// appendMoved appends the builds of one stretch of the trace at the place of another.
func appendMoved(to, builds []workload.Build, from, at int, length time.Duration) []workload.Build {
	first, _ := slices.BinarySearchFunc(builds, time.Duration(from)*length, byArrival)
	last, _ := slices.BinarySearchFunc(builds, time.Duration(from+1)*length, byArrival)
	for _, b := range builds[first:last] {
		b.Arrival += time.Duration(at-from) * length
		to = append(to, b)
	}
	return to
}

func byArrival(b workload.Build, at time.Duration) int { return int(b.Arrival - at) }
