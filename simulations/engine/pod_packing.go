package engine

import "time"

// podPacking puts builds on upcoming nodes one by one, as CA does: first those that its
// hints lead to where they fitted in the loop before, then the others, in the order in
// which its lister has them, which is none (CA simulator/scheduling/
// hinting_simulator.go:73 TrySchedulePods). So they fit less well than the estimator
// planned, which goes by size, and a scale-up more may follow.
//
// The search for a node begins at any of them: it goes on from the place of the last
// match (simulator/clustersnapshot/scheduling_opts.go:39 lastIndexOrderMapping), but in
// a list that is made anew from a Go map after every pod (store/delta.go:121
// buildNodeInfoList).
//
// Hints hold only while upcoming nodes keep their names, see sample. Else those left
// over are any of the builds and not the youngest, and a scale-up does not wait for the
// latest to be two seconds old.
type podPacking struct {
	nodes []upcomingNode
	// first is by group the place of its first node.
	first []int32
	order []podRef
	// left is by demand since when the oldest build left over has waited, Never if none
	// is; failed: no further build of the demand will find room.
	left   []time.Duration
	failed []bool
	// chance: in the next loop other builds may be left over.
	chance bool
	// singly: this loop put the builds on upcoming nodes one by one, so that their hints
	// tell which of them found room.
	singly bool
}

// podRef is a build by its demand and its place in the demand's queue.
type podRef struct {
	demand, at int32
}

// hint is where a build fitted in the last loop; sample 0: nowhere.
type hint struct {
	sample, group, node int32
}

type upcomingNode struct {
	left   room
	group  int32
	sample int32
}

// maxPacked bounds the builds that are gone through one by one in a loop. Beyond it they
// are packed by demand: what the order costs is then lost in their number.
const maxPacked = 5000

// worth reports whether few enough builds wait.
func (p *podPacking) worth(w *world) bool {
	n := 0
	for d := range w.demands {
		n += w.demands[d].waiting.len()
	}
	return n <= maxPacked
}

// fill packs all waiting builds, lowers the autoscaler's need by those that fit, and
// tells it since when the oldest of the others has waited.
func (p *podPacking) fill(s *autoscaler) {
	w := s.world
	p.begin(w)
	kinds := 0
	for d := range w.demands {
		q := &w.demands[d].waiting
		if q.len() > 0 {
			kinds++
		}
		for i := range q.len() {
			if p.hinted(&w.demands[d], q.at(i)) {
				s.need[d]--
			} else {
				p.order = append(p.order, podRef{int32(d), int32(i)})
			}
		}
	}
	p.chance = kinds > 1 && len(p.order) > 0
	w.orders.Shuffle(len(p.order), func(i, j int) { p.order[i], p.order[j] = p.order[j], p.order[i] })
	for _, ref := range p.order {
		if d := &w.demands[ref.demand]; p.place(w, d, ref) {
			s.need[ref.demand]--
		}
	}
}

// begin lays the upcoming nodes out.
func (p *podPacking) begin(w *world) {
	p.nodes, p.order = p.nodes[:0], p.order[:0]
	p.first = reset(p.first, len(w.groups))
	p.left, p.failed = reset(p.left, len(w.demands)), reset(p.failed, len(w.demands))
	for d := range p.left {
		p.left[d] = Never
	}
	for g := range w.groups {
		p.first[g] = int32(len(p.nodes))
		name := w.resample(g)
		for range w.upcoming(g) {
			p.nodes = append(p.nodes, upcomingNode{w.kinds[w.kindOf[g]].allocatable, int32(g), name})
		}
	}
}

func reset[T any](list []T, n int) []T {
	if cap(list) < n {
		return make([]T, n)
	}
	list = list[:n]
	clear(list)
	return list
}

// hinted puts a build where it fitted in the loop before, if that is still to come and
// has room; else the hint is dropped.
func (p *podPacking) hinted(demand *demand, waiter *waiter) bool {
	h := waiter.hint
	waiter.hint = hint{}
	if h.sample == 0 {
		return false
	}
	at := int(p.first[h.group] + h.node)
	if at >= len(p.nodes) {
		return false
	}
	n := &p.nodes[at]
	if n.group != h.group || n.sample != h.sample || !n.left.holds(demand.ask) {
		return false
	}
	n.left = n.left.less(demand.ask, 1)
	waiter.hint = h
	return true
}

// place puts one build on the next node with room; false if there is none.
func (p *podPacking) place(w *world, demand *demand, ref podRef) bool {
	d := ref.demand
	waiter := demand.waiting.at(int(ref.at))
	if !p.failed[d] {
		start := w.orders.IntN(len(p.nodes))
		for i := range p.nodes {
			at := start + i
			if at >= len(p.nodes) {
				at -= len(p.nodes)
			}
			if n := &p.nodes[at]; demand.fits[n.group] && n.left.holds(demand.ask) {
				n.left = n.left.less(demand.ask, 1)
				waiter.hint = hint{sample: n.sample, group: n.group, node: int32(at) - p.first[n.group]}
				return true
			}
		}
	}
	p.failed[d] = true
	if p.left[d] == Never || waiter.since < p.left[d] {
		p.left[d] = waiter.since
	}
	return false
}

// takeIn puts a build that does not wait on an upcoming node, if one has room left.
func (p *podPacking) takeIn(demand *demand) bool {
	for i := range p.nodes {
		if n := &p.nodes[i]; demand.fits[n.group] && n.left.holds(demand.ask) {
			n.left = n.left.less(demand.ask, 1)
			return true
		}
	}
	return false
}
