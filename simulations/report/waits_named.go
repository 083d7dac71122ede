package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/buildpool/buildpool/simulations/workload"
)

const defaultJobs = 100

// Curve is the distribution of some builds' waits: at Seconds[n] the share Shares[n]
// of them had started.
type Curve struct {
	// Name is all, or a class.
	Name string `json:"name"`
	// Shares of the builds, 0 to 1, rising.
	Shares []float64 `json:"shares"`
	// Seconds that this share waited at most.
	Seconds []float64 `json:"seconds"`
}

// AllBuilds names the curve of all builds.
const AllBuilds = "all"

// shapesBy numbers the names that shapes have: names in order of their first shape,
// and each shape's number.
func shapesBy(shapes []workload.Shape, name func(workload.Shape) string) (names []string, number []int) {
	numbers := map[string]int{}
	for _, s := range shapes {
		key := name(s)
		n, known := numbers[key]
		if !known {
			n = len(names)
			numbers[key] = n
			names = append(names, key)
		}
		number = append(number, n)
	}
	return names, number
}

func (w waiting) gatherShapes(name func(workload.Shape) string) ([]string, []gathered) {
	names, number := shapesBy(w.trace.Shapes, name)
	return names, w.gather(len(names), func(b int32) int { return number[w.trace.Builds[b].Shape] })
}

func (w waiting) byClass() []NamedWaits {
	names, bins := w.gatherShapes(ClassName)
	out := []NamedWaits{}
	for n, name := range names {
		if len(bins[n].waits) > 0 {
			out = append(out, NamedWaits{Name: name, Waits: bins[n].summary(w.slo)})
		}
	}
	slices.SortFunc(out, func(a, b NamedWaits) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// byJob lists at most so many jobs, and says how many are left out. Jobs without a
// name are not listed.
func (w waiting) byJob(most int) (jobs []NamedWaits, leftOut int) {
	if most == 0 {
		most = defaultJobs
	}
	names, bins := w.gatherShapes(func(s workload.Shape) string { return s.Job })
	type total struct {
		bin int
		sum time.Duration
	}
	var totals []total
	for n, name := range names {
		if name != "" && len(bins[n].waits) > 0 {
			totals = append(totals, total{bin: n, sum: bins[n].sum()})
		}
	}
	slices.SortFunc(totals, func(a, b total) int {
		return cmp.Or(cmp.Compare(b.sum, a.sum), cmp.Compare(names[a.bin], names[b.bin]))
	})
	jobs = []NamedWaits{}
	for _, t := range totals[:min(len(totals), most)] {
		jobs = append(jobs, NamedWaits{Name: names[t.bin], Waits: bins[t.bin].summary(w.slo)})
	}
	return jobs, len(totals) - len(jobs)
}

// byLabel counts a build under each of its labels.
func (w waiting) byLabel() []NamedWaits {
	var labels []string
	for _, s := range w.trace.Shapes {
		for key, value := range s.Labels {
			labels = append(labels, key+"="+value)
		}
	}
	slices.Sort(labels)
	labels = slices.Compact(labels)
	number := make([][]int, len(w.trace.Shapes))
	for n, s := range w.trace.Shapes {
		for key, value := range s.Labels {
			at, _ := slices.BinarySearch(labels, key+"="+value)
			number[n] = append(number[n], at)
		}
	}
	bins := make([]gathered, len(labels))
	for _, build := range w.order {
		for _, n := range number[w.trace.Builds[build].Shape] {
			bins[n].add(w.wait[build], w.started(build))
		}
	}
	out := []NamedWaits{}
	for n, label := range labels {
		if len(bins[n].waits) > 0 {
			out = append(out, NamedWaits{Name: label, Waits: bins[n].summary(w.slo)})
		}
	}
	return out
}

// byHour goes by the clock of the trace's start, as Week does.
func (w waiting) byHour() []NamedWaits {
	bins := w.gather(24, func(b int32) int { return w.trace.Start.Add(w.trace.Builds[b].Arrival).Hour() })
	out := []NamedWaits{}
	for hour := range bins {
		if len(bins[hour].waits) > 0 {
			out = append(out, NamedWaits{Name: fmt.Sprintf("%02d:00", hour), Waits: bins[hour].summary(w.slo)})
		}
	}
	return out
}

// curves has no classes of their own where there is only one.
func (w waiting) curves() []Curve {
	all := w.gather(1, func(int32) int { return 0 })
	out := []Curve{curve(AllBuilds, all[0].waits)}
	names, bins := w.gatherShapes(ClassName)
	var classes []Curve
	for n, name := range names {
		if len(bins[n].waits) > 0 {
			classes = append(classes, curve(name, bins[n].waits))
		}
	}
	if len(classes) < 2 {
		return out
	}
	slices.SortFunc(classes, func(a, b Curve) int { return cmp.Compare(a.Name, b.Name) })
	return append(out, classes...)
}

// curve has every percent, and every thousandth of the last percent, because it is the
// tail that hurts.
func curve(name string, sorted []time.Duration) Curve {
	c := Curve{Name: name, Shares: []float64{}, Seconds: []float64{}}
	add := func(thousandths int) {
		c.Shares = append(c.Shares, float64(thousandths)/1000)
		c.Seconds = append(c.Seconds, seconds(Percentile(sorted, float64(thousandths)/10)))
	}
	if len(sorted) == 0 {
		return c
	}
	for thousandths := 0; thousandths < 990; thousandths += 10 {
		add(thousandths)
	}
	for thousandths := 990; thousandths <= 1000; thousandths++ {
		add(thousandths)
	}
	return c
}
