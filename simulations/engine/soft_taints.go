package engine

// softTaints are the PreferNoSchedule taints that steer the scheduler away from nodes
// that may soon go (core/scaledown/actuation/softtaint.go UpdateSoftDeletionTaints).
type softTaints struct {
	add, remove []int32
}

func (t *softTaints) waiting() bool { return len(t.add) > 0 || len(t.remove) > 0 }

func (t *softTaints) unneeded(id int32) { t.add = append(t.add, id) }

func (t *softTaints) needed(s *autoscaler, id int32) {
	if s.world.nodes[id].avoided {
		t.remove = append(t.remove, id)
	}
}

// update changes as many nodes' taints as --max-bulk-soft-taint-count allows in a
// loop: needed nodes first lose theirs.
func (t *softTaints) update(s *autoscaler) {
	budget := s.flags.MaxBulkSoftTaintCount
	if budget == 0 {
		t.add, t.remove = t.add[:0], t.remove[:0]
		return
	}
	t.remove = t.spend(&budget, t.remove, func(n *node) bool { return n.avoided && n.unneeded == Never }, s, false)
	t.add = t.spend(&budget, t.add, func(n *node) bool { return !n.avoided && n.unneeded != Never }, s, true)
}

// spend sets the taint of nodes to which it still applies, within the budget, and
// returns the nodes that have to wait.
func (t *softTaints) spend(budget *int, ids []int32, applies func(*node) bool, s *autoscaler, taint bool) []int32 {
	rest := ids[:0]
	for _, id := range ids {
		n := &s.world.nodes[id]
		if n.state != ready || !applies(n) {
			continue
		}
		if *budget == 0 {
			rest = append(rest, id)
			continue
		}
		*budget--
		s.world.unshelve(id)
		n.avoided = taint
		s.world.shelve(id)
		s.world.nodeTainted()
	}
	return rest
}
