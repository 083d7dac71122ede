package engine

import "time"

// sample is the node that cluster-autoscaler makes a group's upcoming nodes after, as
// far as their names depend on it (CA processors/nodeinfosprovider/
// mixed_nodeinfos_processor.go:74 Process). A node that has been Ready for a minute is
// copied anew in every loop, under a name of its own (simulator/node_info_utils.go:64
// randSuffix); the copy is kept for when there is none, and with it the name. Only then
// does a hint where a pod fitted in the loop before still lead somewhere.
type sample struct {
	// name changes with the name of the copy.
	name int32
	// ready are the group's nodes in the order in which they became Ready, the first of
	// them still so.
	ready []int32
	// kept: there has been a node to copy.
	kept bool
}

// stabilization is how long a node has to be Ready to be copied (stabilizationDelay).
const stabilization = time.Minute

// resample is the beginning of a loop: it names the group's sample.
func (w *world) resample(g int) int32 {
	s := &w.groups[g].sample
	stable := func() bool {
		return len(s.ready) > 0 && w.created(w.result.Nodes[s.ready[0]].Ready)+stabilization < w.now
	}
	s.kept = s.kept || stable()
	for len(s.ready) > 0 && w.nodes[s.ready[0]].state != ready {
		s.ready = s.ready[1:]
	}
	if stable() || !s.kept {
		s.name++
	}
	return s.name
}
