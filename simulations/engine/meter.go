package engine

import "time"

// meter counts what is there at an instant, for the timeline and the peaks.
type meter struct {
	step    time.Duration
	due     time.Duration // of the next point
	waiting []int32       // by class
	running []int32
	groups  []reading
	classOf []int32 // by group
	virtual int32
}

// reading is what is counted of a group.
type reading struct {
	billed, ready, busy int32
	used, offered       int64
}

func newMeter(s *Settings) meter {
	classes := s.Classes()
	m := meter{
		step: s.TimelineStep, due: forever,
		waiting: make([]int32, len(classes)), running: make([]int32, len(classes)),
		groups: make([]reading, len(s.Groups)), classOf: make([]int32, len(s.Groups)),
	}
	if m.step > 0 {
		m.due = 0
	}
	for g := range s.Groups {
		for c, class := range classes {
			if class == string(s.Groups[g].Config.Class) {
				m.classOf[g] = int32(c)
			}
		}
	}
	return m
}

// pending counts a build that waits, or with -1 one that no longer does. class -1 is
// that of a build for which there is no group.
func (m *meter) pending(class, change int32) {
	if class >= 0 {
		m.waiting[class] += change
	}
}

// placed counts a build that was given a node of the group; first: its only one.
func (m *meter) placed(g int32, milliCPU int64, first bool) {
	m.running[m.classOf[g]]++
	m.groups[g].used += milliCPU
	if first {
		m.groups[g].busy++
	}
}

func (m *meter) left(g int32, milliCPU int64, last bool) {
	m.running[m.classOf[g]]--
	m.groups[g].used -= milliCPU
	if last {
		m.groups[g].busy--
	}
}

// moved counts a build of a class that the virtual node was given, or with -1 one that
// has left it.
func (m *meter) moved(class, change int32) {
	if class >= 0 {
		m.running[class] += change
	}
	m.virtual += change
}

func (m *meter) ready(g int, change int32, milliCPU int64) {
	m.groups[g].ready += change
	m.groups[g].offered += int64(change) * milliCPU
}

func (m *meter) billed(w *world, g int, change int32) {
	m.groups[g].billed += change
	w.groups[g].billed += int(change)
	w.result.Groups[g].Peak = max(w.result.Groups[g].Peak, w.groups[g].billed)
}

// until takes the points that are due before what happens at the time.
func (m *meter) until(at time.Duration, w *world) {
	for m.due < at {
		m.point(w)
	}
}

// point records the state as it is.
func (m *meter) point(w *world) {
	p := Point{
		At: m.due, Pending: append([]int32(nil), m.waiting...), Running: append([]int32(nil), m.running...),
		Groups: make([]GroupPoint, len(m.groups)), Virtual: m.virtual,
	}
	for g, r := range m.groups {
		p.Groups[g] = GroupPoint{
			Min: int32(w.floor(g)), Target: int32(w.groups[g].target), Billed: r.billed, Ready: r.ready, Busy: r.busy,
			UsedMilliCPU: r.used, ReadyMilliCPU: r.offered,
		}
	}
	w.result.Timeline = append(w.result.Timeline, p)
	m.due += m.step
}
