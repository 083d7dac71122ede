package engine

import "time"

// blame is a cause and how long it held a build up.
type blame struct {
	cause Cause
	spent time.Duration
}

func worse(a, b blame) blame {
	if b.spent > a.spent {
		return b
	}
	return a
}

// settle adds the time since the last note to what holds the queue up.
func (q *queue) settle(now time.Duration) {
	q.spent[q.cause] += now - q.noted
	q.noted = now
}

// blame says what holds up the queue's uncovered builds from now on.
func (q *queue) blame(c Cause, now time.Duration) {
	q.settle(now)
	q.cause = c
}

// cover says for how many of the queue's builds, from the head, nodes are on their
// way. A build is looked at once when it becomes covered, not at every loop.
func (q *queue) cover(n int, now time.Duration) {
	q.settle(now)
	n = min(n, q.len())
	for i := q.coveredTo; i < n; i++ {
		w := q.at(i)
		if w.covered == Never {
			w.covered = now
			w.before = q.longest(w)
		}
	}
	q.coveredTo = n
}

// longest is the cause that has held a build up most since it began to wait.
func (q *queue) longest(w *waiter) blame {
	var most blame
	for c := range causes {
		most = worse(most, blame{c, q.spent[c] - w.blocked[c]})
	}
	return most
}

// waitIsNone is up to which wait a build counts as started at once.
const waitIsNone = 2 * time.Second

// verdict puts a build's wait down to one cause. placed is now; pulling is how long it
// will still wait for its image, starting for the virtual node; again: it had been
// interrupted.
func (q *queue) verdict(w *waiter, now, pulling, starting time.Duration, again bool) Cause {
	if again {
		return Reclaimed
	}
	q.settle(now)
	if now-w.since+pulling+starting <= waitIsNone {
		return NoWait
	}
	most := w.before
	if w.covered == Never {
		most = q.longest(w)
	} else {
		most = worse(most, blame{Booting, now - w.covered})
	}
	return worse(worse(most, blame{Pulling, pulling}), blame{Starting, starting}).cause
}
