package report

import (
	"maps"
	"slices"
	"time"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/overflow"
	"github.com/buildpool/buildpool/simulations/engine"
)

// Virtual is what the virtual node did for builds that real nodes would have served too
// late.
type Virtual struct {
	// Builds that moved there, by all classes together.
	Builds int `json:"builds"`
	// Share of all builds that moved, 0 to 1.
	Share float64 `json:"share"`
	// Waits of these builds, their start on the virtual node included.
	Waits Waits `json:"waits"`
	// PodHours that were billed.
	PodHours float64 `json:"podHours"`
	// Cost of the pods.
	Cost float64 `json:"cost"`
	// Classes in the order of the node-group file.
	Classes []VirtualClass `json:"classes"`
}

// VirtualClass is the virtual node's part in the builds of one class.
type VirtualClass struct {
	// Class of node groups that the builds would have used.
	Class config.Class `json:"class"`
	// Builds that moved.
	Builds int `json:"builds"`
	// PeakPods is the most pods at once.
	PeakPods int `json:"peakPods"`
	// PodHours that were billed.
	PodHours float64 `json:"podHours"`
	// Cost of the pods.
	Cost float64 `json:"cost"`
	// Reasons for which builds moved, and how many; of no build are left out.
	Reasons []MovedBuilds `json:"reasons"`
}

// MovedBuilds counts the builds that moved for one reason.
type MovedBuilds struct {
	// Reason as the metrics of the overflow controller have it.
	Reason overflow.Reason `json:"reason"`
	// Builds that moved for it.
	Builds int `json:"builds"`
}

// summarizeVirtual returns nil for a run without a virtual node.
func summarizeVirtual(result engine.Result, waits waiting) *Virtual {
	if result.Overflow == nil {
		return nil
	}
	v := &Virtual{Classes: []VirtualClass{}}
	for _, o := range result.Overflow {
		class := VirtualClass{Class: o.Class, PeakPods: o.Peak, PodHours: hours(o.Billed), Cost: money(o.Cost), Reasons: []MovedBuilds{}}
		for _, reason := range slices.Sorted(maps.Keys(o.Moved)) {
			class.Builds += o.Moved[reason]
			class.Reasons = append(class.Reasons, MovedBuilds{reason, o.Moved[reason]})
		}
		v.Builds += class.Builds
		v.Classes = append(v.Classes, class)
	}
	billed, cost := virtualTotals(result)
	v.PodHours, v.Cost = hours(billed), money(cost)
	v.Share = share(float64(v.Builds), float64(len(result.Builds)))
	bins := waits.gather(1, func(b int32) int {
		if result.Builds[b].Virtual {
			return 0
		}
		return -1
	})
	v.Waits = bins[0].summary(waits.slo)
	return v
}

// virtualTotals are the times and the cost of all pods together.
func virtualTotals(result engine.Result) (billed time.Duration, cost float64) {
	for _, o := range result.Overflow {
		billed += o.Billed
		cost += o.Cost
	}
	return billed, cost
}

// virtualDone counts the builds that the virtual node has done.
func virtualDone(result engine.Result) int {
	n := 0
	for _, b := range result.Builds {
		if b.Virtual && b.Ended != engine.Never {
			n++
		}
	}
	return n
}

// OverflowSettings are the virtual node's, and those of the controller that moves builds
// there.
type OverflowSettings struct {
	// EverySeconds the controller decides, while builds wait.
	EverySeconds float64 `json:"everySeconds"`
	// Start is how long a pod takes to start, the pull of its image apart.
	Start DelaySettings `json:"start"`
	// Classes of builds that may move.
	Classes []OverflowClassSettings `json:"classes"`
}

// OverflowClassSettings say when builds of a class move, and how many. What is 0 or
// false does not hold.
type OverflowClassSettings struct {
	// Class of node groups that the builds would have used.
	Class config.Class `json:"class"`
	// WaitedForSeconds after which a build moves.
	WaitedForSeconds float64 `json:"waitedForSeconds"`
	// NodesLaterThanSeconds: it moves if a node would take longer.
	NodesLaterThanSeconds float64 `json:"nodesLaterThanSeconds"`
	// NoGroupCanGrow: it moves if none can.
	NoGroupCanGrow bool `json:"noGroupCanGrow"`
	// MarginSeconds that a node may be late.
	MarginSeconds float64 `json:"marginSeconds"`
	// MaxPods at once.
	MaxPods int `json:"maxPods"`
	// MaxCostPerHour of them.
	MaxCostPerHour float64 `json:"maxCostPerHour"`
	// ScaleUpDelaySeconds for which cluster-autoscaler leaves the builds alone.
	ScaleUpDelaySeconds float64 `json:"scaleUpDelaySeconds"`
	// PricePerCPU and hour.
	PricePerCPU float64 `json:"pricePerCPU"`
	// PricePerGiB of memory and hour.
	PricePerGiB float64 `json:"pricePerGiB"`
}

// describeOverflow returns nil where there is no virtual node.
func describeOverflow(o *engine.Overflow) *OverflowSettings {
	if o == nil {
		return nil
	}
	out := &OverflowSettings{EverySeconds: seconds(o.Every), Start: describeDelay(o.Start), Classes: []OverflowClassSettings{}}
	for _, c := range o.Classes {
		p := c.Policy
		out.Classes = append(out.Classes, OverflowClassSettings{
			Class: c.Class, WaitedForSeconds: seconds(p.Start.After), NodesLaterThanSeconds: seconds(p.Start.PredictedLater),
			NoGroupCanGrow: p.Start.WhenBlocked, MarginSeconds: seconds(p.Margin), MaxPods: p.MaxPods, MaxCostPerHour: p.MaxCostPerHour,
			ScaleUpDelaySeconds: seconds(c.ScaleUpDelay), PricePerCPU: p.Price.PerCPU, PricePerGiB: p.Price.PerGiB,
		})
	}
	return out
}
