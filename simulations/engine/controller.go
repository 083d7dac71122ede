package engine

import (
	"slices"
	"strconv"
	"time"

	"github.com/buildpool/buildpool/overflow"
)

// controller is the overflow controller, and the virtual node that it moves builds to. The
// methods that the rest of the engine calls do nothing where there is none.
type controller struct {
	world    *world
	settings *Overflow
	classes  []overflowClass
	// demands are what the controller knows of each demand's builds.
	demands []knownDemand
	bucket  overflow.Bucket
	// due is when it decides next, forever if nothing can have changed until then.
	due  time.Duration
	said said
	// names are those that builds have in a decision, by their place there.
	names []string
	// movedAt is when each build moved.
	movedAt []time.Duration
}

// overflowClass is a class and what it has on the virtual node.
type overflowClass struct {
	*OverflowClass
	policy overflow.Policy
	live   int
	// cost per hour of what is live.
	cost float64
}

// knownDemand is what the controller knows of the builds of one demand.
type knownDemand struct {
	class int // of the settings; -1: of none
	// ineligible is why its builds may not move; empty: they may.
	ineligible  overflow.Reason
	ask         overflow.Resources
	costPerHour float64
	groups      []string
}

// newController returns nil where there is no virtual node.
func newController(w *world) *controller {
	settings := w.settings.Overflow
	if settings == nil {
		return nil
	}
	builds := len(w.settings.Trace.Builds)
	o := &controller{world: w, settings: settings, due: forever, said: newSaid(builds), movedAt: make([]time.Duration, builds)}
	for i := range settings.Classes {
		o.classes = append(o.classes, overflowClass{OverflowClass: &settings.Classes[i], policy: policyOf(settings.Classes[i])})
		w.result.Overflow = append(w.result.Overflow, OverflowResult{Class: settings.Classes[i].Class, Moved: map[overflow.Reason]int{}})
	}
	o.demands = make([]knownDemand, len(w.demands))
	for shape, d := range slices.Backward(w.demandOf) {
		o.demands[d] = o.learn(&w.demands[d], w.settings.Trace.Shapes[shape])
	}
	return o
}

// takes reports whether builds of the shape may ever move.
func (o *controller) takes(shape int32) bool {
	return o != nil && o.demands[o.world.demandOf[shape]].ineligible == ""
}

// scaleUpDelay is for how long cluster-autoscaler leaves the demand's builds alone.
func (o *controller) scaleUpDelay(d int) time.Duration {
	if o == nil || o.demands[d].ineligible != "" {
		return 0
	}
	return o.classes[o.demands[d].class].ScaleUpDelay
}

// changed is told that something has happened which a decision may depend on.
func (o *controller) changed() {
	if o == nil || o.due <= o.slot(o.world.now) {
		return
	}
	for d := range o.demands {
		if o.demands[d].ineligible == "" && o.world.demands[d].waiting.len() > 0 {
			o.plan(o.world.now)
			return
		}
	}
}

// slot is when the controller decides next after a time. It does so in every slot; those
// at which nothing can have changed are not played.
func (o *controller) slot(after time.Duration) time.Duration {
	return (after/o.settings.Every + 1) * o.settings.Every
}

// plan makes the controller decide after the time at the latest.
func (o *controller) plan(after time.Duration) {
	if after == forever || o.due <= o.slot(after) {
		return
	}
	o.due = o.slot(after)
	o.world.events.push(event{at: o.due, kind: overflowDecides})
}

// decide moves the builds that are to move now, class by class.
func (o *controller) decide() {
	if o.world.now != o.due {
		return // it was planned anew for an earlier time
	}
	o.due = forever
	again := forever
	for c := range o.classes {
		at, may := o.mayMove(c)
		if may {
			at = o.decideFor(c)
		}
		again = min(again, at)
	}
	o.plan(again)
}

// decideFor returns after which time it may decide otherwise if nothing else happens.
func (o *controller) decideFor(c int) (again time.Duration) {
	situation, refs := o.situation(c)
	policy := &o.classes[c].policy
	verdicts, bucket := policy.Decide(situation)
	o.bucket = bucket
	again = forever
	if at := policy.Changes(situation); !at.IsZero() {
		again = o.since(at)
	}
	leaving := make([][]int32, len(o.world.demands))
	for _, v := range verdicts {
		if v.Moves || v.Reason == overflow.AtRateLimit {
			again = o.world.now
		}
		if !v.Moves {
			continue
		}
		at, err := strconv.Atoi(v.Name)
		if err != nil {
			panic("a build's name is its place: " + err.Error())
		}
		ref := refs[at]
		leaving[ref.demand] = append(leaving[ref.demand], ref.at)
		o.world.result.Overflow[c].Moved[v.Reason]++
	}
	o.move(leaving)
	return again
}

