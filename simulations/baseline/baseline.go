package baseline

import (
	"math"
	"time"

	"github.com/buildpool/buildpool/simulations/engine"
)

// The baselines, in the order in which Compute returns them.
const (
	// StaticPeak is a static pool in which no build ever waits.
	StaticPeak = "static-at-peak"
	// StaticEqualP95 is the least static pool whose builds wait no longer, at the 95th
	// percentile, than the same builds waited in the run.
	StaticEqualP95 = "static-at-equal-p95"
	// Clairvoyant has nodes exactly while builds need them, and no build ever waits.
	Clairvoyant = "clairvoyant"
	// LowerBound is what no packing and no order of builds can be cheaper than.
	LowerBound = "lower-bound"
)

// Baseline is another way to serve the builds of a run, and what it comes to.
type Baseline struct {
	// Name of the way.
	Name string `json:"name"`
	// PeakNodes is the most nodes at once; 0 for the lower bound, which has no nodes.
	PeakNodes int `json:"peakNodes"`
	// NodeHours that are billed; 0 for the lower bound.
	NodeHours float64 `json:"nodeHours"`
	// Cost of them.
	Cost float64 `json:"cost"`
	// P95Seconds is the 95th percentile of the waits.
	P95Seconds float64 `json:"p95Seconds"`
	// Groups are the nodes by group.
	Groups []GroupNodes `json:"groups"`
}

// GroupNodes are a baseline's nodes of one group.
type GroupNodes struct {
	// Name of the group.
	Name string `json:"name"`
	// Nodes at the peak.
	Nodes int `json:"nodes"`
	// NodeHours that are billed.
	NodeHours float64 `json:"nodeHours"`
	// Cost of them.
	Cost float64 `json:"cost"`
}

// Compute works out every baseline for a run of the settings that lasted until end, in
// which each build waited as told. A static pool is billed from start to end. Builds
// that no group's node can hold are left out.
func Compute(settings engine.Settings, waits []time.Duration, end time.Duration) []Baseline {
	steady := assign(settings, steadyFirst)
	static, equal := newBaseline(StaticPeak), newBaseline(StaticEqualP95)
	var equalWaits []time.Duration
	for n, builds := range steady {
		g := settings.Groups[n]
		peak := packGroup(g, settings.Trace, builds)
		static.add(g, peak.slots, time.Duration(peak.slots)*end)
		least, waited := leastPool(g, settings.Trace, builds, peak.slots, p95(pick(waits, builds)))
		equal.add(g, least, time.Duration(least)*end)
		equalWaits = append(equalWaits, waited...)
	}
	equal.P95Seconds = math.Round(p95(equalWaits).Seconds()*1000) / 1000

	clairvoyant := newBaseline(Clairvoyant)
	for n, builds := range assign(settings, cheapest) {
		g := settings.Groups[n]
		packed := packGroup(g, settings.Trace, builds)
		clairvoyant.add(g, packed.peak, packed.busy)
	}
	bound := newBaseline(LowerBound)
	bound.Cost = rounded(lowerBound(settings))
	return []Baseline{static.rounded(), equal.rounded(), clairvoyant.rounded(), bound}
}

func newBaseline(name string) Baseline { return Baseline{Name: name, Groups: []GroupNodes{}} }

func (b *Baseline) add(g engine.Group, nodes int, billed time.Duration) {
	cost := billed.Hours() * g.PricePerHour
	b.Groups = append(b.Groups, GroupNodes{Name: g.Config.Name, Nodes: nodes, NodeHours: billed.Hours(), Cost: cost})
	b.PeakNodes += nodes
	b.NodeHours += billed.Hours()
	b.Cost += cost
}

// rounded gives figures that read well, far below what anybody acts on.
func (b Baseline) rounded() Baseline {
	b.NodeHours, b.Cost = rounded(b.NodeHours), rounded(b.Cost)
	for n, g := range b.Groups {
		b.Groups[n].NodeHours, b.Groups[n].Cost = rounded(g.NodeHours), rounded(g.Cost)
	}
	return b
}

func rounded(x float64) float64 { return math.Round(x*1e4) / 1e4 }

func pick(waits []time.Duration, builds []int32) []time.Duration {
	out := make([]time.Duration, len(builds))
	for n, b := range builds {
		out[n] = waits[b]
	}
	return out
}
