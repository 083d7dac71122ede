package engine

import "math/rand/v2"

// shelf holds the nodes that the scheduler cannot tell apart: of one kind, with the
// same room left, and with or without the soft taint of a deletion candidate. Builds
// are placed by shelf, so that placing costs the same with ten nodes and ten thousand.
type shelf struct {
	shelfKey
	nodes []int32
	// life tells the uses of a shelf's number apart: it is given anew once empty.
	life int32
}

type shelfKey struct {
	left    room
	kind    int32
	avoided bool
}

// shelves are all that nodes stand on, and what demands have to learn of.
type shelves struct {
	all  []shelf
	by   map[shelfKey]int32
	free []int32
	// opened are the shelves in the order in which they came into use, from the base'th
	// on; each demand's ladder reads on from where it stopped. kept are those before
	// them that were still in use when the record was cut.
	opened, kept []rung
	base         int
	inUse        int
}

// rung names a shelf during one of its uses.
type rung struct {
	shelf, life int32
}

func (s *shelves) alive(r rung) bool { return s.all[r.shelf].life == r.life }

// put stands a node on the shelf of the key and returns its number and the node's
// place there.
func (s *shelves) put(key shelfKey, node int32) (number, place int32) {
	n, ok := s.by[key]
	if !ok {
		n = s.open(key)
	}
	at := &s.all[n]
	at.nodes = append(at.nodes, node)
	return n, int32(len(at.nodes) - 1)
}

func (s *shelves) open(key shelfKey) int32 {
	var n int32
	if last := len(s.free) - 1; last >= 0 {
		n, s.free = s.free[last], s.free[:last]
	} else {
		n = int32(len(s.all))
		s.all = append(s.all, shelf{})
	}
	at := &s.all[n]
	at.shelfKey = key
	at.life++
	s.by[key] = n
	s.inUse++
	s.opened = append(s.opened, rung{n, at.life})
	if len(s.opened) > 64+4*s.inUse {
		s.forget()
	}
	return n
}

// forget cuts the record of openings down to the shelves in use: a ladder that has not
// read that far is built anew from them.
func (s *shelves) forget() {
	s.base += len(s.opened)
	s.kept = s.living(s.living(nil, s.kept), s.opened)
	s.opened = s.opened[:0]
}

// living appends those of the rungs that are still in use.
func (s *shelves) living(to, rungs []rung) []rung {
	for _, r := range rungs {
		if s.alive(r) {
			to = append(to, r)
		}
	}
	return to
}

// take removes the node at the place; moved is the node that stands there now, -1 if
// none does.
func (s *shelves) take(number, place int32) (moved int32) {
	at := &s.all[number]
	last := int32(len(at.nodes) - 1)
	moved = -1
	if place != last {
		moved = at.nodes[last]
		at.nodes[place] = moved
	}
	at.nodes = at.nodes[:last]
	if last == 0 {
		delete(s.by, at.shelfKey)
		s.free = append(s.free, number)
		s.inUse--
		at.life++
	}
	return moved
}

// draw picks one of the nodes of several shelves that score the same, each as likely
// as the other (kube-scheduler's selectHost).
func (s *shelves) draw(rungs []scored, chance *rand.Rand) int32 {
	total := 0
	for _, r := range rungs {
		total += len(s.all[r.shelf].nodes)
	}
	n := 0
	if total > 1 {
		n = chance.IntN(total)
	}
	for _, r := range rungs {
		nodes := s.all[r.shelf].nodes
		if n < len(nodes) {
			return nodes[n]
		}
		n -= len(nodes)
	}
	panic("drawn beyond the shelves")
}
