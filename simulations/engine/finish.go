package engine

// finish ends the run and sums it up.
func (w *world) finish() *Result {
	r := w.result
	r.End = w.now
	if w.open > 0 {
		r.End = w.horizon
	}
	w.meter.until(r.End+1, w)
	for id := range w.nodes {
		w.sum(int32(id))
	}
	w.blameUnstarted()
	w.overflow.finish()
	return r
}

// sum adds a node to its group's figures. A node that is still there is billed up to
// the end, and has no time of removal.
func (w *world) sum(id int32) {
	n, r := &w.nodes[id], &w.result.Nodes[id]
	g := &w.result.Groups[n.group]
	end, left := r.Removed, n.leftAt
	if end == Never {
		end = w.result.End
	}
	if left == Never {
		left = w.result.End
	}
	if len(n.builds) > 0 {
		r.Busy += left - n.busySince
	}
	billed := end - r.Created
	r.Cost = billed.Hours() * w.settings.Groups[n.group].PricePerHour
	g.Billed += billed
	g.Cost += r.Cost
	if r.Ready == Never {
		g.Booting += billed
		return
	}
	g.Booting += r.Ready - r.Created
	g.Idle += left - r.Ready - r.Busy
}

// blameUnstarted puts the waits of builds that never ran down to what held them up.
func (w *world) blameUnstarted() {
	for d := range w.demands {
		q := &w.demands[d].waiting
		for i := range q.len() {
			waiter := q.at(i)
			b := &w.result.Builds[waiter.build]
			b.Cause = q.verdict(waiter, w.result.End, 0, 0, b.Interruptions > 0)
		}
	}
}
