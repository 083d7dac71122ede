package baseline

import (
	"math"
	"slices"
	"sort"
	"time"

	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

// leastPool is the least pool of the group's nodes in which the builds wait at most the
// target at their 95th percentile, and how long each then waits. In enough nodes no
// build waits.
func leastPool(g engine.Group, trace workload.Trace, builds []int32, enough int, target time.Duration) (int, []time.Duration) {
	if len(builds) == 0 {
		return 0, nil
	}
	nodes := 1 + sort.Search(max(enough-1, 0), func(n int) bool {
		return p95(StaticWaits(g, trace, builds, n+1)) <= target
	})
	return nodes, StaticWaits(g, trace, builds, nodes)
}

// StaticWaits runs builds, given by their index in the trace, on so many nodes of the
// group that never change, and returns how long each of them waits. Builds that wait
// start in order of arrival, but those that fit are not held up by those that do not.
func StaticWaits(g engine.Group, trace workload.Trace, builds []int32, nodes int) []time.Duration {
	s := staticPool{
		trace: trace, pool: newPool(nodeSize(g), nodes),
		queues: make([][]queued, len(trace.Shapes)), waits: make([]time.Duration, len(builds)),
	}
	for n, build := range builds {
		arrival := trace.Builds[build].Arrival
		s.end(arrival)
		if node := s.pool.first(s.size(build)); node >= 0 {
			s.start(queued{n, build}, node, arrival)
			continue
		}
		shape := trace.Builds[build].Shape
		s.queues[shape] = append(s.queues[shape], queued{n, build})
	}
	s.end(math.MaxInt64)
	return s.waits
}

// queued is a build and its place among the builds that are run.
type queued struct {
	place int
	build int32
}

type staticPool struct {
	trace   workload.Trace
	pool    *pool
	running endings
	// queues hold the waiting builds of each shape: of two of a shape the second never
	// fits before the first.
	queues [][]queued
	waits  []time.Duration
}

func (s *staticPool) size(build int32) size {
	return buildSize(s.trace.Shapes[s.trace.Builds[build].Shape])
}

func (s *staticPool) start(q queued, node int, at time.Duration) {
	b := s.trace.Builds[q.build]
	s.waits[q.place] = at - b.Arrival
	s.pool.take(node, s.size(q.build))
	s.running.add(ending{at: at + b.Duration, build: q.build, node: int32(node)})
}

// end ends what ends by the instant, and starts in the room what waits for it.
func (s *staticPool) end(by time.Duration) {
	for e, ok := s.running.next(by); ok; e, ok = s.running.next(by) {
		node := int(e.node)
		s.pool.give(node, s.size(e.build))
		for shape := s.nextFor(node); shape >= 0; shape = s.nextFor(node) {
			first := s.queues[shape][0]
			s.queues[shape] = s.queues[shape][1:]
			s.start(first, node, e.at)
		}
	}
}

// nextFor is the shape of the build that has waited longest of those that fit on the
// node, or -1.
func (s *staticPool) nextFor(node int) int {
	next := -1
	for shape, queue := range s.queues {
		if len(queue) == 0 || !s.pool.free(node).holds(s.size(queue[0].build)) {
			continue
		}
		if next < 0 || queue[0].place < s.queues[next][0].place {
			next = shape
		}
	}
	return next
}

// p95 is the 95th percentile by nearest rank, 0 of nothing.
func p95(waits []time.Duration) time.Duration {
	if len(waits) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(waits))
	return sorted[(len(sorted)*95+99)/100-1]
}
