package engine

// placeDrained puts the builds of nodes that are being drained on other nodes, as if
// they were waiting already (CA core/podlistprocessor/currently_drained_nodes.go:36
// Process). For the rest of the loop that takes the room there, and an idle node that is
// given one is not empty any more: if the build then finds no other place, the node is
// not looked at for --unremovable-node-recheck-timeout, and its clock begins anew. For a
// build that fits nowhere there is a scale-up before it is evicted.
func (s *autoscaler) placeDrained() {
	if s.deletions.drained == 0 {
		return
	}
	d, w := &s.drains, s.world
	defer d.injected.age()
	d.snapshot.take(w)
	if len(s.pods.nodes) == 0 {
		s.pods.begin(w)
	}
	for _, id := range s.deletions.draining {
		for _, build := range w.nodes[id].builds {
			m := mover{build, w.demandFor(build)}
			takes := func(to int32) bool {
				return w.nodes[to].state == ready && m.demand.fits[w.nodes[to].group] && d.snapshot.left(w, to).holds(m.demand.ask)
			}
			to, hinted := d.injected.of(build)
			if !hinted || !takes(to) {
				d.snapshot.last = w.orders.IntN(len(d.snapshot.nodes) + 1)
				to = d.snapshot.search(takes)
			}
			if to >= 0 {
				d.injected.set(build, to)
				d.snapshot.claim(to, m)
				continue
			}
			if !s.pods.takeIn(m.demand) {
				at := w.demandOf[w.settings.Trace.Builds[build].Shape]
				s.need[at]++
				s.oldest[at] = longAgo
			}
		}
	}
}
