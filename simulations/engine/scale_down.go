package engine

import "time"

type recheck struct {
	node int32
	at   time.Duration
}

// scaleDown finds out which nodes are unneeded and removes those that have been so for
// long enough (CA core/static_autoscaler.go scaleDown). Only nodes at which something
// has changed are looked at: for the others the last loop's finding holds.
func (s *autoscaler) scaleDown() {
	if !s.flags.ScaleDownEnabled {
		s.untouch(nil)
		return
	}
	before := s.unneeded
	s.expireRechecks()
	for g := range s.world.groups {
		s.holdOrFree(g)
	}
	s.untouch(s.categorize)
	s.track(before)
	s.drains.simulate(s)
	if !s.inCooldown() {
		s.removeIdle()
	}
	s.soft.update(s)
}

// untouch goes through the touched nodes.
func (s *autoscaler) untouch(look func(id int32)) {
	for i := 0; i < len(s.touched); i++ {
		id := s.touched[i]
		s.world.nodes[id].touched = false
		if look != nil {
			look(id)
		}
	}
	s.touched = s.touched[:0]
}

// expireRechecks lets nodes be looked at again whose time as unremovable is over
// (core/scaledown/unremovable/nodes.go Update).
func (s *autoscaler) expireRechecks() {
	done := 0
	for _, r := range s.recheck {
		if r.at > s.now() {
			break
		}
		done++
		if n := &s.world.nodes[r.node]; n.unremovable == r.at {
			n.unremovable = Never
			if !n.touched {
				n.touched = true
				s.touched = append(s.touched, r.node)
			}
		}
	}
	s.recheck = s.recheck[done:]
}

// categorize judges one node (core/scaledown/planner/planner.go categorizeNodes,
// eligibility/eligibility.go): is it unneeded, and if not, when is it looked at again?
func (s *autoscaler) categorize(id int32) {
	w := s.world
	n := &w.nodes[id]
	if n.state != ready {
		s.drop(id)
		return
	}
	if s.flags.ScaleDownDelayTypeLocal && s.delayed(int(n.group)) {
		s.drop(id)
		w.groups[n.group].held = append(w.groups[n.group].held, id)
		return
	}
	switch {
	case n.unremovable != Never: // seen a moment ago with a build that may not be moved
	case w.utilization(n) > w.groups[n.group].options.threshold:
		s.drop(id)
	case len(n.builds) == 0:
		if n.unneeded == Never {
			s.empties = append(s.empties, id)
		}
	case s.flags.EvictableBuilds:
		s.drains.candidate(id)
	default:
		// A build without a controller, or marked safe-to-evict=false, blocks the node,
		// which then is not looked at for --unremovable-node-recheck-timeout.
		s.unremovable(id)
	}
}

func (s *autoscaler) unremovable(id int32) {
	s.drop(id)
	n := &s.world.nodes[id]
	n.unremovable = s.now() + s.flags.UnremovableNodeRecheckTimeout
	s.recheck = append(s.recheck, recheck{id, n.unremovable})
}

// utilization is the larger share of cpu and memory that builds ask for, or that of the
// GPUs on a GPU node (simulator/utilization/info.go Calculate).
func (w *world) utilization(n *node) float64 {
	all := w.kinds[w.kindOf[n.group]].allocatable
	if w.groups[n.group].options.gpuNodes {
		return share(int64(all.gpus), int64(n.left.gpus))
	}
	return max(share(all.milliCPU, n.left.milliCPU), share(all.memory, n.left.memory))
}

func share(all, left int64) float64 {
	if all == 0 {
		return 0
	}
	return float64(all-left) / float64(all)
}

// drop forgets that a node was unneeded.
func (s *autoscaler) drop(id int32) {
	n := &s.world.nodes[id]
	if n.unneeded == Never {
		return
	}
	n.unneeded = Never
	s.unneeded--
	s.soft.needed(s, id)
}

