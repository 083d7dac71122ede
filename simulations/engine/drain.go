package engine

import (
	"slices"
	"time"
)

// drains are nodes with builds that could run elsewhere: only where builds may be
// evicted (simulator/cluster.go SimulateNodeRemoval).
type drains struct {
	candidates []int32
	// claimed is room that this loop's simulation has given away, by node, and received
	// the builds that it has moved there: they would have to be moved on with the
	// node's own.
	claimed  map[int32]room
	received map[int32][]*demand
	// removed are the nodes that this loop's simulation has emptied.
	removed map[int32]bool
	// last is the node of the last match: the search goes on from there.
	last int32
}

// candidate notes a node that is used little enough. It stays one until it is not.
func (d *drains) candidate(id int32) {
	if !slices.Contains(d.candidates, id) {
		d.candidates = append(d.candidates, id)
	}
}

// simulate finds out for each candidate whether its builds would fit on other nodes.
// What one node's builds take is gone for the next one's.
func (d *drains) simulate(s *autoscaler) {
	if len(d.candidates) == 0 {
		return
	}
	d.claimed, d.received, d.removed = map[int32]room{}, map[int32][]*demand{}, map[int32]bool{}
	w := s.world
	// Candidates of the loop before come first (previous_candidates_sorting.go).
	slices.SortStableFunc(d.candidates, func(a, b int32) int {
		return rank(w.nodes[a].unneeded) - rank(w.nodes[b].unneeded)
	})
	kept := d.candidates[:0]
	for _, id := range d.candidates {
		n := &w.nodes[id]
		if n.state != ready || len(n.builds) == 0 || n.unremovable != Never ||
			w.utilization(n) > w.groups[n.group].options.threshold {
			continue
		}
		if !d.elsewhere(w, id) {
			s.unremovable(id)
			continue
		}
		d.removed[id] = true
		if n.unneeded == Never {
			s.begin(id)
		}
		kept = append(kept, id)
	}
	d.candidates = kept
}

func rank(unneeded time.Duration) int {
	if unneeded == Never {
		return 1
	}
	return 0
}

// elsewhere reports whether the node's builds fit on other nodes, and claims the room
// if they do.
func (d *drains) elsewhere(w *world, id int32) bool {
	moving := slices.Clone(d.received[id])
	for _, build := range w.nodes[id].builds {
		moving = append(moving, &w.demands[w.demandOf[w.settings.Trace.Builds[build].Shape]])
	}
	taken := map[int32]room{}
	moved := make([]int32, len(moving))
	for i, demand := range moving {
		to := d.find(w, id, demand, taken)
		if to < 0 {
			return false
		}
		moved[i] = to
		taken[to] = taken[to].plus(demand.ask)
	}
	for i, to := range moved {
		d.claimed[to] = d.claimed[to].plus(moving[i].ask)
		d.received[to] = append(d.received[to], moving[i])
	}
	return true
}

// find returns a node with room for the build, -1 if there is none.
func (d *drains) find(w *world, from int32, ask *demand, taken map[int32]room) int32 {
	total := int32(len(w.nodes))
	for i := range total {
		id := (d.last + 1 + i) % total
		n := &w.nodes[id]
		if id == from || n.state != ready || n.doomed || d.removed[id] || !ask.fits[n.group] {
			continue
		}
		// An empty node that is unneeded goes itself, and takes nobody in.
		if len(n.builds) == 0 && n.unneeded != Never {
			continue
		}
		left := n.left.less(d.claimed[id], 1).less(taken[id], 1)
		if left.holds(ask.ask) {
			d.last = id
			return id
		}
	}
	return -1
}
