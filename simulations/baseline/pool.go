package baseline

// pool is nodes of one size and what is free on them. The first node that holds a
// build is found in a tree of the most that is free below each branch, so that a pool
// of thousands costs hardly more than one of ten.
type pool struct {
	size size
	// tree holds the nodes in its last half; a branch n has the children 2n and 2n+1.
	tree []size
	// leaves is a power of two.
	leaves int
	// nodes that exist: the pool may have room for more.
	nodes int
}

func newPool(node size, nodes int) *pool {
	p := &pool{size: node, leaves: 1}
	for p.leaves < nodes {
		p.leaves *= 2
	}
	p.tree = make([]size, 2*p.leaves)
	for range nodes {
		p.grow()
	}
	return p
}

// grow adds an empty node and returns its number.
func (p *pool) grow() int {
	if p.nodes == p.leaves {
		p.double()
	}
	p.nodes++
	p.set(p.nodes-1, p.size)
	return p.nodes - 1
}

func (p *pool) double() {
	old := p.tree[p.leaves:]
	p.leaves *= 2
	p.tree = make([]size, 2*p.leaves)
	copy(p.tree[p.leaves:], old)
	for n := p.leaves - 1; n > 0; n-- {
		p.tree[n] = p.tree[2*n].atLeast(p.tree[2*n+1])
	}
}

func (p *pool) set(node int, free size) {
	n := p.leaves + node
	p.tree[n] = free
	for n /= 2; n > 0; n /= 2 {
		p.tree[n] = p.tree[2*n].atLeast(p.tree[2*n+1])
	}
}

func (p *pool) free(node int) size { return p.tree[p.leaves+node] }

// first returns the first node that holds the build, or -1.
func (p *pool) first(build size) int { return p.firstBelow(1, build) }

func (p *pool) firstBelow(n int, build size) int {
	if !p.tree[n].holds(build) {
		return -1
	}
	if n >= p.leaves {
		return n - p.leaves
	}
	if found := p.firstBelow(2*n, build); found >= 0 {
		return found
	}
	return p.firstBelow(2*n+1, build)
}

func (p *pool) take(node int, build size) { p.set(node, p.free(node).minus(build)) }

func (p *pool) give(node int, build size) { p.set(node, p.free(node).plus(build)) }
