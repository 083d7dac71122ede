package account

import (
	"slices"
	"time"
)

// The lists of ESS lag behind what happened. The journal keeps what a group looked
// like at earlier instants, as long as the lists may still show it.

// snapshot is a group and its instances as they were from an instant on.
type snapshot struct {
	at        time.Time
	revision  uint64
	group     Group
	instances []Instance
}

// record adds to the journals what has changed. Without a lag it costs nothing.
func (a *Account) record() {
	lag := max(a.delays.ListGroups, a.delays.ListInstances)
	for _, g := range a.groups {
		if lag == 0 {
			g.journal = nil
			continue
		}
		a.recordGroup(g, lag)
	}
}

func (a *Account) recordGroup(g *group, lag time.Duration) {
	if n := len(g.journal); n > 0 && g.journal[n-1].revision == g.revision && sameNumbers(g.journal[n-1].group, a.view(g)) {
		return
	}
	s := snapshot{at: a.now, revision: g.revision, group: a.view(g), instances: make([]Instance, 0, len(g.instances))}
	for _, i := range g.instances {
		s.instances = append(s.instances, i.view())
	}
	// What an instant began with was never to be seen, but for the oldest, which
	// stands for all that came before.
	if n := len(g.journal); n > 1 && g.journal[n-1].at.Equal(a.now) {
		g.journal = g.journal[:n-1]
	}
	g.journal = append(g.journal, s)
	// The newest one that is old enough is still needed.
	old := 0
	for old+1 < len(g.journal) && !g.journal[old+1].at.After(a.now.Add(-lag)) {
		old++
	}
	g.journal = slices.Delete(g.journal, 0, old)
}

// sameNumbers compares what changes without a change of any instance.
func sameNumbers(x, y Group) bool {
	return x.Name == y.Name && x.Lifecycle == y.Lifecycle && x.Min == y.Min && x.Max == y.Max && x.Desired == y.Desired &&
		x.ExpectedNumberMode == y.ExpectedNumberMode && slices.Equal(x.Suspended, y.Suspended)
}

// seen returns what a list with a lag shows of a group, or false for the present.
func (a *Account) seen(g *group, lag time.Duration) (snapshot, bool) {
	if lag == 0 || len(g.journal) == 0 {
		return snapshot{}, false
	}
	at := a.now.Add(-lag)
	for n := len(g.journal) - 1; n > 0; n-- {
		if !g.journal[n].at.After(at) {
			return g.journal[n], true
		}
	}
	// The first is shown although it may be younger: older ones were not kept.
	return g.journal[0], true
}
