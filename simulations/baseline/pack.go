package baseline

import (
	"math"
	"time"

	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

// packed is what builds need that all start when they arrive, each on the first node
// with room.
type packed struct {
	// slots is how many nodes suffice for ever, peak how many are in use at once.
	slots, peak int
	// busy is the nodes' time with at least one build.
	busy time.Duration
}

func packGroup(g engine.Group, trace workload.Trace, builds []int32) packed {
	p := newPool(nodeSize(g), 0)
	var out packed
	var running endings
	var count []int           // builds on each node
	var since []time.Duration // when each node got its first one
	inUse := 0
	end := func(by time.Duration) {
		for e, ok := running.next(by); ok; e, ok = running.next(by) {
			p.give(int(e.node), buildSize(trace.Shapes[trace.Builds[e.build].Shape]))
			if count[e.node]--; count[e.node] == 0 {
				out.busy += e.at - since[e.node]
				inUse--
			}
		}
	}
	for _, n := range builds {
		b := trace.Builds[n]
		end(b.Arrival)
		size := buildSize(trace.Shapes[b.Shape])
		node := p.first(size)
		if node < 0 {
			node = p.grow()
			count, since = append(count, 0), append(since, 0)
		}
		p.take(node, size)
		if count[node]++; count[node] == 1 {
			since[node] = b.Arrival
			inUse++
			out.peak = max(out.peak, inUse)
		}
		running.add(ending{at: b.Arrival + b.Duration, build: n, node: int32(node)})
	}
	end(math.MaxInt64)
	out.slots = p.nodes
	return out
}
