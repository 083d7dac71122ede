package engine

import "slices"

// deletions are the removals that are under way.
type deletions struct {
	empty, drained int
	byGroup        []int
	// draining are the nodes that are being drained.
	draining []int32
}

func (d *deletions) begin(id, g int32, drain bool) {
	d.byGroup[g]++
	if drain {
		d.drained++
		d.draining = append(d.draining, id)
	} else {
		d.empty++
	}
}

func (d *deletions) done(id, g int32, drain bool) {
	d.byGroup[g]--
	if drain {
		d.drained--
		d.draining = slices.DeleteFunc(d.draining, func(other int32) bool { return other == id })
	} else {
		d.empty--
	}
}

// removeIdle begins to delete the nodes that have been unneeded for long enough
// (planner.go NodesToDelete, unneeded/nodes.go RemovableAt, budgets/budgets.go
// CropNodes): empty ones first, as many at once as the flags allow, and never below a
// group's min.
func (s *autoscaler) removeIdle() {
	budget := s.flags.MaxScaleDownParallelism - s.deletions.empty - s.deletions.drained
	if bulk := s.flags.MaxEmptyBulkDelete; bulk > 0 {
		budget = min(budget, bulk-s.deletions.empty)
	}
	drains := s.flags.MaxDrainParallelism - s.deletions.drained
	for g := range s.world.groups {
		budget = s.removeOf(g, budget, false)
	}
	drains = min(drains, budget)
	for g := range s.world.groups {
		drains = s.removeOf(g, drains, true)
	}
}

// removeOf deletes idle nodes of the group within the budget and returns what is left
// of that.
func (s *autoscaler) removeOf(g, budget int, drain bool) int {
	group := &s.world.groups[g]
	s.trimIdle(g)
	possible := group.target - s.deletions.byGroup[g] - s.world.floor(g)
	for _, u := range group.idle {
		if budget <= 0 || possible <= 0 || u.since+group.options.unneededTime >= s.now() && group.options.unneededTime > 0 {
			break
		}
		n := &s.world.nodes[u.node]
		if n.state != ready || n.unneeded != u.since || drain != (len(n.builds) > 0) {
			continue
		}
		s.delete(u.node, drain)
		budget--
		possible--
	}
	return budget
}

// delete taints the node, which keeps builds off it at once; its instance goes after
// --node-delete-delay-after-taint (actuation/actuator.go).
func (s *autoscaler) delete(id int32, drain bool) {
	w := s.world
	n := &w.nodes[id]
	w.unshelve(id)
	s.drop(id)
	n.state, n.drained = deleting, drain
	w.nodeTainted()
	w.groups[n.group].ready--
	w.groups[n.group].deleting++
	s.deletions.begin(id, n.group, drain)
	s.lastScaleDown, s.changed = s.now(), true
	w.events.push(event{at: w.now + s.flags.NodeDeleteDelayAfterTaint, kind: nodeDeleted, subject: id})
}

// deleteNode is the end of a deletion: builds that are still there are evicted, and
// the provider is asked to remove the instance.
func (w *world) deleteNode(id int32) {
	n := &w.nodes[id]
	if n.state != deleting {
		return // it was taken in the meantime
	}
	w.scaler.deletions.done(id, n.group, n.drained)
	w.groups[n.group].scaledDown = w.now
	w.result.Groups[n.group].NodesRemoved++
	w.remove(id)
	w.interrupt(id)
}
