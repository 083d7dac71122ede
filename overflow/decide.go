package overflow

import (
	"cmp"
	"slices"
	"time"
)

// Resources are what a build asks for or a node can give.
type Resources struct {
	MilliCPU, MemoryBytes, GPUs, Pods int64
}

func (r Resources) fits(ask Resources) bool {
	return ask.MilliCPU <= r.MilliCPU && ask.MemoryBytes <= r.MemoryBytes && ask.GPUs <= r.GPUs && ask.Pods <= r.Pods
}

func (r Resources) less(ask Resources) Resources {
	return Resources{
		MilliCPU: r.MilliCPU - ask.MilliCPU, MemoryBytes: r.MemoryBytes - ask.MemoryBytes,
		GPUs: r.GPUs - ask.GPUs, Pods: r.Pods - ask.Pods,
	}
}

// Waiting is a build that waits for a node, whether it may move or not: one that may
// not move takes room on real nodes too.
type Waiting struct {
	// Name tells builds apart.
	Name    string
	Created time.Time
	Ask     Resources
	// CostPerHour on the virtual node; negative: not known.
	CostPerHour float64
	// Ineligible is why it may not move; empty: it may.
	Ineligible Reason
	// Triggered is when cluster-autoscaler last said that it scales up for the build,
	// NotTriggered when it last said that no group helps; zero: it has not. It says the
	// second of every build that waits, also of those it has scaled up for.
	Triggered, NotTriggered time.Time
	// Groups could serve it, by name.
	Groups []string
}

// Group is what real nodes of a node group promise.
type Group struct {
	Name string
	// Blocked is why the group cannot grow: MovedAtMax, MovedOutOfStock or
	// MovedByBackoff; empty: it can.
	Blocked Reason
	// Boot is how long a node takes from now on if it is asked for now; 0: not known.
	Boot time.Duration
}

// Upcoming is a real node that is on its way, or has joined and is still empty enough
// for builds that the scheduler has not placed yet.
type Upcoming struct {
	Group string
	// Left is what it will have for builds.
	Left Resources
	// Expected is when it is predicted to be Ready.
	Expected time.Time
}

// Situation is all that a decision depends on.
type Situation struct {
	Now time.Time
	// ScanInterval is cluster-autoscaler's: what it said is stale after two of them.
	ScanInterval time.Duration
	Waiting      []Waiting
	Groups       []Group
	Upcoming     []Upcoming
	// Live are the pods on the virtual node, and those that tolerate it and are not
	// bound yet; LiveCostPerHour is what they cost together, negative: not known.
	Live            int
	LiveCostPerHour float64
	Bucket          Bucket
}

// Verdict is what becomes of one build.
type Verdict struct {
	Name   string
	Moves  bool
	Reason Reason
}

// Decide says for every build that waits whether it moves now, the oldest first, and
// returns the bucket with what the moves take.
//
// Never move more builds than have no room on the nodes that are on their way.
func (p Policy) Decide(s Situation) ([]Verdict, Bucket) {
	waiting := slices.Clone(s.Waiting)
	slices.SortFunc(waiting, func(a, b Waiting) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Name, b.Name))
	})
	covered := p.covered(s, waiting)
	groups := s.byName()
	room := p.room(s)
	verdicts := make([]Verdict, len(waiting))
	moved := 0
	for i, w := range waiting {
		v := Verdict{Name: w.Name, Reason: p.stays(s, w, groups, covered[i])}
		if v.Reason == "" {
			v.Reason = room.refuses(w)
		}
		if v.Reason == "" {
			v.Moves, v.Reason = true, p.due(s, w, groups)
			room.take(w)
			moved++
		}
		verdicts[i] = v
	}
	return verdicts, s.Bucket.Take(s.Now, moved)
}

// stays says why a build stays whatever room there is; empty: it does not.
func (p Policy) stays(s Situation, w Waiting, groups map[string]Group, covered bool) Reason {
	switch {
	case w.Ineligible != "":
		return w.Ineligible
	case covered:
		return Covered
	case p.awaits(s, w, groups):
		return AwaitsNode
	case p.due(s, w, groups) == "":
		return NotDue
	}
	return ""
}

// covered finds the builds that the nodes on their way have room for. Who triggered a
// scale-up comes first, then who cannot move, then the oldest; a node that is late
// counts no longer.
func (p Policy) covered(s Situation, waiting []Waiting) []bool {
	coming := make([]Upcoming, 0, len(s.Upcoming))
	for _, u := range s.Upcoming {
		if !s.Now.After(p.late(u)) {
			coming = append(coming, u)
		}
	}
	order := make([]int, len(waiting))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(claim(waiting[a]), claim(waiting[b])) })
	covered := make([]bool, len(waiting))
	for _, i := range order {
		w := waiting[i]
		if w.Ineligible == Tolerates || w.Ineligible == Gated || w.Ineligible == Gone {
			continue // it needs no real node, or none yet
		}
		for n, u := range coming {
			if slices.Contains(w.Groups, u.Group) && u.Left.fits(w.Ask) {
				coming[n].Left, covered[i] = u.Left.less(w.Ask), true
				break
			}
		}
	}
	return covered
}

// claim orders builds by their claim on a real node.
func claim(w Waiting) int {
	switch {
	case !w.Triggered.IsZero():
		return 0
	case w.Ineligible != "":
		return 1
	}
	return 2
}

// awaits reports whether a scale-up that the build triggered may still bring its node:
// not if every group has run out of stock, or been backed off, since. A node whose boot
// time is not known is waited for as long as the build's class waits for any.
func (p Policy) awaits(s Situation, w Waiting, groups map[string]Group) bool {
	if w.Triggered.IsZero() {
		return false
	}
	if why := blocked(w, groups); p.Start.WhenBlocked && (why == MovedOutOfStock || why == MovedByBackoff) {
		return false
	}
	return !s.Now.After(p.awaitsUntil(w, groups))
}

// due is the rule by which the build need not wait longer; empty: none.
func (p Policy) due(s Situation, w Waiting, groups map[string]Group) Reason {
	if p.Start.WhenBlocked {
		if why := blocked(w, groups); why != "" {
			return why
		}
		lately := !w.NotTriggered.IsZero() && s.Now.Sub(w.NotTriggered) <= 2*s.ScanInterval
		if w.Triggered.IsZero() && lately {
			return MovedNotTriggered
		}
	}
	if p.Start.PredictedLater > 0 {
		if soonest, known := predicted(w, groups); known && soonest > p.Start.PredictedLater {
			return MovedByPrediction
		}
	}
	if p.Start.After > 0 && s.Now.After(p.oldAt(w)) {
		return MovedByAge
	}
	return ""
}

// blocked says why none of the build's groups can grow, by the one that could soonest;
// empty: one can, or it is not known which groups there are.
func blocked(w Waiting, groups map[string]Group) Reason {
	why := Reason("")
	for _, name := range w.Groups {
		g, known := groups[name]
		switch {
		case !known || g.Blocked == "":
			return ""
		case why == "" || g.Blocked == MovedByBackoff:
			why = g.Blocked
		}
	}
	return why
}

// predicted is how long the soonest of the build's groups would take from now; known is
// false if one that can grow does not say.
func predicted(w Waiting, groups map[string]Group) (soonest time.Duration, known bool) {
	for _, name := range w.Groups {
		g, ours := groups[name]
		switch {
		case !ours || g.Blocked != "":
			continue
		case g.Boot == 0:
			return 0, false
		case !known || g.Boot < soonest:
			soonest, known = g.Boot, true
		}
	}
	return soonest, known
}
