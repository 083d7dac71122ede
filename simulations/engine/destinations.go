package engine

// destinations are cluster-autoscaler's hints where builds would fit, by build. One that
// a loop does not confirm is forgotten (simulator/scheduling/hints.go:68 DropOld).
type destinations struct {
	current, old map[int32]int32
}

func (d *destinations) of(build int32) (node int32, ok bool) {
	if node, ok = d.current[build]; ok {
		return node, true
	}
	node, ok = d.old[build]
	return node, ok
}

// rank is 0 for a build with a hint, 1 for one without.
func (d *destinations) rank(build int32) int {
	if _, ok := d.of(build); ok {
		return 0
	}
	return 1
}

func (d *destinations) set(build, node int32) {
	if d.current == nil {
		d.current = map[int32]int32{}
	}
	d.current[build] = node
}

// forget drops the hint of a build whose pod is gone.
func (d *destinations) forget(build int32) {
	delete(d.current, build)
	delete(d.old, build)
}

// age is the end of a loop.
func (d *destinations) age() {
	d.current, d.old = d.old, d.current
	clear(d.current)
}
