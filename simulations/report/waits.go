package report

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

// Waits are how long builds waited, in seconds from arrival to start. The percentiles
// are waits of real builds (nearest rank). A build that never started counts with what
// it had waited when the run ended, so that starving builds cannot better a figure.
type Waits struct {
	// Builds that are counted here.
	Builds int `json:"builds"`
	// Unstarted builds among them.
	Unstarted int `json:"unstarted"`
	// P50 is the median.
	P50 float64 `json:"p50"`
	// P90 is what nine of ten builds waited at most.
	P90 float64 `json:"p90"`
	// P95 is what 19 of 20 builds waited at most.
	P95 float64 `json:"p95"`
	// P99 is what 99 of 100 builds waited at most.
	P99 float64 `json:"p99"`
	// Max is the longest wait.
	Max float64 `json:"max"`
	// Mean of the waits.
	Mean float64 `json:"mean"`
	// OverSLO is the share of the builds that waited longer than the SLO, 0 to 1; 0
	// where there is no SLO.
	OverSLO float64 `json:"overSLO"`
}

// NamedWaits are the waits of builds that have something in common.
type NamedWaits struct {
	// Name of what they have in common: a class (or several, where builds may run on
	// each, as in spot|normal), a job, or a label.
	Name string `json:"name"`
	Waits
}

// CauseWaits are the waits with one cause.
type CauseWaits struct {
	// Cause as engine.Cause names it.
	Cause string `json:"cause"`
	// TotalSeconds that these builds waited together.
	TotalSeconds float64 `json:"totalSeconds"`
	// Share of all waiting time, 0 to 1.
	Share float64 `json:"share"`
	Waits
}

// Percentile returns the p-th percentile (0 to 100) of waits in ascending order by
// nearest rank: the least wait that at least p percent do not exceed. It is 0 where
// there are none.
func Percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[rank(len(sorted), p)]
}

// rank counts in thousandths of a percent: a product of floats may lie a hair above the
// whole number it stands for.
func rank(n int, p float64) int {
	thousandths := int(p*1000 + 0.5)
	return min(max((n*thousandths+99_999)/100_000, 1), n) - 1
}

// WaitTimes are how long each build of a run waited; one that never started, until the
// run ended.
func WaitTimes(trace workload.Trace, result engine.Result) []time.Duration {
	waits := make([]time.Duration, len(result.Builds))
	for n, b := range result.Builds {
		until := b.Started
		if until == engine.Never {
			until = result.End
		}
		waits[n] = max(until-trace.Builds[n].Arrival, 0)
	}
	return waits
}

// waiting is the waits of a run.
type waiting struct {
	trace  workload.Trace
	result engine.Result
	slo    time.Duration
	// wait of each build, and the builds by wait: what is gathered in that order is
	// sorted already.
	wait  []time.Duration
	order []int32
}

func waitsOf(trace workload.Trace, result engine.Result, slo time.Duration) waiting {
	w := waiting{trace: trace, result: result, slo: slo}
	w.wait = WaitTimes(trace, result)
	w.order = make([]int32, len(w.wait))
	for n := range w.order {
		w.order[n] = int32(n)
	}
	slices.SortFunc(w.order, func(a, b int32) int { return cmp.Compare(w.wait[a], w.wait[b]) })
	return w
}

// gathered are the waits of some builds, in ascending order.
type gathered struct {
	waits     []time.Duration
	unstarted int
}

func (g *gathered) add(wait time.Duration, started bool) {
	g.waits = append(g.waits, wait)
	if !started {
		g.unstarted++
	}
}

func (g *gathered) sum() (sum time.Duration) {
	for _, wait := range g.waits {
		sum += wait
	}
	return sum
}

func (g *gathered) summary(slo time.Duration) Waits {
	w := Waits{
		Builds:    len(g.waits),
		Unstarted: g.unstarted,
		P50:       seconds(Percentile(g.waits, 50)),
		P90:       seconds(Percentile(g.waits, 90)),
		P95:       seconds(Percentile(g.waits, 95)),
		P99:       seconds(Percentile(g.waits, 99)),
		Max:       seconds(Percentile(g.waits, 100)),
	}
	if n := len(g.waits); n > 0 {
		w.Mean = rounded(g.sum().Seconds()/float64(n), 1000)
		if slo > 0 {
			within, _ := slices.BinarySearchFunc(g.waits, slo+1, cmp.Compare[time.Duration])
			w.OverSLO = share(float64(n-within), float64(n))
		}
	}
	return w
}

// gather sorts builds into n bins; builds that in gives a negative bin are left out.
func (w waiting) gather(n int, in func(build int32) int) []gathered {
	bins := make([]gathered, n)
	for _, build := range w.order {
		if bin := in(build); bin >= 0 {
			bins[bin].add(w.wait[build], w.started(build))
		}
	}
	return bins
}

func (w waiting) all() Waits {
	bins := w.gather(1, func(int32) int { return 0 })
	return bins[0].summary(w.slo)
}

// observed takes its own order: it is another wait.
func (w waiting) observed() *Waits {
	var g gathered
	for _, b := range w.trace.Builds {
		if b.Wait >= 0 {
			g.add(b.Wait, true)
		}
	}
	if len(g.waits) == 0 {
		return nil
	}
	slices.Sort(g.waits)
	summary := g.summary(w.slo)
	return &summary
}

func (w waiting) byCause() []CauseWaits {
	causes := engine.Causes()
	bins := w.gather(len(causes), func(b int32) int { return int(w.result.Builds[b].Cause) })
	var total time.Duration
	for n := range bins {
		total += bins[n].sum()
	}
	out := []CauseWaits{}
	for n, cause := range causes {
		if sum := bins[n].sum(); len(bins[n].waits) > 0 {
			out = append(out, CauseWaits{
				Cause:        cause.String(),
				TotalSeconds: seconds(sum),
				Share:        share(float64(sum), float64(total)),
				Waits:        bins[n].summary(w.slo),
			})
		}
	}
	return out
}

// ClassName is the name under which a report counts builds of the shape: the classes
// it may run on.
func ClassName(s workload.Shape) string { return strings.Join(s.Classes, "|") }

func (w waiting) started(build int32) bool { return w.result.Builds[build].Started != engine.Never }
