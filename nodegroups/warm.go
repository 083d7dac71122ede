package nodegroups

import (
	"context"
	"time"

	"github.com/buildpool/buildpool/nodegroups/config"
)

// warmGrace is how long CA may take to bring a group up to an open window's min before
// we say that it does not: some loops, and a backoff's shortest time.
const warmGrace = 2 * time.Minute

// keepWarm sees to it that groups with an open window have as many nodes as it asks
// for: by raising the target where the configuration says that we do it, else by
// saying so once where CA does not. It runs at the end of a refresh.
func (p *Provider) keepWarm(ctx context.Context) {
	for _, c := range p.coldGroups() {
		if c.ours {
			// To a number, not by one: a write that got no answer may have arrived, and
			// adding what lacks once more would double it.
			reach := func(from int) int { return max(from, c.least) }
			if err := p.grow(ctx, c.group, reach); err != nil {
				p.Log.Warn("warm window: scale-up failed", "group", c.group, "to", c.least, "error", err)
			}
			continue
		}
		p.Log.Warn("a warm window is open and cluster-autoscaler does not bring the group up to its min; "+
			"start it with --enforce-node-group-min-size, or set schedule.mode to "+string(config.ScheduleByProvider),
			"group", c.group, "nodes_missing", c.lacks(), "window", c.cron)
	}
}

// coldGroup is a group that has fewer nodes than its open window asks for.
type coldGroup struct {
	group, cron string
	target      int
	least       int
	ours        bool
}

func (c coldGroup) lacks() int { return c.least - c.target }

// coldGroups returns the groups that something is to be done or said about now.
func (p *Provider) coldGroups() []coldGroup {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.Clock.Now()
	ours := p.cfg.Schedule.Mode == config.ScheduleByProvider
	var cold []coldGroup
	for _, g := range p.cfg.Groups {
		m := p.members[g.Name]
		if m.view == nil || m.problem != "" || m.view.floor.Window == nil {
			continue
		}
		window := m.view.floor.Window
		c := coldGroup{group: g.Name, cron: window.Cron, target: m.state.target, least: min(window.Least, m.view.group.Max), ours: ours}
		switch {
		case c.lacks() <= 0:
		case ours:
			// Another attempt while the last one's failures stand would fail as they did.
			if len(m.state.placeholders) > 0 || m.view.inactive || m.troubled(now) {
				continue
			}
			if p.DryRun {
				if m.warned.Equal(window.From) {
					continue // what it would do is said once per window
				}
				m.warned = window.From
			}
			cold = append(cold, c)
		// After a start, too, CA has to be given the time.
		case now.Sub(window.From) > warmGrace && now.Sub(p.born) > warmGrace && !m.warned.Equal(window.From):
			m.warned = window.From
			cold = append(cold, c)
		}
	}
	return cold
}

// troubled reports whether a scale-up is likely to fail as the last one did: the
// expander would pass the group over, too.
func (m *member) troubled(now time.Time) bool {
	const pause = 5 * time.Minute // CA's own first backoff
	h := m.state.health
	for _, i := range []time.Time{h.OutOfStock.At, h.Failed.At, h.Throttled.At} {
		if !i.IsZero() && now.Sub(i) < pause {
			return true
		}
	}
	return false
}
