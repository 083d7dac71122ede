package engine

import "slices"

// bin is a number of simulated nodes with the same room left.
type bin struct {
	left  room
	count int
	group int32
	used  bool
}

// bins are simulated nodes. What builds and nodes have in common is handled in one go,
// so that packing costs by the kinds of builds, not by their number.
type bins struct {
	list []bin
}

// fill puts up to n builds on the nodes and returns how many found no room. Where there
// is room for more than there are builds, nodes are gone through in turn, as CA's
// simulator begins after the node of the last match (simulator/clustersnapshot/predicate/
// plugin_runner.go RunFiltersUntilPassingNode).
func (b *bins) fill(ask room, n int, fits func(group int32) bool) (left int) {
	if n == 0 {
		return 0
	}
	total := 0
	for i := range b.list {
		if fits(b.list[i].group) {
			total += b.list[i].left.times(ask) * b.list[i].count
		}
	}
	if total == 0 {
		return n
	}
	if total <= n {
		for i := range b.list {
			at := &b.list[i]
			if times := at.left.times(ask); times > 0 && fits(at.group) {
				at.left, at.used = at.left.less(ask, times), true
			}
		}
		return n - total
	}
	for n > 0 {
		n = b.round(ask, n, fits)
	}
	return 0
}

// round gives each node with room one build, while there are any.
func (b *bins) round(ask room, n int, fits func(group int32) bool) (left int) {
	var split []bin
	for i := range b.list {
		at := &b.list[i]
		if n == 0 || at.left.times(ask) == 0 || !fits(at.group) {
			continue
		}
		filled := bin{left: at.left.less(ask, 1), count: min(n, at.count), group: at.group, used: true}
		n -= filled.count
		if filled.count == at.count {
			*at = filled
			continue
		}
		at.count -= filled.count
		split = append(split, filled)
	}
	b.list = append(b.list, split...)
	return n
}

// open adds nodes for n builds, as many as are allowed, and returns how many nodes that
// took and how many builds are left over.
func (b *bins) open(empty, ask room, group int32, n, allowed int) (nodes, left int) {
	perNode := empty.times(ask)
	if perNode == 0 || n == 0 {
		return 0, n
	}
	full := min(n/perNode, allowed)
	if full > 0 {
		b.list = append(b.list, bin{left: empty.less(ask, perNode), count: full, group: group, used: true})
	}
	n -= full * perNode
	if rest := min(n, perNode-1); rest > 0 && full < allowed {
		b.list = append(b.list, bin{left: empty.less(ask, rest), count: 1, group: group, used: true})
		return full + 1, n - rest
	}
	return full, n
}

// estimate is how many nodes of the group the builds that need one would take, and how
// many builds of each demand would run there (CA estimator/binpacking_estimator.go
// Estimate): the largest builds first, each on the nodes that there are already, else on
// new ones.
func (s *autoscaler) estimate(g, limit int) (nodes int, placed []int) {
	w := s.world
	empty := w.kinds[w.kindOf[g]].allocatable
	var order []int
	for d, n := range s.need {
		if n > 0 && w.demands[d].fits[g] {
			order = append(order, d)
		}
	}
	// estimator/decreasing_pod_orderer.go
	slices.SortStableFunc(order, func(a, b int) int {
		return compareDescending(weight(w.demands[a].ask, empty), weight(w.demands[b].ask, empty))
	})
	placed = make([]int, len(s.need))
	var simulated bins
	all := func(int32) bool { return true }
	for _, d := range order {
		ask := w.demands[d].ask
		left := simulated.fill(ask, s.need[d], all)
		opened := 0
		if left > 0 && nodes < limit {
			opened, left = simulated.open(empty, ask, int32(g), left, limit-nodes)
			nodes += opened
		}
		placed[d] = s.need[d] - left
	}
	return nodes, placed
}

// weight is a build's share of a node, cpu and memory together.
func weight(ask, node room) float64 {
	sum := 0.0
	if node.milliCPU > 0 {
		sum += float64(ask.milliCPU) / float64(node.milliCPU)
	}
	if node.memory > 0 {
		sum += float64(ask.memory) / float64(node.memory)
	}
	return sum
}

func compareDescending(a, b float64) int {
	switch {
	case a > b:
		return -1
	case a < b:
		return 1
	}
	return 0
}
