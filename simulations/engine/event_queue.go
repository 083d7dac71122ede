package engine

import "time"

// eventKind says what happens.
type eventKind uint8

const (
	buildEnds       eventKind = iota // subject: the build; node: where it runs, -1 for the virtual node
	nodeJoins                        // subject: the node
	nodeDeleted                      // the wait after the ToBeDeleted taint is over
	nodeGone                         // the instance is no longer billed
	reclaimKnown                     // a reclaim of the node has been announced
	noticesRead                      // the provider has read that the node is to be taken
	protectionEnds                   // the node's age is spot.drainAfter
	reclaimComes                     // the cloud takes the node
	massReclaim                      // subject: the group; node: index of the mass reclaim
	creationFails                    // subject: the group; node: how many instances
	overflowDecides                  // the overflow controller looks at what waits
)

// event is something that happens at an instant.
type event struct {
	at      time.Duration
	seq     uint64 // events of one instant keep the order in which they were planned
	subject int32
	node    int32
	// life tells a build's runs apart: the end of an interrupted run means nothing.
	life int32
	kind eventKind
}

func (e event) before(other event) bool {
	if e.at != other.at {
		return e.at < other.at
	}
	return e.seq < other.seq
}

// eventQueue is a heap with four children to a parent: flatter than a binary one, and
// the children lie side by side in memory.
type eventQueue struct {
	heap []event
	seq  uint64
}

func (q *eventQueue) push(e event) {
	q.seq++
	e.seq = q.seq
	q.heap = append(q.heap, e)
	i := len(q.heap) - 1
	for i > 0 {
		parent := (i - 1) / 4
		if !e.before(q.heap[parent]) {
			break
		}
		q.heap[i] = q.heap[parent]
		i = parent
	}
	q.heap[i] = e
}

// next is when the first event is due, forever if there is none.
func (q *eventQueue) next() time.Duration {
	if len(q.heap) == 0 {
		return forever
	}
	return q.heap[0].at
}

// pop takes the first event. The queue must not be empty.
func (q *eventQueue) pop() event {
	first := q.heap[0]
	n := len(q.heap) - 1
	last := q.heap[n]
	q.heap = q.heap[:n]
	if n == 0 {
		return first
	}
	i := 0
	for {
		child := 4*i + 1
		if child >= n {
			break
		}
		least := child
		for c := child + 1; c < min(child+4, n); c++ {
			if q.heap[c].before(q.heap[least]) {
				least = c
			}
		}
		if !q.heap[least].before(last) {
			break
		}
		q.heap[i] = q.heap[least]
		i = least
	}
	q.heap[i] = last
	return first
}
