package oracle

import (
	"slices"
	"time"

	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

// figures are what a run is judged by.
type figures struct {
	Cost, NodeHours float64
	P50, P95, P99   time.Duration
	// Unstarted builds have no wait; Interruptions are how often builds began anew.
	Unstarted, Interruptions int
	ScaleUps, Nodes          int
}

func figuresOf(trace workload.Trace, r *engine.Result) figures {
	var f figures
	for _, g := range r.Groups {
		f.Cost += g.Cost
		f.NodeHours += g.Billed.Hours()
		f.ScaleUps += g.ScaleUps
	}
	f.Nodes = len(r.Nodes)
	var waits []time.Duration
	for n, b := range r.Builds {
		f.Interruptions += int(b.Interruptions)
		if b.Started == engine.Never {
			f.Unstarted++
			continue
		}
		waits = append(waits, b.Started-trace.Builds[n].Arrival)
	}
	slices.Sort(waits)
	f.P50, f.P95, f.P99 = at(waits, 50), at(waits, 95), at(waits, 99)
	return f
}

// at is the smallest wait that so many per cent of the waits do not exceed.
func at(sorted []time.Duration, percent int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[max(0, (len(sorted)*percent+99)/100-1)]
}

// measure is one of the figures, and how far from the oracle's the engine's may be.
type measure struct {
	name  string
	of    func(figures) float64
	share float64 // of the oracle's own
	least float64 // in any case
	unit  string
}

var measures = []measure{
	{"cost", func(f figures) float64 { return f.Cost }, 0.02, 0, "%.1f"},
	{"node-hours", func(f figures) float64 { return f.NodeHours }, 0.02, 0, "%.1f"},
	{"p50 s", func(f figures) float64 { return f.P50.Seconds() }, 0.05, 3, "%.1f"},
	{"p95 s", func(f figures) float64 { return f.P95.Seconds() }, 0.05, 3, "%.1f"},
	{"p99 s", func(f figures) float64 { return f.P99.Seconds() }, 0.10, 3, "%.1f"},
}

// verdict compares the median of the engine's runs with the spread of the oracle's.
type verdict struct {
	measure
	low, high, engine float64
}

func (v verdict) bounds() (low, high float64) {
	return v.low - max(v.low*v.share, v.least), v.high + max(v.high*v.share, v.least)
}

func (v verdict) agrees() bool {
	low, high := v.bounds()
	return v.engine >= low && v.engine <= high
}

func compare(oracle, engine []figures) []verdict {
	var all []verdict
	for _, m := range measures {
		v := verdict{measure: m}
		theirs := sorted(oracle, m.of)
		v.low, v.high = theirs[0], theirs[len(theirs)-1]
		ours := sorted(engine, m.of)
		v.engine = ours[len(ours)/2]
		all = append(all, v)
	}
	return all
}

func sorted(runs []figures, of func(figures) float64) []float64 {
	var values []float64
	for _, f := range runs {
		values = append(values, of(f))
	}
	slices.Sort(values)
	return values
}
