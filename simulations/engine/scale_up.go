package engine

import (
	"math"
	"time"
)

// filterOutSchedulable finds for how many of the waiting builds a node is on its way
// (CA core/podlistprocessor/filter_out_schedulable.go): those need no scale-up.
func (s *autoscaler) filterOutSchedulable() {
	w := s.world
	s.pods.chance, s.pods.nodes = false, s.pods.nodes[:0]
	coming := s.upcomingBins()
	s.pods.singly = false
	for d := range w.demands {
		s.need[d] = w.demands[d].waiting.len()
	}
	switch {
	case len(coming.list) == 0 || !s.waiting():
	case s.pods.worth(w):
		s.pods.singly = true
		s.pods.fill(s)
	default:
		for d := range w.demands {
			fits := w.demands[d].fits
			s.need[d] = coming.fill(w.demands[d].ask, s.need[d], func(g int32) bool { return fits[g] })
		}
	}
	for d := range w.demands {
		if q := &w.demands[d].waiting; q.len() > 0 {
			q.cover(q.len()-s.need[d], s.now())
			oldest := q.at(min(q.coveredTo, q.len()-1)).since
			if s.pods.singly && s.pods.left[d] != Never {
				oldest = s.pods.left[d]
			}
			s.oldest[d] = w.created(oldest)
		}
	}
	s.leaveOutYoung()
	s.placeDrained()
}

// upcomingBins are the nodes that are on their way.
func (s *autoscaler) upcomingBins() bins {
	var coming bins
	for g := range s.world.groups {
		if n := s.world.upcoming(g); n > 0 {
			coming.list = append(coming.list, bin{left: s.world.kinds[s.world.kindOf[g]].allocatable, count: n, group: int32(g)})
		}
	}
	return coming
}

// created is when a pod was created as Kubernetes tells it: in whole seconds, so that
// pods are up to a second older than they are.
func (w *world) created(since time.Duration) time.Duration {
	return w.settings.Trace.Start.Add(since).Truncate(time.Second).Sub(w.settings.Trace.Start)
}

// leaveOutYoung leaves builds alone that are younger than --new-pod-scale-up-delay, or
// than the longer delay that their pods are annotated with (filterOutYoungPods). They
// are the last in the queue.
func (s *autoscaler) leaveOutYoung() {
	for d := range s.need {
		delay := max(s.flags.NewPodScaleUpDelay, s.world.overflow.scaleUpDelay(d))
		if delay == 0 {
			continue
		}
		q := &s.world.demands[d].waiting
		for s.need[d] > 0 {
			youngest := s.world.created(q.at(q.coveredTo + s.need[d] - 1).since)
			if s.now()-youngest > delay {
				break
			}
			s.dueAt(youngest + delay + 1)
			s.need[d]--
		}
	}
}

const (
	// newPodBuffer and newGPUPodBuffer are for how long more pods are waited for
	// (unschedulablePodTimeBuffer, unschedulablePodWithGpuTimeBuffer).
	newPodBuffer    = 2 * time.Second
	newGPUPodBuffer = 30 * time.Second
)

// allPodsAreNew reports whether it is too early to scale up, for whichever group: the
// oldest build, or the oldest one with a GPU, came a moment ago (CA
// core/static_autoscaler.go allPodsAreNew).
func (s *autoscaler) allPodsAreNew() (tooEarly bool, why Cause) {
	oldest, oldestGPU := forever, forever
	for d, n := range s.need {
		if n == 0 {
			continue
		}
		oldest = min(oldest, s.oldest[d])
		if s.world.demands[d].ask.gpus > 0 {
			oldestGPU = min(oldestGPU, s.oldest[d])
		}
	}
	if oldest+newPodBuffer > s.now() {
		s.dueAt(oldest + newPodBuffer)
		return true, Scanning
	}
	if oldestGPU < forever && oldestGPU+newGPUPodBuffer > s.now() {
		s.dueAt(oldestGPU + newGPUPodBuffer)
		return true, GPUDelay
	}
	return false, Scanning
}

// option is one way to make room: so many nodes of one group.
type option struct {
	group, nodes int
	placed       []int // by demand
	builds       int
}

