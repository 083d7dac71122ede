package engine

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/buildpool/buildpool/nodegroups/floor"
)

const forever time.Duration = math.MaxInt64

// Progress is how far a run has come.
type Progress struct {
	// At is the virtual time reached, Last that of the last build's arrival.
	At, Last time.Duration
	// Done and Builds are builds ended, and in all.
	Done, Builds int
}

// progressEvery is how many events lie between two reports of progress, and between
// two looks at whether the run is still wanted.
const progressEvery = 1 << 14

// Run plays the trace. It returns ctx's error if the run is cancelled, and an error
// that says what is wrong with settings that cannot be played. progress may be nil;
// it is called from the same goroutine, every few milliseconds.
func Run(ctx context.Context, s Settings, progress func(Progress)) (*Result, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("check settings: %w", err)
	}
	w, err := newWorld(&s)
	if err != nil {
		return nil, err
	}
	w.begin()
	for steps := 1; w.step(); steps++ {
		if steps%progressEvery != 0 {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("simulate: %w", err)
		}
		if progress != nil {
			progress(Progress{At: w.now, Last: w.last, Done: w.done, Builds: len(s.Trace.Builds)})
		}
	}
	return w.finish(), nil
}

// world is all state of a run.
type world struct {
	settings *Settings
	now      time.Duration
	horizon  time.Duration
	last     time.Duration // arrival of the last build
	events   eventQueue
	next     int // the next build to arrive
	// turns counts the pods that have been created.
	turns  int32
	trials trials
	// open counts the builds that have not ended and can, done those that have.
	open, done int

	demands  []demand
	demandOf []int32 // by shape
	kinds    []kind
	kindOf   []int32 // by group
	imageOf  []int32 // by shape
	pullTime []time.Duration
	shelves  shelves
	nodes    []node
	groups   []group
	cloud    cloud
	scaler   autoscaler
	overflow *controller // nil: there is no virtual node
	meter    meter
	result   *Result

	// Every kind of chance has its own source, so that a setting which draws less of
	// one leaves the others as they were.
	ties, boots, reclaims, expansions, orders, starts, notices *rand.Rand
}

func newWorld(s *Settings) (*world, error) {
	source := func(kind uint64) *rand.Rand { return rand.New(rand.NewPCG(s.Seed, kind)) }
	w := &world{
		settings: s,
		horizon:  s.Horizon,
		open:     len(s.Trace.Builds),
		shelves:  shelves{by: map[shelfKey]int32{}},
		ties:     source(1), boots: source(2), reclaims: source(3), expansions: source(4), orders: source(5), starts: source(6), notices: source(7),
		result: &Result{Builds: make([]BuildResult, len(s.Trace.Builds)), Groups: make([]GroupResult, len(s.Groups))},
	}
	for i := range w.result.Builds {
		w.result.Builds[i] = BuildResult{Started: Never, Ended: Never, Group: -1, Node: -1}
	}
	if n := len(s.Trace.Builds); n > 0 {
		w.last = s.Trace.Builds[n-1].Arrival
	}
	if w.horizon == 0 {
		w.horizon = w.last + 24*time.Hour
	}
	w.demands, w.demandOf = demandsOf(s.Trace, s.Groups, s.Classes())
	w.kinds, w.kindOf = kindsOf(s.Groups, w.demands)
	w.imageOf, w.pullTime = imageTimes(s)
	w.groups = newGroups(s)
	for g := range w.groups {
		policy, err := floor.New(s.Groups[g].Config)
		if err != nil {
			return nil, fmt.Errorf("read schedules: %w", err)
		}
		w.groups[g].floors = floors{policy: policy, fixed: fixedFloor(s.Groups[g].Config)}
	}
	w.cloud = newCloud(s)
	w.scaler = newAutoscaler(w)
	w.overflow = newController(w)
	w.meter = newMeter(s)
	for g := range s.Groups {
		w.result.Groups[g].Name = s.Groups[g].Config.Name
	}
	return w, nil
}

// begin puts the groups at their min, with nodes that are Ready.
func (w *world) begin() {
	for g := range w.groups {
		w.groups[g].target = w.settings.Groups[g].Config.Min
		for range w.groups[g].target {
			w.join(w.create(g))
		}
		for i, mass := range w.massReclaims(g) {
			w.events.push(event{at: mass.At, kind: massReclaim, subject: int32(g), node: int32(i)})
		}
	}
	w.wake()
}

// step plays what comes next; false when the run is over. At one instant what frees
// room comes before what needs it, and the autoscaler looks last.
func (w *world) step() bool {
	arrival := forever
	if w.next < len(w.settings.Trace.Builds) {
		arrival = w.settings.Trace.Builds[w.next].Arrival
	}
	happens, loop := w.events.next(), w.scaler.next
	at := min(arrival, happens, loop)
	if at > w.horizon || w.settled() {
		return false
	}
	w.meter.until(at, w)
	w.now = at
	switch at {
	case happens:
		e := w.events.pop()
		if e.kind == overflowDecides {
			w.overflow.decide()
			return true
		}
		w.happen(e)
	case arrival:
		w.next++
		w.arrive(int32(w.next - 1))
	default:
		w.scaler.loop()
	}
	w.overflow.changed()
	return true
}

// settled reports whether nothing is left to do: no build will come or run, and the
// groups are back at their floors.
func (w *world) settled() bool {
	if w.open > 0 || w.next < len(w.settings.Trace.Builds) {
		return false
	}
	for g := range w.groups {
		if least := w.settings.Groups[g].Config.Min; w.groups[g].billed > least || w.groups[g].target > least {
			return false
		}
	}
	return true
}

func (w *world) happen(e event) {
	switch e.kind {
	case buildEnds:
		w.end(e)
	case nodeJoins:
		if w.nodes[e.subject].state == creating {
			w.join(e.subject)
			w.nodeAdded(w.kindOf[w.nodes[e.subject].group])
			w.scheduleAll()
		}
	case nodeDeleted:
		w.deleteNode(e.subject)
	case nodeGone:
		w.cloud.removed(w, e.subject)
	case reclaimKnown:
		w.notify(e.subject)
	case noticesRead:
		w.replaceAhead(e.subject)
	case protectionEnds:
		w.close(e.subject)
	case reclaimComes:
		w.reclaim(e.subject)
	case massReclaim:
		w.reclaimMany(int(e.subject), w.massReclaims(int(e.subject))[e.node])
	case creationFails:
		w.groups[e.subject].failed += int(e.node)
		w.wake()
	}
}

// wake makes the autoscaler play its next loop: something it would see has changed.
func (w *world) wake() { w.scaler.playAfter(w.now) }
