package oracle

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"k8s.io/kubernetes/pkg/scheduler/backend/queue"

	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/simulations/engine"
)

// world is everything around cluster-autoscaler: builds, the cluster and the
// account, in the bubble's time. One goroutine runs its events; mu guards it all,
// because cluster-autoscaler reads and writes from goroutines of its own.
type world struct {
	settings engine.Settings
	account  *esssim.Simulator
	// unschedulable is poked when a build cannot be placed, which is what ends
	// cluster-autoscaler's wait for its next loop early.
	unschedulable chan any
	wake          chan struct{}

	mu      sync.Mutex
	start   time.Time
	rng     *rand.Rand
	events  eventQueue
	arrived int // builds of the trace that have come
	left    int // builds that are not done
	cluster cluster
	queue   *queue.PriorityQueue
	// quickNodes: new nodes are Ready within the milliseconds in which the waiting pods
	// are being tried on them. untainting is one that is about to be.
	quickNodes bool
	untainting *untainting
	// machines are the account's instances, by ID.
	machines map[string]*machine
	// looking: a look at the account is planned.
	looking bool
	// moves counts what may have changed the account; resting: nothing is under way in
	// it, so that it stays as it is until the next move.
	moves   int
	resting bool
	result  engine.Result
	log     []Event
}

func newWorld(s engine.Settings, account *esssim.Simulator, u upstream) *world {
	w := &world{
		settings: s, account: account,
		unschedulable: make(chan any, 1), wake: make(chan struct{}, 1),
		start: time.Now(), rng: rand.New(rand.NewPCG(s.Seed, 0x0eac1e)),
		left: len(s.Trace.Builds), machines: map[string]*machine{}, queue: newQueue(u),
	}
	w.cluster = newCluster(s, w.start)
	w.result = newResult(s)
	return w
}

// event is something that happens to the world at an instant.
type event struct {
	at       time.Time
	sequence uint64
	happen   func()
}

type eventQueue struct {
	list     []event
	sequence uint64
}

func (q *eventQueue) Len() int { return len(q.list) }
func (q *eventQueue) Less(a, b int) bool {
	if !q.list[a].at.Equal(q.list[b].at) {
		return q.list[a].at.Before(q.list[b].at)
	}
	return q.list[a].sequence < q.list[b].sequence
}
func (q *eventQueue) Swap(a, b int) { q.list[a], q.list[b] = q.list[b], q.list[a] }
func (q *eventQueue) Push(x any)    { q.list = append(q.list, x.(event)) }
func (q *eventQueue) Pop() any {
	last := q.list[len(q.list)-1]
	q.list = q.list[:len(q.list)-1]
	return last
}

// at plans an event. The caller holds mu.
func (w *world) at(when time.Time, happen func()) {
	w.events.sequence++
	heap.Push(&w.events, event{at: when, sequence: w.events.sequence, happen: happen})
	w.poke()
}

func (w *world) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run lets the world's events happen until done is closed.
func (w *world) run(done <-chan struct{}) {
	timer := time.NewTimer(math.MaxInt64)
	defer timer.Stop()
	for {
		w.mu.Lock()
		next, any := w.happen(time.Now())
		w.mu.Unlock()
		if any {
			timer.Reset(time.Until(next))
		} else {
			timer.Reset(math.MaxInt64)
		}
		select {
		case <-done:
			return
		case <-timer.C:
		case <-w.wake:
		}
	}
}

// happen runs what is due, and returns when something is next.
func (w *world) happen(now time.Time) (next time.Time, any bool) {
	for {
		next, any = w.nextEvent()
		arrival, more := w.nextArrival()
		arrives := more && (!any || arrival.Before(next))
		switch {
		case arrives && !arrival.After(now):
			w.arrive(now)
		case !arrives && any && !next.After(now):
			heap.Pop(&w.events).(event).happen()
		case arrives:
			return arrival, true
		default:
			return next, any
		}
	}
}

func (w *world) nextEvent() (time.Time, bool) {
	if len(w.events.list) == 0 {
		return time.Time{}, false
	}
	return w.events.list[0].at, true
}

func (w *world) nextArrival() (time.Time, bool) {
	if w.arrived == len(w.settings.Trace.Builds) {
		return time.Time{}, false
	}
	return w.start.Add(w.settings.Trace.Builds[w.arrived].Arrival), true
}

// since is an instant as the result tells it.
func (w *world) since(at time.Time) time.Duration { return at.Sub(w.start) }

// draw draws a delay: log-normal through its median and 95th percentile.
func (w *world) draw(d engine.Delay) time.Duration {
	if d.P95 <= d.Median || d.Median <= 0 {
		return d.Median
	}
	const z95 = 1.6448536269514722
	sigma := math.Log(float64(d.P95)/float64(d.Median)) / z95
	return time.Duration(float64(d.Median) * math.Exp(sigma*w.rng.NormFloat64()))
}
