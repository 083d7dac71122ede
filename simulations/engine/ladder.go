package engine

// ladder orders the shelves with room for a demand by the scheduler's score, best
// first. Rungs whose shelf has emptied stay until they come up.
type ladder struct {
	heap []scored
	// read counts the openings that the ladder has taken in.
	read int
	// ties is kept from call to call.
	ties []scored
}

type scored struct {
	rung
	score int32
}

// best returns the rungs with the highest score, none if no node has room. The result
// is good until the next call.
func (l *ladder) best(s *shelves, score func(*shelf) (int32, bool)) []scored {
	if l.read != s.base+len(s.opened) {
		l.catchUp(s, score)
	}
	l.ties = l.ties[:0]
	for len(l.heap) > 0 {
		top := l.heap[0]
		if !s.alive(top.rung) {
			l.pop()
			continue
		}
		if len(l.ties) > 0 && top.score < l.ties[0].score {
			break
		}
		l.ties = append(l.ties, l.pop())
	}
	for _, t := range l.ties {
		l.push(t)
	}
	return l.ties
}

// catchUp takes in the shelves that came into use since the last call.
func (l *ladder) catchUp(s *shelves, score func(*shelf) (int32, bool)) {
	from := l.read - s.base
	if from < 0 {
		l.heap, from = l.heap[:0], 0
		l.add(s, s.kept, score)
	}
	if len(l.heap) > 64+4*s.inUse {
		l.clear(s)
	}
	l.add(s, s.opened[from:], score)
	l.read = s.base + len(s.opened)
}

func (l *ladder) add(s *shelves, rungs []rung, score func(*shelf) (int32, bool)) {
	for _, r := range rungs {
		if !s.alive(r) {
			continue
		}
		if points, ok := score(&s.all[r.shelf]); ok {
			l.push(scored{r, points})
		}
	}
}

// clear drops the rungs whose shelf has emptied.
func (l *ladder) clear(s *shelves) {
	old := l.heap
	l.heap = l.heap[:0]
	for _, r := range old {
		if s.alive(r.rung) {
			l.push(r)
		}
	}
}

func (l *ladder) push(r scored) {
	l.heap = append(l.heap, r)
	i := len(l.heap) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if l.heap[parent].score >= r.score {
			break
		}
		l.heap[i] = l.heap[parent]
		i = parent
	}
	l.heap[i] = r
}

func (l *ladder) pop() scored {
	top := l.heap[0]
	n := len(l.heap) - 1
	last := l.heap[n]
	l.heap = l.heap[:n]
	i := 0
	for {
		child := 2*i + 1
		if child >= n {
			break
		}
		if child+1 < n && l.heap[child+1].score > l.heap[child].score {
			child++
		}
		if l.heap[child].score <= last.score {
			break
		}
		l.heap[i] = l.heap[child]
		i = child
	}
	if n > 0 {
		l.heap[i] = last
	}
	return top
}
