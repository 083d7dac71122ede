package recommend

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

const hoursOfWeek = 7 * 24

// demand is how many nodes of a group builds would keep busy if none ever waited.
type demand struct {
	// peak if every build that the group takes ran there.
	peak int
	// week is the mean by hour of the week, the first for Monday from 00:00 to 01:00, of
	// the builds for which the group is the cheapest.
	week [hoursOfWeek]float64
	// shared: some builds that the group takes may run elsewhere, too.
	shared bool
}

// demands are the groups' demands, with hours told in the location.
func demands(s engine.Settings, location *time.Location) []demand {
	needs := needsOf(s)
	out := make([]demand, len(s.Groups))
	for g := range s.Groups {
		var cheapest, all []load
		for _, b := range s.Trace.Builds {
			need := needs[b.Shape]
			if need.nodes[g] == 0 {
				continue
			}
			l := load{b.Arrival, b.Arrival + b.Duration, need.nodes[g]}
			all = append(all, l)
			out[g].shared = out[g].shared || need.takers > 1
			if need.cheapest == g {
				cheapest = append(cheapest, l)
			}
		}
		out[g].peak = peakOf(all)
		out[g].week = weekOf(cheapest, s.Trace, location)
	}
	return out
}

// need is what a shape of builds takes of each group's nodes.
type need struct {
	// nodes by group: the part of a node that one build takes, what is too small for
	// another one included; 0 where the group does not take it.
	nodes    []float64
	takers   int
	cheapest int
}

func needsOf(s engine.Settings) []need {
	out := make([]need, len(s.Trace.Shapes))
	for i, shape := range s.Trace.Shapes {
		out[i] = need{nodes: make([]float64, len(s.Groups)), cheapest: -1}
		best := math.Inf(1)
		for g, group := range s.Groups {
			part := partOf(group, shape)
			if part == 0 {
				continue
			}
			out[i].nodes[g] = part
			out[i].takers++
			if price := part * group.PricePerHour; price < best {
				best, out[i].cheapest = price, g
			}
		}
	}
	return out
}

// partOf is the part of the group's node that a build takes; 0 if it cannot run there.
func partOf(g engine.Group, s workload.Shape) float64 {
	if !slices.Contains(s.Classes, string(g.Config.Class)) {
		return 0
	}
	for key, value := range s.Labels {
		if g.Template.Labels[key] != value {
			return 0
		}
	}
	a := g.Template.Allocatable
	gpus := a[cloudprovider.GPUResource]
	part := 0.0
	for _, r := range [][2]int64{
		{s.MilliCPU, a.Cpu().MilliValue()}, {s.MemoryBytes, a.Memory().Value()}, {s.GPUs, gpus.Value()}, {1, cmp.Or(a.Pods().Value(), 110)},
	} {
		if r[0] > r[1] {
			return 0
		}
		if r[1] > 0 {
			part = max(part, float64(r[0])/float64(r[1]))
		}
	}
	return 1 / math.Floor(1/part+1e-9)
}

// load is a part of a node that is taken from one time to another.
type load struct {
	from, until time.Duration
	nodes       float64
}

// peakOf is the most that is taken at once, in whole nodes.
func peakOf(loads []load) int {
	ends := slices.Clone(loads)
	slices.SortStableFunc(ends, func(a, b load) int { return cmp.Compare(a.until, b.until) })
	now, most, gone := 0.0, 0.0, 0
	for _, l := range loads {
		for gone < len(ends) && ends[gone].until <= l.from {
			now -= ends[gone].nodes
			gone++
		}
		now += l.nodes
		most = max(most, now)
	}
	return int(math.Ceil(most - 1e-6))
}

// weekOf is the mean of what is taken, by hour of the week.
func weekOf(loads []load, trace workload.Trace, location *time.Location) (week [hoursOfWeek]float64) {
	if len(trace.Builds) == 0 {
		return week
	}
	start := trace.Start.In(location)
	// Hours are counted from the Monday before the start.
	into := time.Duration((int(start.Weekday())+6)%7)*24*time.Hour + start.Sub(
		time.Date(start.Year(), start.Month(), start.Day(), 0, 0, 0, 0, location))
	spread := func(to *[hoursOfWeek]float64, l load) {
		for at := l.from + into; at < l.until+into; {
			end := min((at/time.Hour+1)*time.Hour, l.until+into)
			to[int(at/time.Hour)%hoursOfWeek] += l.nodes * (end - at).Hours()
			at = end
		}
	}
	var seen [hoursOfWeek]float64
	end := trace.Builds[len(trace.Builds)-1].Arrival
	spread(&seen, load{0, end + time.Second, 1})
	for _, l := range loads {
		// What runs on behind the last arrival is no demand of those hours.
		spread(&week, load{l.from, min(l.until, end), l.nodes})
	}
	for h := range week {
		// Minutes of an hour say too little of it.
		if week[h] /= max(seen[h], 0.25); seen[h] == 0 {
			week[h] = 0
		}
	}
	return week
}
