package engine

import (
	"slices"
	"time"
)

// drains are nodes with builds that could run elsewhere: only where builds may be
// evicted (simulator/cluster.go SimulateNodeRemoval).
type drains struct {
	candidates []int32
	snapshot   snapshot
	// removed are the nodes that this loop's simulation has emptied.
	removed map[int32]bool
	// hints are where builds fitted in the loop before; injected the same of those that
	// are about to be evicted, which have hints of their own.
	hints, injected destinations
}

// snapshot is how cluster-autoscaler imagines the Ready nodes in a loop.
type snapshot struct {
	taken bool
	// nodes are in no order, as they come out of a Go map; a search goes on after last,
	// the place of the last match.
	nodes []int32
	last  int
	// claimed is room that the loop has given away, by node, and received the builds
	// that it was given to: they would have to be moved on with the node's own.
	claimed  map[int32]room
	received map[int32][]mover
}

// mover is a build that is to move.
type mover struct {
	build  int32
	demand *demand
}

// candidate notes a node that is used little enough. It stays one until it is not.
func (d *drains) candidate(id int32) {
	if !slices.Contains(d.candidates, id) {
		d.candidates = append(d.candidates, id)
	}
}

// take makes the loop's snapshot when it is first asked for.
func (c *snapshot) take(w *world) {
	if c.taken {
		return
	}
	c.taken = true
	c.nodes, c.claimed, c.received = c.nodes[:0], map[int32]room{}, map[int32][]mover{}
	for g := range w.groups {
		list := &w.groups[g].sample.ready
		*list = slices.DeleteFunc(*list, func(id int32) bool { return w.nodes[id].state != ready })
		for _, id := range *list {
			if !w.nodes[id].closed {
				c.nodes = append(c.nodes, id)
			}
		}
	}
	w.orders.Shuffle(len(c.nodes), func(i, j int) { c.nodes[i], c.nodes[j] = c.nodes[j], c.nodes[i] })
}

// left is what the node has room for in the snapshot.
func (c *snapshot) left(w *world, id int32) room { return w.nodes[id].left.less(c.claimed[id], 1) }

func (c *snapshot) claim(id int32, m mover) {
	c.claimed[id] = c.claimed[id].plus(m.demand.ask)
	c.received[id] = append(c.received[id], m)
}

// simulate finds out for each candidate whether its builds would fit on other nodes.
// What one node's builds take is gone for the next one's.
func (d *drains) simulate(s *autoscaler) {
	defer d.hints.age()
	w := s.world
	d.candidates = slices.DeleteFunc(d.candidates, func(id int32) bool {
		n := &w.nodes[id]
		return n.state != ready || len(n.builds) == 0 || n.unremovable != Never ||
			w.utilization(n) > w.groups[n.group].options.threshold
	})
	if len(d.candidates) == 0 && !d.snapshot.taken {
		return
	}
	d.snapshot.take(w)
	d.removed = map[int32]bool{}
	eligible := d.eligible(s)
	w.orders.Shuffle(len(eligible), func(i, j int) { eligible[i], eligible[j] = eligible[j], eligible[i] })
	// Candidates of the loop before come first (previous_candidates_sorting.go).
	slices.SortStableFunc(eligible, func(a, b int32) int {
		return rank(w.nodes[a].unneeded) - rank(w.nodes[b].unneeded)
	})
	for _, id := range eligible {
		if !d.elsewhere(w, id) {
			s.unremovable(id)
			continue
		}
		d.removed[id] = true
		if w.nodes[id].unneeded == Never {
			s.begin(id)
		}
	}
	d.candidates = slices.DeleteFunc(d.candidates, func(id int32) bool { return w.nodes[id].unremovable != Never })
}

// eligible are the nodes with something to move: the candidates, and idle nodes that
// were given a build from a node that is being drained. One whose use that raises too
// far is not unneeded any more.
func (d *drains) eligible(s *autoscaler) []int32 {
	w := s.world
	list := slices.Clone(d.candidates)
	for _, id := range d.snapshot.nodes {
		if n := &w.nodes[id]; len(n.builds) == 0 && n.unneeded != Never && len(d.snapshot.received[id]) > 0 {
			list = append(list, id)
		}
	}
	return slices.DeleteFunc(list, func(id int32) bool {
		n := w.nodes[id]
		n.left = d.snapshot.left(w, id)
		if w.utilization(&n) <= w.groups[n.group].options.threshold {
			return false
		}
		s.drop(id)
		w.touch(id)
		return true
	})
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
	moving := slices.Clone(d.snapshot.received[id])
	for _, build := range w.nodes[id].builds {
		moving = append(moving, mover{build, w.demandFor(build)})
	}
	// Those with a hint are first (hinting_simulator.go TrySchedulePods).
	slices.SortStableFunc(moving, func(a, b mover) int { return d.hints.rank(a.build) - d.hints.rank(b.build) })
	taken := map[int32]room{}
	moved := make([]int32, len(moving))
	for i, m := range moving {
		to := d.find(w, id, m, taken)
		if to < 0 {
			return false
		}
		moved[i] = to
		taken[to] = taken[to].plus(m.demand.ask)
	}
	for i, to := range moved {
		d.snapshot.claim(to, moving[i])
	}
	return true
}

func (w *world) demandFor(build int32) *demand {
	return &w.demands[w.demandOf[w.settings.Trace.Builds[build].Shape]]
}

// find returns a node with room for the build, -1 if there is none: the one that it
// fitted on in the loop before, else the next that will do.
func (d *drains) find(w *world, from int32, m mover, taken map[int32]room) int32 {
	takes := func(id int32) bool {
		n := &w.nodes[id]
		if id == from || n.state != ready || n.closed || d.removed[id] || !m.demand.fits[n.group] {
			return false
		}
		// An empty node that is unneeded goes itself, and takes nobody in.
		if len(n.builds) == 0 && n.unneeded != Never && len(d.snapshot.received[id]) == 0 {
			return false
		}
		return d.snapshot.left(w, id).less(taken[id], 1).holds(m.demand.ask)
	}
	if to, ok := d.hints.of(m.build); ok && takes(to) {
		d.hints.set(m.build, to)
		return to
	}
	if to := d.snapshot.search(takes); to >= 0 {
		d.hints.set(m.build, to)
		return to
	}
	return -1
}

// search returns the next node that will do, -1 if there is none.
func (c *snapshot) search(takes func(int32) bool) int32 {
	for i := range c.nodes {
		at := (c.last + 1 + i) % len(c.nodes)
		if takes(c.nodes[at]) {
			c.last = at
			return c.nodes[at]
		}
	}
	return -1
}
