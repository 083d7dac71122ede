package engine

import "time"

// node is one instance and the Kubernetes node it becomes.
type node struct {
	group int32
	state nodeState
	// avoided: it carries the soft taint of a deletion candidate.
	avoided bool
	// touched: something changed since the autoscaler last looked at it.
	touched bool
	// noticed is when a reclaim was announced, Never before that.
	noticed time.Duration
	// closed: no new build is placed on it.
	closed bool
	// drained: its deletion evicts the builds that it has.
	drained bool
	shelf   int32 // -1: the scheduler places nothing on it
	place   int32
	left    room
	builds  []int32
	// busySince is when its first build was placed; meaningful while it has builds.
	busySince time.Duration
	leftAt    time.Duration // when it stopped being Ready
	// unneeded is since when the autoscaler finds it so, Never if it does not.
	unneeded time.Duration
	// unremovable is until when the autoscaler does not look at it again.
	unremovable time.Duration
	// seen is the first loop that saw the instance without a node.
	seen   time.Duration
	images pulls
}

type nodeState uint8

const (
	creating nodeState = iota
	ready
	deleting // tainted ToBeDeleted; its instance is still there
	parted   // no longer its group's: it has a notice, its replacement is on its way, its builds go on
	gone     // the instance's removal has been asked for, or it was taken
)

// shelve puts a Ready node where the scheduler finds it, by what it has left.
func (w *world) shelve(id int32) {
	n := &w.nodes[id]
	if n.state != ready || n.closed {
		return
	}
	key := shelfKey{left: n.left, kind: w.kindOf[n.group], avoided: n.avoided}
	n.shelf, n.place = w.shelves.put(key, id)
	w.kinds[key.kind].open++
}

// unshelve takes a node out of the scheduler's sight.
func (w *world) unshelve(id int32) {
	n := &w.nodes[id]
	if n.shelf < 0 {
		return
	}
	if moved := w.shelves.take(n.shelf, n.place); moved >= 0 {
		w.nodes[moved].place = n.place
	}
	n.shelf = -1
	w.kinds[w.kindOf[n.group]].open--
}

// touch notes that the autoscaler has to look at the node again.
func (w *world) touch(id int32) {
	n := &w.nodes[id]
	if !n.touched {
		n.touched = true
		w.scaler.touched = append(w.scaler.touched, id)
	}
	w.wake()
}
