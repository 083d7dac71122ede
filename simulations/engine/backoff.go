package engine

import (
	"cmp"
	"slices"
	"time"
)

// kube-scheduler tries its waiting pods again after events that may help them, and the
// order in which it does so is not that of their creation (Kubernetes 1.36,
// pkg/scheduler/backend/queue). A pod that has failed n times backs off for 2^(n-1)
// seconds, ten at most. Those that do not back off go first, by the times of their last
// attempts (framework/plugins/queuesort/priority_sort.go); then, as there are no others,
// those that do, by the second in which that ends (backoff_queue.go
// lessBackoffCompletedWithPriority, active_queue.go unlockedPop). So where events come
// often a new pod overtakes those that have waited long.

// maxFailures is from which on a pod's backoff is maxBackoff, whatever else happens.
const (
	maxFailures = 5
	maxBackoff  = 10 * time.Second
)

// trial is a waiting pod as the scheduler's queue knows it.
type trial struct {
	turn int32
	// failures are its attempts so far, up to maxFailures.
	failures int32
	// rank tells which of two pods was tried first at their last attempt.
	rank int64
	// tried is when that was.
	tried time.Duration
}

// due is the second in which a pod's backoff ends; zero if it has ended.
func (t *trial) due(now time.Duration) time.Duration {
	backoff := maxBackoff
	if t.failures < maxFailures {
		backoff = time.Second << (t.failures - 1)
	}
	if end := (t.tried + backoff).Truncate(time.Second); end >= now.Truncate(time.Second) {
		return end
	}
	return 0
}

// line is the order in which the scheduler tries the builds of one demand. Those that
// have failed often keep their order among themselves for good, so that an event costs
// nothing for each of them.
type line struct {
	fresh []trial // by rank; they have failed less than maxFailures times
	old   []trial // by rank from head on; all last tried at oldTried
	head  int

	oldTried time.Duration
}

// first is the pod that is tried first, nil if none waits.
func (l *line) first() *trial {
	switch oldest := len(l.old) > l.head; {
	case len(l.fresh) > 0 && (!oldest || l.fresh[0].rank < l.old[l.head].rank):
		return &l.fresh[0]
	case oldest:
		return &l.old[l.head]
	}
	return nil
}

// pop takes the first pod, of which there must be one.
func (l *line) pop() trial {
	first := *l.first()
	if len(l.fresh) > 0 && l.fresh[0].turn == first.turn {
		l.fresh = slices.Delete(l.fresh, 0, 1)
	} else if l.head++; l.head == len(l.old) {
		l.old, l.head = l.old[:0], 0
	}
	return first
}

// remove takes a pod, wherever it is.
func (l *line) remove(turn int32) {
	of := func(t trial) bool { return t.turn == turn }
	l.fresh = slices.DeleteFunc(l.fresh, of)
	l.old = append(l.old[:l.head], slices.DeleteFunc(l.old[l.head:], of)...)
	if l.head == len(l.old) {
		l.old, l.head = l.old[:0], 0
	}
}

// settle moves the pods that have failed often enough to the old ones.
func (l *line) settle() {
	for i := len(l.fresh) - 1; i >= 0; i-- {
		if l.fresh[i].failures == maxFailures {
			l.age(l.fresh[i])
		}
	}
	l.fresh = slices.DeleteFunc(l.fresh, func(t trial) bool { return t.failures == maxFailures })
}

// age puts a pod to the old ones, nearly always before or behind all of them.
func (l *line) age(t trial) {
	if len(l.old) > l.head && t.rank < l.old[l.head].rank {
		if l.head == 0 {
			gap := 16 + len(l.old)/2
			l.old, l.head = append(make([]trial, gap, gap+2*len(l.old)), l.old...), gap
		}
		l.head--
		l.old[l.head] = t
		return
	}
	at := len(l.old)
	for at > l.head && l.old[at-1].rank > t.rank {
		at--
	}
	l.old = slices.Insert(l.old, at, t)
}

// trials orders the pods of all demands.
type trials struct {
	// front and back are the ranks before and behind all that were ever given.
	front, back int64
	early, late []ordered
}

// ordered is a pod whose place changes: it is tried when its backoff ends.
type ordered struct {
	*trial
	due time.Duration
}

// fail puts a pod that no node took at its first attempt into its demand's line.
func (t *trials) fail(l *line, turn int32, now time.Duration) {
	t.back++
	l.fresh = append(l.fresh, trial{turn: turn, failures: 1, rank: t.back, tried: now})
}

// retry is an event after which the scheduler tries the waiting builds of some demands
// again: each has failed once more, unless it is then placed.
func (w *world) retry(tries func(d *demand) bool) {
	t := &w.trials
	old, waits := trial{failures: maxFailures}, false
	for i := range w.demands {
		if d := &w.demands[i]; len(d.line.old) > d.line.head && tries(d) {
			old.tried, waits = max(old.tried, d.line.oldTried), true
			d.line.oldTried = w.now
		}
	}
	oldDue := old.due(w.now)
	t.early, t.late = t.early[:0], t.late[:0]
	for i := range w.demands {
		d := &w.demands[i]
		if len(d.line.fresh) == 0 || !tries(d) {
			continue
		}
		for j := range d.line.fresh {
			p := &d.line.fresh[j]
			switch due := p.due(w.now); {
			case waits && due < oldDue:
				t.early = append(t.early, ordered{p, due})
			case due > oldDue || !waits && due > 0:
				t.late = append(t.late, ordered{p, due})
			}
			p.failures, p.tried = p.failures+1, w.now
		}
	}
	t.order()
	for i := range w.demands {
		if l := &w.demands[i].line; len(l.fresh) > 0 && l.fresh[0].tried == w.now {
			slices.SortFunc(l.fresh, func(a, b trial) int { return cmp.Compare(a.rank, b.rank) })
			l.settle()
			l.oldTried = w.now
		}
	}
}

// order gives those that go before all others, and those that go behind them, their
// ranks.
func (t *trials) order() {
	byDue := func(a, b ordered) int { return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.rank, b.rank)) }
	slices.SortFunc(t.early, byDue)
	slices.SortFunc(t.late, byDue)
	t.front -= int64(len(t.early))
	for i, p := range t.early {
		p.rank = t.front + int64(i)
	}
	for _, p := range t.late {
		t.back++
		p.rank = t.back
	}
}

// podDeleted: room has come free somewhere, which is tried by the builds that a node of
// theirs had no room for, wherever it was (noderesources/fit.go
// isSchedulableAfterPodEvent).
func (w *world) podDeleted() { w.retry(w.hasNode) }

// nodeTainted: the taints of some node have changed, which is tried by all (scheduler.go
// buildQueueingHintMap).
func (w *world) nodeTainted() { w.retry(func(*demand) bool { return true }) }

// nodeAdded: a node has registered, which is tried by those that would fit, and in vain
// as long as it has the taint that kube-apiserver gives a new node.
func (w *world) nodeAdded(kind int32) {
	w.retry(func(d *demand) bool {
		return w.allowed(d, kind) || w.kinds[kind].allocatable.holds(d.ask) && w.hasNode(d)
	})
	w.nodeTainted()
}

// hasNode reports whether there is a node for the demand's class, however full.
func (w *world) hasNode(d *demand) bool {
	for _, k := range d.kinds {
		if w.kinds[k].open > 0 {
			return true
		}
	}
	return false
}