// track begins the clocks of idle nodes, of not more than can be removed soon
// (unneededNodesLimit): the others wait for their turn.
func (s *autoscaler) track(before int) {
	parallel := s.flags.MaxScaleDownParallelism
	limit := before + 2*parallel
	if s.flags.ScaleDownUnneededTime > 0 && !s.flags.FrequentLoops {
		limit = min(limit, parallel*int(max(s.flags.ScaleDownUnneededTime/s.period, 1))+parallel)
	}
	rest := s.empties[:0]
	for _, id := range s.empties {
		n := &s.world.nodes[id]
		if n.state != ready || len(n.builds) > 0 || n.unneeded != Never || n.unremovable != Never {
			continue
		}
		if s.unneeded >= limit {
			rest = append(rest, id)
			continue
		}
		s.begin(id)
	}
	s.empties = rest
}

// begin starts a node's clock (core/scaledown/unneeded/nodes.go newNode).
func (s *autoscaler) begin(id int32) {
	n := &s.world.nodes[id]
	n.unneeded = s.now()
	s.unneeded++
	group := &s.world.groups[n.group]
	group.idle = append(group.idle, unneededSince{id, n.unneeded})
	s.soft.unneeded(id)
}

// inCooldown reports whether a global delay keeps the loop from removing nodes
// (isScaleDownInCooldown).
func (s *autoscaler) inCooldown() bool {
	if s.holdScaleDown {
		return true
	}
	return !s.flags.ScaleDownDelayTypeLocal && s.cooldownEnds() > s.now()
}

func (s *autoscaler) cooldownEnds() time.Duration {
	return max(s.lastScaleUp+s.flags.ScaleDownDelayAfterAdd, s.lastScaleDown+s.flags.ScaleDownDelayAfterDelete)
}

// delayed is the same for one group with --scale-down-delay-type-local (processors/
// scaledowncandidates/scale_down_candidates_delay_processor.go): its nodes are then no
// candidates at all, so that their clocks begin when the delay is over.
func (s *autoscaler) delayed(g int) bool { return s.delayEnds(g) > s.now() }

func (s *autoscaler) delayEnds(g int) time.Duration {
	group := &s.world.groups[g]
	return max(group.scaledUp+s.flags.ScaleDownDelayAfterAdd, group.scaledDown+s.flags.ScaleDownDelayAfterDelete)
}

// holdOrFree stops the clocks of a group whose own delay has begun, and lets its nodes
// be looked at once the delay is over.
func (s *autoscaler) holdOrFree(g int) {
	group := &s.world.groups[g]
	if !s.flags.ScaleDownDelayTypeLocal {
		return
	}
	if s.delayed(g) {
		for _, u := range group.idle {
			if n := &s.world.nodes[u.node]; n.state == ready && n.unneeded == u.since {
				s.drop(u.node)
				group.held = append(group.held, u.node)
			}
		}
		group.idle = group.idle[:0]
		return
	}
	for _, id := range group.held {
		if n := &s.world.nodes[id]; !n.touched {
			n.touched = true
			s.touched = append(s.touched, id)
		}
	}
	group.held = group.held[:0]
}

// idleTimer notes when the group's next idle node may go.
func (s *autoscaler) idleTimer(g int) {
	group := &s.world.groups[g]
	if s.flags.ScaleDownDelayTypeLocal && len(group.held) > 0 {
		s.dueAt(s.delayEnds(g))
	}
	s.trimIdle(g)
	if len(group.idle) == 0 || group.target-s.deletions.byGroup[g] <= s.world.floor(g) {
		return
	}
	at := group.idle[0].since + group.options.unneededTime + 1
	if !s.flags.ScaleDownDelayTypeLocal {
		at = max(at, s.cooldownEnds())
	}
	s.dueAt(at)
}

// trimIdle drops from the head of the group's idle list what is not idle any more.
func (s *autoscaler) trimIdle(g int) {
	group := &s.world.groups[g]
	for len(group.idle) > 0 {
		first := group.idle[0]
		if n := &s.world.nodes[first.node]; n.state == ready && n.unneeded == first.since {
			return
		}
		group.idle = group.idle[1:]
	}
}
