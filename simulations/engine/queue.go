package engine

import (
	"slices"
	"sort"
	"time"
)

// waiter is a build without a node.
type waiter struct {
	build int32
	// since is when its pod was created: the arrival, or its last interruption.
	since time.Duration
	// turn is its pod's place among all that were ever created.
	turn int32
	// blocked is what had been spent on each cause when it began to wait.
	blocked [causes]time.Duration
	// covered is when a node was first on its way for it, Never until then; before
	// holds the longest cause until then, and for how long.
	covered time.Duration
	before  blame
	hint    hint
}

// queue holds the builds of one demand that wait, in order of creation.
type queue struct {
	waiters []waiter
	head    int
	// coveredTo counts the waiters, from the head, for which nodes are on their way.
	coveredTo int
	// spent is how long the demand's uncovered builds have been held up by each cause,
	// up to the instant noted; the cause is what holds them up since.
	spent [causes]time.Duration
	noted time.Duration
	cause Cause
}

func (q *queue) len() int { return len(q.waiters) - q.head }

func (q *queue) at(i int) *waiter { return &q.waiters[q.head+i] }

func (q *queue) push(build, turn int32, now time.Duration) {
	if q.len() == 0 {
		q.blame(Scanning, now)
	}
	q.settle(now)
	q.waiters = append(q.waiters, waiter{build: build, turn: turn, since: now, blocked: q.spent, covered: Never})
}

// take removes the waiter of a turn. Nearly always it is at one of the ends.
func (q *queue) take(turn int32) waiter {
	at := sort.Search(q.len(), func(i int) bool { return q.at(i).turn >= turn })
	w := *q.at(at)
	if at < q.coveredTo {
		q.coveredTo--
	}
	if at < q.len()/2 {
		copy(q.waiters[q.head+1:], q.waiters[q.head:q.head+at])
		q.head++
	} else {
		q.waiters = slices.Delete(q.waiters, q.head+at, q.head+at+1)
	}
	if q.head > 1024 && q.head*2 > len(q.waiters) {
		n := copy(q.waiters, q.waiters[q.head:])
		q.waiters, q.head = q.waiters[:n], 0
	}
	if q.head == len(q.waiters) {
		q.waiters, q.head = q.waiters[:0], 0
	}
	return w
}

// remove takes the waiters at the places, which are in ascending order.
func (q *queue) remove(places []int32) []waiter {
	out := make([]waiter, 0, len(places))
	covered := q.coveredTo
	kept := q.waiters[:q.head]
	for i, next := 0, 0; i < q.len(); i++ {
		if next < len(places) && int(places[next]) == i {
			out = append(out, *q.at(i))
			next++
			if i < q.coveredTo {
				covered--
			}
			continue
		}
		kept = append(kept, *q.at(i))
	}
	q.waiters, q.coveredTo = kept, covered
	if q.head == len(q.waiters) {
		q.waiters, q.head = q.waiters[:0], 0
	}
	return out
}
