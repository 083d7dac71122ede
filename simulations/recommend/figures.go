package recommend

import (
	"math"
	"slices"
	"time"

	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/report"
)

// Figures are what a run came to. Waits are in seconds, rounded to the millisecond; a
// build that never started counts with what it had waited when the run ended.
type Figures struct {
	// Cost of all nodes and of the virtual node.
	Cost float64 `json:"cost"`
	// VirtualCost is that of the virtual node; left out where there is none.
	VirtualCost float64 `json:"virtualCost,omitempty"`
	// P50, P95, P99, Mean and Max of the waits of all builds.
	P50  float64 `json:"p50"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	Mean float64 `json:"mean"`
	Max  float64 `json:"max"`
	// Levels are the figures of the service levels, in their order.
	Levels []float64 `json:"levels"`
	// Unstarted builds, which no node was ever there for.
	Unstarted int `json:"unstarted"`
	// Interrupted counts builds that lost their node.
	Interrupted int `json:"interrupted"`
	// NodeHours that were billed, and IdleNodeHours without a build among them.
	NodeHours     float64 `json:"nodeHours"`
	IdleNodeHours float64 `json:"idleNodeHours"`
}

func figuresOf(s engine.Settings, r engine.Result, levels []SLO) Figures {
	waits := report.WaitTimes(s.Trace, r)
	var f Figures
	for _, level := range levels {
		f.Levels = append(f.Levels, seconds(level.value(s.Trace, waits)))
	}
	slices.Sort(waits)
	f.P50, f.P95, f.P99 = seconds(report.Percentile(waits, 50)), seconds(report.Percentile(waits, 95)), seconds(report.Percentile(waits, 99))
	f.Max, f.Mean = seconds(report.Percentile(waits, 100)), seconds(mean(waits))
	for _, b := range r.Builds {
		if b.Started == engine.Never {
			f.Unstarted++
		}
	}
	var billed, idle time.Duration
	for _, g := range r.Groups {
		f.Cost += g.Cost
		f.Interrupted += g.Interrupted
		billed += g.Billed
		idle += g.Idle
	}
	for _, o := range r.Overflow {
		f.VirtualCost += o.Cost
	}
	f.Cost += f.VirtualCost
	f.VirtualCost = math.Round(f.VirtualCost*1e6) / 1e6
	f.Cost = math.Round(f.Cost*1e6) / 1e6
	f.NodeHours, f.IdleNodeHours = math.Round(billed.Hours()*1e4)/1e4, math.Round(idle.Hours()*1e4)/1e4
	return f
}

// met reports whether every service level is.
func (f Figures) met(levels []SLO) bool {
	for i, level := range levels {
		if !level.Met(fromSeconds(f.Levels[i])) {
			return false
		}
	}
	return true
}

// wait is what the front is drawn over: the first service level's figure.
func (f Figures) wait() float64 { return f.Levels[0] }

func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*1000) / 1000 }

func fromSeconds(s float64) time.Duration {
	return time.Duration(math.Round(s*1000)) * time.Millisecond
}
