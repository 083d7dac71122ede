package engine

import "time"

// meter counts what is there at an instant, for the timeline and the peaks.
type meter struct {
	step    time.Duration
	due     time.Duration // of the next point
	told    time.Duration // up to here the timeline has what there was
	now     Reading       // Target is brought up to date when it is written down, Min at each point
	classOf []int32       // by group
}

func newMeter(s *Settings) meter {
	classes := s.Classes()
	m := meter{
		step: s.TimelineStep, due: forever, classOf: make([]int32, len(s.Groups)),
		now: Reading{Pending: make([]int32, len(classes)), Running: make([]int32, len(classes)), Groups: make([]GroupReading, len(s.Groups))},
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
		m.now.Pending[class] += change
		m.now.AllPending += change
	}
}

// placed counts a build that was given a node of the group; first: its only one.
func (m *meter) placed(g int32, milliCPU int64, first bool) {
	m.running(m.classOf[g], +1)
	m.now.Groups[g].UsedMilliCPU += milliCPU
	if first {
		m.now.Groups[g].Busy++
	}
}

func (m *meter) left(g int32, milliCPU int64, last bool) {
	m.running(m.classOf[g], -1)
	m.now.Groups[g].UsedMilliCPU -= milliCPU
	if last {
		m.now.Groups[g].Busy--
	}
}

// moved counts a build of a class that the virtual node was given, or with -1 one that
// has left it.
func (m *meter) moved(class, change int32) {
	if class >= 0 {
		m.running(class, change)
	}
	m.now.Virtual += change
}

func (m *meter) running(class, change int32) {
	m.now.Running[class] += change
	m.now.AllRunning += change
}

func (m *meter) ready(g int, change int32, milliCPU int64) {
	m.now.Groups[g].Ready += change
	m.now.Groups[g].ReadyMilliCPU += int64(change) * milliCPU
}

func (m *meter) billed(w *world, g int, change int32) {
	m.now.Groups[g].Billed += change
	m.now.AllBilled += change
	w.groups[g].billed += int(change)
	w.result.Groups[g].Peak = max(w.result.Groups[g].Peak, w.groups[g].billed)
}

// until writes down what there was before what happens at the time, and takes the
// points that are due until then.
func (m *meter) until(at time.Duration, w *world) {
	if m.step <= 0 || at == m.told {
		return
	}
	for g := range m.now.Groups {
		m.now.Groups[g].Target = int32(w.groups[g].target)
	}
	if points := w.result.Timeline; len(points) > 0 && m.told < m.due {
		points[len(points)-1].Holds(&m.now)
	}
	for m.due < at {
		for g := range m.now.Groups {
			m.now.Groups[g].Min = int32(w.floor(g))
		}
		w.result.Timeline = append(w.result.Timeline, Steady(m.due, m.now.clone()))
		m.due += m.step
	}
	m.told = at
}