// move puts builds on the virtual node, by their places in their demands' queues.
func (o *controller) move(leaving [][]int32) {
	for d, places := range leaving {
		if len(places) == 0 {
			continue
		}
		slices.Sort(places)
		for _, w := range o.world.demands[d].waiting.remove(places) {
			o.world.demands[d].line.remove(w.turn)
			o.start(d, w)
		}
		o.world.wake()
	}
}

// mayMove reports whether there is a reason for any build of the class to move, and
// room: where there is none, the outcome of a decision is known, until the time returned
// if nothing else happens.
func (o *controller) mayMove(c int) (until time.Duration, may bool) {
	p := &o.classes[c].policy
	if o.classes[c].live >= p.MaxPods {
		return forever, false
	}
	if o.bucket.Available(o.world.clock()) == 0 {
		return o.world.now, false
	}
	until = forever
	for d := range o.world.demands {
		demand, q := &o.demands[d], &o.world.demands[d].waiting
		if demand.class != c || demand.ineligible != "" || q.len() == 0 {
			continue
		}
		if p.Start.PredictedLater > 0 || p.Start.WhenBlocked && o.stuck(d) {
			return o.world.now, true
		}
		if p.Start.After > 0 {
			ages := o.since(o.created(q.at(0)).Add(p.Start.After))
			if ages < o.world.now {
				return o.world.now, true
			}
			until = min(until, ages)
		}
	}
	return until, false
}

// stuck reports whether a rule about groups that cannot grow may hold for the demand.
func (o *controller) stuck(d int) bool {
	if o.said.helpless(o.world, d) {
		return true
	}
	for g, fits := range o.world.demands[d].fits {
		if fits && o.blocked(g) == "" {
			return false
		}
	}
	return true
}

// start puts a build on the virtual node.
func (o *controller) start(d int, waiter waiter) {
	w, demand := o.world, &o.demands[d]
	build := w.settings.Trace.Builds[waiter.build]
	starting, pulling := o.settings.Start.draw(w.starts), w.pullTime[build.Shape]
	r := &w.result.Builds[waiter.build]
	r.Cause = w.demands[d].waiting.verdict(&waiter, w.now, pulling, starting, r.Interruptions > 0)
	r.Group, r.Node, r.Virtual = -1, -1, true
	r.Started = w.now + starting + pulling + w.settings.AgentStart
	w.events.push(event{at: r.Started + build.Duration, kind: buildEnds, subject: waiter.build, node: -1, life: r.Interruptions})
	o.movedAt[waiter.build] = w.now
	class := &o.classes[demand.class]
	class.live++
	class.cost += demand.costPerHour
	result := &w.result.Overflow[demand.class]
	result.Peak = max(result.Peak, class.live)
	w.meter.pending(w.demands[d].class, -1)
	w.meter.moved(w.demands[d].class, +1)
}

// ended takes a build off the virtual node.
func (o *controller) ended(build int32) {
	d := o.world.demandOf[o.world.settings.Trace.Builds[build].Shape]
	class := &o.classes[o.demands[d].class]
	class.live--
	class.cost -= o.demands[d].costPerHour
	if class.live == 0 {
		class.cost = 0 // not what is left of sums that were rounded
	}
	o.world.meter.moved(o.world.demands[d].class, -1)
	o.bill(build, o.world.now)
}

// finish bills the pods that are still there when the run ends.
func (o *controller) finish() {
	if o == nil {
		return
	}
	for build, r := range o.world.result.Builds {
		if r.Virtual && r.Ended == Never {
			o.bill(int32(build), o.world.result.End)
		}
	}
}

// bill adds a pod to what its class costs. A pod is billed while its image is pulled,
// too.
func (o *controller) bill(build int32, until time.Duration) {
	demand := &o.demands[o.world.demandOf[o.world.settings.Trace.Builds[build].Shape]]
	result := &o.world.result.Overflow[demand.class]
	billed := until - o.movedAt[build]
	result.Billed += billed
	result.Cost += billed.Hours() * demand.costPerHour
}
