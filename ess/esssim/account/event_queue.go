package account

import (
	"container/heap"
	"time"
)

// event is something the account does at a point in time.
type event struct {
	at time.Time
	// sequence orders events of one instant by their creation, so that the order
	// never depends on chance.
	sequence uint64
	run      func()
}

// eventQueue is a heap of events, earliest first.
type eventQueue []event

func (q eventQueue) Len() int { return len(q) }

func (q eventQueue) Less(i, j int) bool {
	if !q[i].at.Equal(q[j].at) {
		return q[i].at.Before(q[j].at)
	}
	return q[i].sequence < q[j].sequence
}

func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push is for container/heap.
func (q *eventQueue) Push(x any) { *q = append(*q, x.(event)) }

// Pop is for container/heap.
func (q *eventQueue) Pop() any {
	last := len(*q) - 1
	e := (*q)[last]
	(*q)[last] = event{}
	*q = (*q)[:last]
	return e
}

// after schedules run at a delay from the account's current instant.
func (a *Account) after(delay time.Duration, run func()) {
	a.sequence++
	heap.Push(&a.queue, event{at: a.now.Add(delay), sequence: a.sequence, run: run})
}

// advance runs every event that is due and sets the account's instant to the
// clock's. A clock that goes backwards is ignored.
func (a *Account) advance() {
	// Only what a clock on the wall shows can be kept and come back to.
	now := a.clock.Now().Round(0)
	for len(a.queue) > 0 && !a.queue[0].at.After(now) {
		e := heap.Pop(&a.queue).(event)
		a.now = e.at
		e.run()
		a.record()
	}
	if now.After(a.now) {
		a.now = now
	}
}
