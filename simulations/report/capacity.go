package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/engine"
)

// Capacity is what node groups were, did and cost.
type Capacity struct {
	// PeakNodes is the most nodes billed at once.
	PeakNodes int `json:"peakNodes"`
	// ScaleUps counts cluster-autoscaler's requests for more nodes.
	ScaleUps int `json:"scaleUps"`
	// NodesAdded by them.
	NodesAdded int `json:"nodesAdded"`
	// ScaleDowns counts nodes that cluster-autoscaler removed.
	ScaleDowns int `json:"scaleDowns"`
	// Failed counts instances that could not be created.
	Failed int `json:"failed"`
	// Reclaimed counts nodes that the cloud took back.
	Reclaimed int `json:"reclaimed"`
	// Interruptions counts builds that lost their node.
	Interruptions int `json:"interruptions"`
	// NodeHours is the time of nodes.
	NodeHours NodeHours `json:"nodeHours"`
	// Cost of these nodes.
	Cost Cost `json:"cost"`
	// Utilisation of these nodes.
	Utilisation Utilisation `json:"utilisation"`
	// Churn is how fast nodes come and go.
	Churn Churn `json:"churn"`
}

// NodeHours is time of nodes, in hours: two nodes for an hour are two.
type NodeHours struct {
	// Billed from creation to removal: the sum of the four below.
	Billed float64 `json:"billed"`
	// Busy with at least one build.
	Busy float64 `json:"busy"`
	// Idle: ready and without a build.
	Idle float64 `json:"idle"`
	// Boot: created and not yet ready.
	Boot float64 `json:"boot"`
	// Ending: no longer of use to builds, but still billed.
	Ending float64 `json:"ending"`
}

// Cost is what nodes cost, and in all the virtual node.
type Cost struct {
	// Total cost.
	Total float64 `json:"total"`
	// PerBuild is the total over the builds that were done; 0 where none was.
	PerBuild float64 `json:"perBuild"`
	// Busy, Idle, Boot and Ending split the cost of nodes by what they did.
	Busy float64 `json:"busy"`
	// Idle nodes' cost.
	Idle float64 `json:"idle"`
	// Boot is the cost of nodes that were not yet ready.
	Boot float64 `json:"boot"`
	// Ending is the cost of nodes after their use.
	Ending float64 `json:"ending"`
	// Virtual is the cost of pods on the virtual node; left out where there is none, and
	// of single groups.
	Virtual float64 `json:"virtual,omitempty"`
	// Waste is the share of the total that was spent neither on busy nodes nor on the
	// virtual node, 0 to 1.
	Waste float64 `json:"waste"`
}

// Utilisation is how much of the nodes was used, 0 to 1.
type Utilisation struct {
	// Busy is the share of ready nodes' time with at least one build.
	Busy float64 `json:"busy"`
	// CPU and Memory are the shares of what ready nodes offer that running builds
	// request. Tries that were cut short do not count.
	CPU float64 `json:"cpu"`
	// Memory as CPU.
	Memory float64 `json:"memory"`
}

// Churn is how fast nodes come and go.
type Churn struct {
	// NodesPerDay that were added.
	NodesPerDay float64 `json:"nodesPerDay"`
	// LifeMinutes is how long a node is billed on average.
	LifeMinutes float64 `json:"lifeMinutes"`
	// BuildsPerNode that ran on a node on average.
	BuildsPerNode float64 `json:"buildsPerNode"`
}

// Group is a node group's part of the run.
type Group struct {
	// Name of the group.
	Name string `json:"name"`
	// Class of the group.
	Class config.Class `json:"class"`
	// PricePerHour of a node.
	PricePerHour float64 `json:"pricePerHour"`
	// Waits of the builds that ran on the group's nodes.
	Waits Waits `json:"waits"`
	Capacity
}

// usage is the time of nodes, and what builds made of it.
type usage struct {
	billed, busy, idle, boot time.Duration
	// offered and used are CPU (milli) and memory (bytes) times seconds.
	offeredCPU, usedCPU, offeredMemory, usedMemory float64
	nodes, builds, done                            int
}

func (u usage) ending() time.Duration { return max(u.billed-u.busy-u.idle-u.boot, 0) }

func (u usage) plus(o usage) usage {
	return usage{
		billed: u.billed + o.billed, busy: u.busy + o.busy, idle: u.idle + o.idle, boot: u.boot + o.boot,
		offeredCPU: u.offeredCPU + o.offeredCPU, usedCPU: u.usedCPU + o.usedCPU,
		offeredMemory: u.offeredMemory + o.offeredMemory, usedMemory: u.usedMemory + o.usedMemory,
		nodes: u.nodes + o.nodes, builds: u.builds + o.builds, done: u.done + o.done,
	}
}

