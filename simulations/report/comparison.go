package report

import (
	"cmp"
	"slices"
)

// Comparison is several runs side by side. The first is what the others are compared
// with.
type Comparison struct {
	// Version of this form: 2, that of its reports.
	Version int `json:"version"`
	// Figures that are compared.
	Figures []Figure `json:"figures"`
	// Runs in the order in which they were named.
	Runs []Report `json:"runs"`
}

// Figure is one figure of each run.
type Figure struct {
	// Name of the figure.
	Name string `json:"name"`
	// Unit is seconds, share, nodes, node-hours, pod-hours, builds, count, or a currency.
	Unit string `json:"unit"`
	// Values, one per run.
	Values []float64 `json:"values"`
	// Deltas are the values less the first.
	Deltas []float64 `json:"deltas"`
	// Percents are the deltas in percent of the first value; null where that is 0 and
	// the value is not.
	Percents []*float64 `json:"percents"`
}

// The units of figures that are no money.
const (
	unitSeconds   = "seconds"
	unitShare     = "share"
	unitNodes     = "nodes"
	unitNodeHours = "node-hours"
	unitBuilds    = "builds"
	unitCount     = "count"
)

// Compare puts runs side by side: what builds waited, what it cost, what nodes did,
// then the waits of each class that any of the runs has, and those in the busiest hours of
// the day, which is where a warm window shows.
func Compare(runs ...Report) Comparison {
	c := Comparison{Version: Version, Figures: []Figure{}, Runs: runs}
	if len(runs) == 0 {
		c.Runs = []Report{}
		return c
	}
	compared := figures(runs[0].Currency)
	if slices.ContainsFunc(runs, func(r Report) bool { return r.Virtual != nil }) {
		compared = append(compared, virtualFigures(runs[0].Currency)...)
	}
	for _, f := range compared {
		values := make([]float64, len(runs))
		for n, r := range runs {
			values[n] = f.of(r)
		}
		c.Figures = append(c.Figures, figure(f.name, f.unit, values))
	}
	var classes []string
	known := map[string]bool{}
	for _, r := range runs {
		for _, w := range r.Classes {
			if !known[w.Name] {
				known[w.Name] = true
				classes = append(classes, w.Name)
			}
		}
	}
	if len(classes) > 1 {
		for _, class := range classes {
			values := make([]float64, len(runs))
			for n, r := range runs {
				values[n] = namedP95(r.Classes, class)
			}
			c.Figures = append(c.Figures, figure("wait p95, "+class, unitSeconds, values))
		}
	}
	for _, hour := range busiest(runs[0].Hours) {
		values := make([]float64, len(runs))
		for n, r := range runs {
			values[n] = namedP95(r.Hours, hour)
		}
		c.Figures = append(c.Figures, figure("wait p95, from "+hour, unitSeconds, values))
	}
	return c
}

// busyHours is how many hours of the day are compared.
const busyHours = 3

// busiest names the hours in which the most builds arrive, in the day's order.
func busiest(hours []NamedWaits) []string {
	most := slices.SortedStableFunc(slices.Values(hours), func(a, b NamedWaits) int { return cmp.Compare(b.Builds, a.Builds) })
	var names []string
	for _, h := range most[:min(len(most), busyHours)] {
		names = append(names, h.Name)
	}
	slices.Sort(names)
	return names
}

func namedP95(waits []NamedWaits, name string) float64 {
	for _, w := range waits {
		if w.Name == name {
			return w.P95
		}
	}
	return 0
}

func figure(name, unit string, values []float64) Figure {
	f := Figure{Name: name, Unit: unit, Values: values}
	for _, v := range values {
		delta := rounded(v-values[0], 1e6)
		f.Deltas = append(f.Deltas, delta)
		var percent *float64
		switch {
		case values[0] != 0:
			p := rounded(100*delta/values[0], 1000)
			percent = &p
		case delta == 0:
			percent = new(float64)
		}
		f.Percents = append(f.Percents, percent)
	}
	return f
}

// virtualFigures are those of the virtual node, 0 for a run without one.
func virtualFigures(currency string) []figureOf {
	of := func(figure func(Virtual) float64) func(Report) float64 {
		return func(r Report) float64 {
			if r.Virtual == nil {
				return 0
			}
			return figure(*r.Virtual)
		}
	}
	return []figureOf{
		{"moved to the virtual node", unitBuilds, of(func(v Virtual) float64 { return float64(v.Builds) })},
		{"cost of the virtual node", cmp.Or(currency, "cost"), of(func(v Virtual) float64 { return v.Cost })},
		{"on the virtual node", "pod-hours", of(func(v Virtual) float64 { return v.PodHours })},
	}
}

type figureOf struct {
	name, unit string
	of         func(Report) float64
}

func figures(currency string) []figureOf {
	if currency == "" {
		currency = "cost"
	}
	count := func(of func(Report) int) func(Report) float64 {
		return func(r Report) float64 { return float64(of(r)) }
	}
	return []figureOf{
		{"wait p50", unitSeconds, func(r Report) float64 { return r.Waits.P50 }},
		{"wait p90", unitSeconds, func(r Report) float64 { return r.Waits.P90 }},
		{"wait p95", unitSeconds, func(r Report) float64 { return r.Waits.P95 }},
		{"wait p99", unitSeconds, func(r Report) float64 { return r.Waits.P99 }},
		{"wait max", unitSeconds, func(r Report) float64 { return r.Waits.Max }},
		{"wait mean", unitSeconds, func(r Report) float64 { return r.Waits.Mean }},
		{"builds over the SLO", unitShare, func(r Report) float64 { return r.Waits.OverSLO }},
		{"builds unfinished", unitBuilds, count(func(r Report) int { return r.Builds.Unfinished })},
		{"cost", currency, func(r Report) float64 { return r.Capacity.Cost.Total }},
		{"cost per build", currency, func(r Report) float64 { return r.Capacity.Cost.PerBuild }},
		{"cost of idle nodes", currency, func(r Report) float64 { return r.Capacity.Cost.Idle }},
		{"cost of booting nodes", currency, func(r Report) float64 { return r.Capacity.Cost.Boot }},
		{"billed", unitNodeHours, func(r Report) float64 { return r.Capacity.NodeHours.Billed }},
		{"idle", unitNodeHours, func(r Report) float64 { return r.Capacity.NodeHours.Idle }},
		{"booting", unitNodeHours, func(r Report) float64 { return r.Capacity.NodeHours.Boot }},
		{"peak", unitNodes, count(func(r Report) int { return r.Capacity.PeakNodes })},
		{"scale-ups", unitCount, count(func(r Report) int { return r.Capacity.ScaleUps })},
		{"scale-downs", unitCount, count(func(r Report) int { return r.Capacity.ScaleDowns })},
		{"failed creations", unitCount, count(func(r Report) int { return r.Capacity.Failed })},
		{"reclaimed", unitNodes, count(func(r Report) int { return r.Capacity.Reclaimed })},
		{"interruptions", unitBuilds, count(func(r Report) int { return r.Builds.Interruptions })},
		{"CPU utilisation", unitShare, func(r Report) float64 { return r.Capacity.Utilisation.CPU }},
	}
}
