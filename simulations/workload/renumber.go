package workload

// renumber puts the shapes in order of their first build and leaves out those that no
// build has, so that equal builds make equal traces.
func renumber(t Trace) Trace {
	to := make([]int32, len(t.Shapes))
	var list []Shape
	for i := range t.Builds {
		b := &t.Builds[i]
		if to[b.Shape] == 0 {
			list = append(list, t.Shapes[b.Shape])
			to[b.Shape] = int32(len(list)) // 0 is: not yet
		}
		b.Shape = to[b.Shape] - 1
	}
	t.Shapes = list
	return t
}
