package overflow

import "time"

// Changes returns the first time, not before now, after which the decision may be another
// one although nothing happens: a build is old enough, or a node is late; zero: none.
// What cluster-autoscaler said grows stale, too, but then fewer move.
func (p Policy) Changes(s Situation) time.Time {
	var first time.Time
	note := func(at time.Time) {
		if !at.Before(s.Now) && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	groups := s.byName()
	for _, w := range s.Waiting {
		if w.Ineligible != "" {
			continue
		}
		if p.Start.After > 0 {
			note(p.oldAt(w))
		}
		if !w.Triggered.IsZero() {
			note(p.awaitsUntil(w, groups))
		}
	}
	for _, u := range s.Upcoming {
		note(p.late(u))
	}
	return first
}

// oldAt is when the build has waited as long as its class allows.
func (p Policy) oldAt(w Waiting) time.Time { return w.Created.Add(p.Start.After) }

// late is until when builds are left to the node.
func (p Policy) late(u Upcoming) time.Time { return u.Expected.Add(p.Margin) }

// awaitsUntil is until when the build waits for the node of a scale-up that it triggered.
func (p Policy) awaitsUntil(w Waiting, groups map[string]Group) time.Time {
	boot := time.Duration(0)
	for _, name := range w.Groups {
		boot = max(boot, groups[name].Boot)
	}
	if boot == 0 {
		boot = p.Start.After
	}
	return w.Triggered.Add(boot + p.Margin)
}

func (s Situation) byName() map[string]Group {
	groups := make(map[string]Group, len(s.Groups))
	for _, g := range s.Groups {
		groups[g.Name] = g
	}
	return groups
}
