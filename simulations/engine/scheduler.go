package engine

// arrive creates a build's pod.
func (w *world) arrive(build int32) {
	d := &w.demands[w.demandOf[w.settings.Trace.Builds[build].Shape]]
	w.meter.pending(d.class, +1)
	if !d.placeable && !w.overflow.takes(w.settings.Trace.Builds[build].Shape) {
		w.result.Builds[build].Cause = Unplaced
		w.open--
		return
	}
	w.enqueue(d, build)
	w.schedule(d)
	if d.waiting.len() > 0 {
		w.scaler.podFailed()
	}
}

// enqueue gives the scheduler a build's new pod.
func (w *world) enqueue(d *demand, build int32) {
	d.waiting.push(build, w.turns, w.now)
	w.overflow.forget(build)
	w.trials.fail(&d.line, w.turns, w.now)
	w.turns++
}

// schedule places the demand's builds while there is room for them.
func (w *world) schedule(d *demand) {
	for d.waiting.len() > 0 {
		best := w.best(d)
		if len(best) == 0 {
			return
		}
		w.place(d, d.waiting.take(d.line.pop().turn), w.shelves.draw(best, w.ties))
	}
}

// scheduleAll places what waits after room has come free: of the demands whose builds
// find a node, the one goes first whose build is the first in the scheduler's queue.
func (w *world) scheduleAll() {
	for {
		var first *demand
		for i := range w.demands {
			d := &w.demands[i]
			if d.waiting.len() == 0 || first != nil && d.line.first().rank > first.line.first().rank {
				continue
			}
			if len(w.best(d)) > 0 {
				first = d
			}
		}
		if first == nil {
			return
		}
		w.place(first, first.waiting.take(first.line.pop().turn), w.shelves.draw(w.best(first), w.ties))
	}
}

// best returns the shelves whose nodes score best for the demand.
func (w *world) best(d *demand) []scored {
	return d.ladder.best(&w.shelves, func(s *shelf) (int32, bool) { return w.score(d, s) })
}

// place binds a build to a node: its containers start, after a pull where the node
// lacks the image, and its end is planned.
func (w *world) place(d *demand, waiter waiter, id int32) {
	n := &w.nodes[id]
	b := w.settings.Trace.Builds[waiter.build]
	w.unshelve(id)
	n.left = n.left.less(d.ask, 1)
	w.shelve(id)
	if len(n.builds) == 0 {
		n.busySince = w.now
	}
	n.builds = append(n.builds, waiter.build)
	pulling := n.images.pull(w.imageOf[b.Shape], w.pullTime[b.Shape], w.now)
	r := &w.result.Builds[waiter.build]
	r.Cause = d.waiting.verdict(&waiter, w.now, pulling, 0, r.Interruptions > 0)
	r.Group, r.Node = n.group, id
	r.Started = w.now + w.settings.AgentStart + pulling
	w.result.Nodes[id].Builds++
	w.events.push(event{at: r.Started + b.Duration, kind: buildEnds, subject: waiter.build, node: id, life: r.Interruptions})
	w.meter.pending(d.class, -1)
	w.meter.placed(n.group, d.ask.milliCPU, len(n.builds) == 1)
	w.touch(id)
}

// end frees what a build held.
func (w *world) end(e event) {
	r := &w.result.Builds[e.subject]
	if r.Interruptions != e.life {
		return // that run was interrupted
	}
	r.Ended = w.now
	w.open--
	w.done++
	if e.node < 0 {
		w.overflow.ended(e.subject)
		w.podDeleted()
		return
	}
	w.leave(e.subject, e.node)
	w.podDeleted()
	if w.nodes[e.node].shelf >= 0 {
		w.scheduleAll()
	}
}

// leave takes a build off its node.
func (w *world) leave(build, id int32) {
	n := &w.nodes[id]
	d := &w.demands[w.demandOf[w.settings.Trace.Builds[build].Shape]]
	w.unshelve(id)
	n.left = n.left.plus(d.ask)
	w.shelve(id)
	for i, other := range n.builds {
		if other == build {
			last := len(n.builds) - 1
			n.builds[i] = n.builds[last]
			n.builds = n.builds[:last]
			break
		}
	}
	if len(n.builds) == 0 {
		w.result.Nodes[id].Busy += w.now - n.busySince
	}
	w.meter.left(n.group, d.ask.milliCPU, len(n.builds) == 0)
	w.touch(id)
}

// interrupt makes all builds of a node begin anew, as new pods of the same builds: the
// CI system starts them again.
func (w *world) interrupt(id int32) {
	n := &w.nodes[id]
	for len(n.builds) > 0 {
		build := n.builds[0]
		w.leave(build, id)
		w.podDeleted()
		r := &w.result.Builds[build]
		r.Interruptions++
		w.scaler.drains.hints.forget(build)
		w.scaler.drains.injected.forget(build)
		if r.Started != Never {
			r.Lost += max(w.now-r.Started, 0) // it may still have been pulling its image
		}
		r.Started = Never
		w.result.Groups[n.group].Interrupted++
		d := &w.demands[w.demandOf[w.settings.Trace.Builds[build].Shape]]
		w.enqueue(d, build)
		w.meter.pending(d.class, +1)
	}
	w.scheduleAll()
	for d := range w.demands {
		if w.demands[d].waiting.len() > 0 {
			w.scaler.podFailed()
		}
	}
}
