package report_test

import (
	"slices"
	"time"

	"github.com/buildpool/buildpool/simulations/engine"
)

// reclaim takes spot nodes after their first hour.
func (r *testRun) reclaim(now time.Duration) {
	for n := range r.nodes {
		node := &r.result.Nodes[n]
		market := r.settings.Groups[node.Group].Spot
		if market == nil || !r.ready(n, now) || now < node.Created+market.Protected || r.chance.Float64() > market.ReclaimsPerHour*step.Hours() {
			continue
		}
		for _, b := range r.nodes[n].builds {
			did := &r.result.Builds[b]
			did.Lost += now - did.Started
			did.Interruptions++
			did.Started = engine.Never
			did.Cause = engine.Reclaimed
			r.pending = append(r.pending, b)
			r.result.Groups[node.Group].Interrupted++
		}
		r.nodes[n].builds = nil
		node.Removed, node.Reclaimed = now, true
		r.result.Groups[node.Group].Reclaimed++
	}
}

func (r *testRun) place(now time.Duration) {
	r.pending = slices.DeleteFunc(r.pending, func(b int32) bool {
		for _, class := range r.shape(b).Classes {
			for n := range r.nodes {
				fits := string(r.settings.Groups[r.result.Nodes[n].Group].Config.Class) == class && r.nodes[n].free >= r.shape(b).MilliCPU
				if fits && r.ready(n, now) {
					r.start(b, n, now)
					return true
				}
			}
		}
		return false
	})
}

func (r *testRun) start(b int32, n int, now time.Duration) {
	node := &r.result.Nodes[n]
	r.nodes[n].free -= r.shape(b).MilliCPU
	r.nodes[n].builds = append(r.nodes[n].builds, b)
	node.Builds++
	did := &r.result.Builds[b]
	did.Started, did.Group, did.Node = now, node.Group, int32(n)
	switch wait := now - r.settings.Trace.Builds[b].Arrival; {
	case did.Cause == engine.Reclaimed:
	case wait < step:
		did.Cause = engine.NoWait
	case wait > 4*time.Minute:
		did.Cause = engine.AtMax
	case wait > time.Minute:
		did.Cause = engine.Booting
	default:
		did.Cause = engine.Scanning
	}
}

// scaleUp adds a node to the first group that takes what no booting node has room for.
func (r *testRun) scaleUp(now time.Duration) {
	room := map[int32]int64{}
	for n := range r.nodes {
		if r.alive(n) && !r.ready(n, now) {
			room[r.result.Nodes[n].Group] += r.nodes[n].free
		}
	}
	for g := range r.settings.Groups {
		for r.count(int32(g)) < r.settings.Groups[g].Config.Min {
			r.add(int32(g), now)
		}
	}
	for _, b := range r.pending {
		shape := r.shape(b)
		for _, class := range shape.Classes {
			g := int32(slices.IndexFunc(r.settings.Groups, func(g engine.Group) bool { return string(g.Config.Class) == class }))
			if room[g] < shape.MilliCPU {
				if r.count(g) >= r.settings.Groups[g].Config.Max {
					continue
				}
				room[g] += r.add(g, now)
			}
			room[g] -= shape.MilliCPU
			break
		}
	}
}

func (r *testRun) add(group int32, now time.Duration) (milliCPU int64) {
	free := r.settings.Groups[group].Template.Allocatable.Cpu().MilliValue()
	r.nodes = append(r.nodes, testNode{free: free})
	r.result.Nodes = append(r.result.Nodes, engine.NodeResult{
		Group: group, Requested: now, Created: now, Ready: engine.Never, Removed: engine.Never,
	})
	did := &r.result.Groups[group]
	did.ScaleUps++
	did.NodesAdded++
	did.Peak = max(did.Peak, r.count(group))
	return free
}

func (r *testRun) scaleDown(now time.Duration) {
	for n := range r.nodes {
		node := &r.result.Nodes[n]
		if !r.ready(n, now) {
			continue
		}
		if node.Ready == engine.Never {
			node.Ready = now
		}
		if len(r.nodes[n].builds) > 0 {
			node.Busy += step
			r.nodes[n].idle = 0
			continue
		}
		if r.nodes[n].idle += step; r.nodes[n].idle > idleTime && r.count(node.Group) > r.settings.Groups[node.Group].Config.Min {
			node.Removed = now
			r.result.Groups[node.Group].NodesRemoved++
		}
	}
}

func (r *testRun) record(now time.Duration) {
	classes := r.settings.Classes()
	p := engine.Reading{Pending: make([]int32, len(classes)), Running: make([]int32, len(classes)), Groups: make([]engine.GroupReading, len(r.settings.Groups))}
	for _, b := range r.pending {
		p.Pending[slices.Index(classes, r.shape(b).Classes[0])]++
		p.AllPending++
	}
	for n := range r.nodes {
		if !r.alive(n) {
			continue
		}
		g := &p.Groups[r.result.Nodes[n].Group]
		g.Billed++
		p.AllBilled++
		g.Target++
		if r.ready(n, now) {
			g.Ready++
		}
		if len(r.nodes[n].builds) > 0 {
			g.Busy++
		}
		for _, b := range r.nodes[n].builds {
			p.Running[slices.Index(classes, r.shape(b).Classes[0])]++
			p.AllRunning++
		}
	}
	for g := range p.Groups {
		p.Groups[g].Min = int32(r.settings.Groups[g].Config.Min)
	}
	r.result.Timeline = append(r.result.Timeline, engine.Steady(now, p))
}

// finish adds up the nodes: each is billed for a moment after its removal.
func (r *testRun) finish(now time.Duration) {
	r.result.End = now
	for n := range r.result.Nodes {
		node := &r.result.Nodes[n]
		if node.Removed != engine.Never {
			node.Removed = min(node.Removed+removal, now)
		}
		gone := node.Removed
		if gone == engine.Never {
			gone = now
		}
		g := &r.result.Groups[node.Group]
		life := gone - node.Created
		node.Cost = life.Hours() * r.settings.Groups[node.Group].PricePerHour
		g.Billed += life
		if node.Ready == engine.Never {
			g.Booting += life
		} else {
			g.Booting += node.Ready - node.Created
			idle := gone - node.Ready - node.Busy
			if node.Removed != engine.Never {
				idle = max(idle-removal, 0)
			}
			g.Idle += idle
		}
		g.Cost += node.Cost
	}
}
