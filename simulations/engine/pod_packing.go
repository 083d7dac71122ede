package engine

import "time"

// podPacking puts builds on upcoming nodes one by one, as CA does: in the order in which
// its lister has them, which is none, on the nodes in turn, from the one after the last
// match on (CA simulator/scheduling/hinting_simulator.go TrySchedulePods). So they fit
// less well than the estimator planned, which goes by size, and a scale-up more follows.
//
// CA means to try a pod first where it fitted in the loop before. But an upcoming node
// has another name in every loop (CA simulator/node_info_utils.go
// SanitizedTemplateNodeInfoFromNodeInfo, randSuffix), so that its hints never hold: those
// left over are any of the builds and not the youngest, and a scale-up does not wait for
// the latest to be two seconds old.
type podPacking struct {
	nodes []upcomingNode
	order []podRef
	// last is the place of the last match.
	last int
	// left is by demand since when the oldest build left over has waited, Never if none
	// is; failed: no further build of the demand will find room.
	left   []time.Duration
	failed []bool
}

// podRef is a build by its demand and since when it waits.
type podRef struct {
	since  time.Duration
	demand int32
}

type upcomingNode struct {
	left  room
	group int32
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
func (p *podPacking) fill(s *autoscaler, coming bins) {
	w := s.world
	p.nodes, p.order = p.nodes[:0], p.order[:0]
	for _, b := range coming.list {
		for range b.count {
			p.nodes = append(p.nodes, upcomingNode{b.left, b.group})
		}
	}
	p.last = min(p.last, len(p.nodes)-1)
	p.left, p.failed = reset(p.left, len(w.demands)), reset(p.failed, len(w.demands))
	for d := range w.demands {
		p.left[d] = Never
		q := &w.demands[d].waiting
		for i := range q.len() {
			p.order = append(p.order, podRef{q.at(i).since, int32(d)})
		}
	}
	w.orders.Shuffle(len(p.order), func(i, j int) { p.order[i], p.order[j] = p.order[j], p.order[i] })
	for _, ref := range p.order {
		if p.place(&w.demands[ref.demand], ref) {
			s.need[ref.demand]--
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

// place puts one build on the next node with room; false if there is none.
func (p *podPacking) place(demand *demand, ref podRef) bool {
	d := ref.demand
	for i := 0; i < len(p.nodes) && !p.failed[d]; i++ {
		at := p.last + 1 + i
		if at >= len(p.nodes) {
			at -= len(p.nodes)
		}
		if n := &p.nodes[at]; demand.fits[n.group] && n.left.holds(demand.ask) {
			n.left = n.left.less(demand.ask, 1)
			p.last = at
			return true
		}
	}
	p.failed[d] = true
	if p.left[d] == Never || ref.since < p.left[d] {
		p.left[d] = ref.since
	}
	return false
}