func summarizeCapacity(settings engine.Settings, result engine.Result, waits waiting) (Capacity, []Group) {
	uses := usagesOf(settings, result)
	bins := waits.gather(len(settings.Groups), func(b int32) int { return int(result.Builds[b].Group) })
	groups := make([]Group, len(settings.Groups))
	var all usage
	var total Capacity
	var cost Cost
	for n, g := range settings.Groups {
		did := result.Groups[n]
		groups[n] = Group{
			Name: g.Config.Name, Class: g.Config.Class, PricePerHour: g.PricePerHour,
			Waits:    bins[n].summary(waits.slo),
			Capacity: capacityOf(did, uses[n], result.End),
		}
		groupCost := costOf(did.Cost, g.PricePerHour, uses[n])
		groups[n].Cost = groupCost.shown(uses[n].done)
		all, cost = all.plus(uses[n]), cost.plus(groupCost)
		total.ScaleUps += did.ScaleUps
		total.NodesAdded += did.NodesAdded
		total.ScaleDowns += did.NodesRemoved
		total.Failed += did.Failed
		total.Reclaimed += did.Reclaimed
		total.Interruptions += did.Interrupted
	}
	total.PeakNodes = peakNodes(result)
	total.describe(all, result.End)
	_, virtual := virtualTotals(result)
	cost = cost.plus(Cost{Total: virtual, Virtual: virtual})
	total.Cost = cost.shown(all.done + virtualDone(result))
	return total, groups
}

func capacityOf(did engine.GroupResult, u usage, end time.Duration) Capacity {
	c := Capacity{
		PeakNodes: did.Peak, ScaleUps: did.ScaleUps, NodesAdded: did.NodesAdded, ScaleDowns: did.NodesRemoved,
		Failed: did.Failed, Reclaimed: did.Reclaimed, Interruptions: did.Interrupted,
	}
	c.describe(u, end)
	return c
}

// describe fills in what follows from the use of the nodes.
func (c *Capacity) describe(u usage, end time.Duration) {
	c.NodeHours = NodeHours{
		Billed: hours(u.billed), Busy: hours(u.busy), Idle: hours(u.idle), Boot: hours(u.boot), Ending: hours(u.ending()),
	}
	c.Utilisation = Utilisation{
		Busy: share(float64(u.busy), float64(u.busy+u.idle)), CPU: share(u.usedCPU, u.offeredCPU), Memory: share(u.usedMemory, u.offeredMemory),
	}
	c.Churn = Churn{
		NodesPerDay:   share(float64(c.NodesAdded), end.Hours()/24),
		LifeMinutes:   share(u.billed.Minutes(), float64(u.nodes)),
		BuildsPerNode: share(float64(u.builds), float64(u.nodes)),
	}
}

// costOf splits a group's cost by what its nodes did. All of them have one price, but
// what they cost in the end is the run's to say, so that what is left is busy.
func costOf(total, pricePerHour float64, u usage) Cost {
	c := Cost{
		Total: total, Idle: u.idle.Hours() * pricePerHour, Boot: u.boot.Hours() * pricePerHour, Ending: u.ending().Hours() * pricePerHour,
	}
	c.Busy = c.Total - c.Idle - c.Boot - c.Ending
	return c
}

func (c Cost) plus(o Cost) Cost {
	return Cost{
		Total: c.Total + o.Total, Busy: c.Busy + o.Busy, Idle: c.Idle + o.Idle, Boot: c.Boot + o.Boot, Ending: c.Ending + o.Ending,
		Virtual: c.Virtual + o.Virtual,
	}
}

// shown rounds, and puts the cost down to so many builds.
func (c Cost) shown(builds int) Cost {
	return Cost{
		Total: money(c.Total), Busy: money(c.Busy), Idle: money(c.Idle), Boot: money(c.Boot), Ending: money(c.Ending),
		Virtual: money(c.Virtual), PerBuild: share(c.Total, float64(builds)), Waste: share(c.Total-c.Busy-c.Virtual, c.Total),
	}
}

// peakNodes is the most nodes of all groups at once; the groups' own peaks may have
// come at different times.
func peakNodes(result engine.Result) int {
	type change struct {
		at time.Duration
		by int
	}
	var changes []change
	for _, n := range result.Nodes {
		if n.Created == engine.Never {
			continue
		}
		changes = append(changes, change{n.Created, 1})
		if n.Removed != engine.Never {
			changes = append(changes, change{n.Removed, -1})
		}
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.by, b.by)) })
	now, peak := 0, 0
	for _, c := range changes {
		now += c.by
		peak = max(peak, now)
	}
	return peak
}