// scaleUp makes room in one group, or in groups that are like it: one option per loop
// (CA core/scaleup/orchestrator/orchestrator.go ScaleUp).
func (s *autoscaler) scaleUp() {
	if !s.waiting() {
		return
	}
	w := s.world
	if s.flags.MaxNodesTotal > 0 && w.readyNodes() >= s.flags.MaxNodesTotal {
		s.blame(AtMax)
		return
	}
	if tooEarly, why := s.allPodsAreNew(); tooEarly {
		s.holdScaleDown = true
		s.blame(why)
		return
	}
	options := s.options()
	s.blameBlocked()
	best := s.choose(options)
	if best == nil {
		s.world.overflow.notTriggered()
		return
	}
	nodes := best.nodes
	if total := s.flags.MaxNodesTotal; total > 0 {
		nodes = min(nodes, total-w.knownNodes())
	}
	if nodes < 1 {
		return
	}
	for _, share := range s.balance(best, nodes) {
		s.increase(share.group, share.nodes)
	}
	w.overflow.triggered(best)
	for d, n := range best.placed {
		if q := &w.demands[d].waiting; n > 0 && nodes == best.nodes {
			q.cover(q.coveredTo+n, s.now())
		}
	}
}

// increase asks the provider for nodes (executor.go executeScaleUp).
func (s *autoscaler) increase(g, nodes int) {
	group := &s.world.groups[g]
	s.world.increase(g, nodes)
	group.request.register(nodes, s.now(), group.options.provisionTime)
	group.scaledUp, s.lastScaleUp = s.now(), s.now()
	s.changed = true
}

// options works out what each group could do.
func (s *autoscaler) options() []option {
	w := s.world
	var all []option
	for g := range w.groups {
		if !s.mayGrow(g) {
			continue
		}
		nodes, placed := s.estimate(g, s.limit(g))
		o := option{group: g, nodes: nodes, placed: placed}
		for _, n := range placed {
			o.builds += n
		}
		if o.builds > 0 && nodes > 0 {
			all = append(all, o)
		}
	}
	return all
}

// mayGrow reports whether a scale-up of the group is considered
// (filterValidScaleUpNodeGroups).
func (s *autoscaler) mayGrow(g int) bool {
	group := &s.world.groups[g]
	return !group.backoff.holds(s.now()) && group.healthy() && group.target < s.world.max(g)
}

// limit is how many nodes the estimator may add to the group (estimator/
// static_threshold.go, sng_capacity_threshold.go, cluster_capacity_threshold.go).
func (s *autoscaler) limit(g int) int {
	w := s.world
	capacity := w.max(g) - w.groups[g].target
	for _, other := range w.groups[g].similar {
		capacity += max(0, w.max(other)-w.groups[other].target)
	}
	limit := math.MaxInt
	if s.flags.MaxNodesPerScaleUp > 0 {
		limit = s.flags.MaxNodesPerScaleUp
	}
	if total := s.flags.MaxNodesTotal; total > 0 {
		limit = min(limit, total-w.knownNodes())
	}
	return max(0, min(limit, capacity))
}

func (w *world) readyNodes() int {
	n := 0
	for g := range w.groups {
		n += w.groups[g].ready
	}
	return n
}

// knownNodes counts the nodes of the autoscaler's snapshot: Ready ones, those being
// deleted, and upcoming ones.
func (w *world) knownNodes() int {
	n := 0
	for g := range w.groups {
		n += w.groups[g].ready + w.groups[g].deleting + w.upcoming(g)
	}
	return n
}

// enforceMin raises groups to their min (ScaleUpToNodeGroupMinSize).
func (s *autoscaler) enforceMin() {
	if !s.flags.EnforceNodeGroupMinSize {
		return
	}
	for g := range s.world.groups {
		group := &s.world.groups[g]
		if missing := s.world.floor(g) - group.target; missing > 0 && !group.backoff.holds(s.now()) && group.healthy() {
			s.increase(g, missing)
		}
	}
}

// blame says what holds up the builds that no node is on its way for.
func (s *autoscaler) blame(c Cause) {
	for d, n := range s.need {
		if n > 0 {
			s.world.demands[d].waiting.blame(c, s.now())
		}
	}
}

// blameBlocked says it per demand, by what keeps its groups from growing: the one that
// could grow soonest counts.
func (s *autoscaler) blameBlocked() {
	for d, n := range s.need {
		if n == 0 {
			continue
		}
		cause := AtMax
		for g, fits := range s.world.demands[d].fits {
			if !fits {
				continue
			}
			switch group := &s.world.groups[g]; {
			case s.mayGrow(g):
				cause = Scanning
			case cause == AtMax && group.backoff.holds(s.now()) && group.backoff.stock:
				cause = OutOfStock
			case cause == AtMax && group.backoff.holds(s.now()):
				cause = Backoff
			}
			if cause == Scanning {
				break
			}
		}
		s.world.demands[d].waiting.blame(cause, s.now())
	}
}

// capacity is the node's capacity, as the expanders compare it.
func (w *world) capacity(g int) (milliCPU, memory int64) {
	c := w.settings.Groups[g].Template.Capacity
	return c.Cpu().MilliValue(), c.Memory().Value()
}
