package engine

import (
	"time"

	"github.com/buildpool/buildpool/nodegroups/expander"
)

// scaleUpRequest is a scale-up that has not ended (CA clusterstate/clusterstate.go
// ScaleUpRequest). increase 0: there is none.
type scaleUpRequest struct {
	increase int
	expected time.Duration
}

// register notes a scale-up, or with a negative delta that a part of one failed (CA
// registerOrUpdateScaleUpNoLock).
func (r *scaleUpRequest) register(delta int, now, provisionTime time.Duration) {
	if r.increase == 0 && delta <= 0 {
		return
	}
	r.increase = max(0, r.increase+delta)
	if delta > 0 {
		r.expected = now + provisionTime
	}
}

// backoff keeps a group from being scaled up after a failure (CA
// utils/backoff/exponential_backoff.go).
type backoff struct {
	duration, until, failed time.Duration
	active                  bool
	// stock: the cloud had nothing to give.
	stock bool
}

func (b *backoff) holds(now time.Duration) bool { return b.active && b.until >= now }

// start backs the group off: for twice as long as the last time, unless that has been
// going on.
func (b *backoff) start(a *Autoscaler, now time.Duration, stock bool) {
	duration := a.InitialNodeGroupBackoff
	if b.active {
		duration = b.duration
		if b.until < now {
			duration = min(2*b.duration, a.MaxNodeGroupBackoff)
		}
	}
	*b = backoff{duration: duration, until: now + duration, failed: now, active: true, stock: stock}
}

// forget drops a backoff whose last failure is old (RemoveStaleBackoffData).
func (b *backoff) forget(a *Autoscaler, now time.Duration) {
	if b.active && b.failed+a.NodeGroupBackoffReset < now {
		b.active = false
	}
}

// updateClusterState is the beginning of a loop: what has become of the scale-ups (CA
// clusterstate.go UpdateNodes, static_autoscaler.go removeOldUnregisteredNodes and
// deleteCreatedNodesWithErrors).
func (s *autoscaler) updateClusterState() {
	for g := range s.world.groups {
		group := &s.world.groups[g]
		group.backoff.forget(s.flags, s.now())
		overdue := s.unregistered(g)
		s.updateRequest(g)
		s.creationErrors(g)
		s.removeUnregistered(g, overdue)
	}
}

// unregistered notes since when instances are known that have no node, and returns
// those that are overdue (updateReadinessStats, LongUnregistered).
func (s *autoscaler) unregistered(g int) (overdue []int32) {
	group := &s.world.groups[g]
	kept := group.creating[:0]
	for _, id := range group.creating {
		n := &s.world.nodes[id]
		if n.state != creating {
			continue
		}
		if n.seen == Never {
			n.seen = s.now()
		}
		if n.seen+group.options.provisionTime < s.now() {
			overdue = append(overdue, id)
		}
		kept = append(kept, id)
	}
	group.creating = kept
	group.overdue = len(overdue)
	return overdue
}

// updateRequest ends a request whose nodes are there, and gives up one that has taken
// too long: the group is backed off (updateScaleRequests). The target then stays, as
// the provider keeps it at the instances that exist.
func (s *autoscaler) updateRequest(g int) {
	group := &s.world.groups[g]
	switch r := &group.request; {
	case r.increase == 0:
	case group.missing() <= 0:
		r.increase = 0
	case r.expected < s.now():
		r.increase = 0
		group.backoff.start(s.flags, s.now(), false)
		group.trouble.Failed = s.world.incident()
	}
}

// creationErrors takes failed creations into account: a group that was being scaled up
// is backed off, and the target falls by the placeholders, which the autoscaler
// deletes (handleInstanceCreationErrorsForNodeGroup, deleteCreatedNodesWithErrors).
func (s *autoscaler) creationErrors(g int) {
	group := &s.world.groups[g]
	if group.failed == 0 {
		return
	}
	if group.request.increase > 0 && group.missing() > 0 {
		group.request.register(-group.failed, s.now(), group.options.provisionTime)
		group.backoff.start(s.flags, s.now(), true)
	}
	group.trouble.OutOfStock = s.world.incident()
	group.target -= group.failed
	group.failed = 0
	s.changed = true
}

// removeUnregistered deletes overdue instances, but not below the group's min.
func (s *autoscaler) removeUnregistered(g int, overdue []int32) {
	group := &s.world.groups[g]
	possible := max(0, group.target-s.world.floor(g))
	for _, id := range overdue[:min(len(overdue), possible)] {
		s.world.remove(id)
		s.world.result.Groups[g].Failed++
		s.changed = true
	}
	if possible > 0 {
		group.overdue = 0
	}
}

// healthy reports whether few enough of the group's nodes are missing without a
// reason (IsNodeGroupHealthy with --ok-total-unready-count 3 and
// --max-total-unready-percentage 45).
func (g *group) healthy() bool {
	const okUnready, maxUnreadyShare = 3, 0.45
	unready := g.target - g.overdue - g.request.increase - g.ready
	return unready <= okUnready || float64(unready) <= maxUnreadyShare*float64(g.ready)
}

// incident is a piece of trouble of the kind that the expander remembers.
func (w *world) incident() expander.Incident {
	return expander.Incident{At: w.clock()}
}

// clock is the instant as the production code sees it.
func (w *world) clock() time.Time { return w.settings.Trace.Start.Add(w.now) }
