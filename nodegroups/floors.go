package nodegroups

import (
	"time"

	"github.com/buildpool/buildpool/nodegroups/floor"
)

// defaultProvisionTime is cluster-autoscaler's --max-node-provision-time, for groups
// that do not set the option.
const defaultProvisionTime = 15 * time.Minute

// floorOf works out the member's floor. The caller holds mu.
func (p *Provider) floorOf(m *member, now time.Time) floor.Floor {
	lowest, highest := bounds(m.config, m.seen.group)
	s := m.state
	facts := floor.Facts{
		Min: lowest, Max: highest, Target: s.target,
		ScaledUp: s.grew, ScaledDown: s.shrank,
		Failed:    later(s.health.OutOfStock, s.health.Failed).At,
		Reclaimed: s.health.Reclaimed.At,
		Boot:      m.boots.created.typical(), Warm: m.boots.started.typical(),
		Stopped: m.seen.group.Counters.Stopped,
	}
	f := m.floors.At(now, facts)
	if len(f.Cooldowns) == 0 {
		return f // what is missing only counts against a cooldown
	}
	facts.Missing = len(s.placeholders) + p.strayed(m, now)
	return m.floors.At(now, facts)
}

// strayed counts the instances that have not joined within their provision time. One
// counts as joined until we have been up for as long: before, CA may not have shown us
// its node yet. The caller holds mu.
func (p *Provider) strayed(m *member, now time.Time) int {
	limit := defaultProvisionTime
	if o := m.config.Options.MaxNodeProvisionTime; o != nil {
		limit = time.Duration(*o)
	}
	if now.Sub(p.born) <= limit {
		return 0
	}
	n := 0
	for _, i := range m.seen.instances {
		if live(i) && now.Sub(m.state.began(i)) > limit {
			if _, joined := p.nodes.firstSeen(i.ID); !joined {
				n++
			}
		}
	}
	return n
}

// keptMin is the least number of nodes that deletes leave: the configured one, or an
// open window's. A cooldown refuses none: CA planned it before the timer began, maybe by
// deleting the node before. The caller holds mu.
func (p *Provider) keptMin(m *member) int {
	lowest, highest := bounds(m.config, m.seen.group)
	if m.view != nil && m.view.floor.Window != nil {
		lowest = max(lowest, min(m.view.floor.Window.Least, highest))
	}
	return lowest
}

// settleFloors publishes the floors that time has moved since the last snapshot, and the
// nodes that are back. It
// asks nothing of the cloud, so that a window opens during an outage, too.
func (p *Provider) settleFloors() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.current.Load() == nil {
		return
	}
	now, moved := p.Clock.Now(), len(p.current.Load().waking) > 0
	for _, m := range p.members {
		if m.view == nil || m.problem != "" {
			continue
		}
		if f := p.floorOf(m, now); f.Min != m.view.group.Min || f.Reason != m.view.floor.Reason {
			p.Log.Info("floor changed", "group", m.config.Name, "min", f.Min, "before", m.view.group.Min, "reason", string(f.Reason))
			p.movedFloor(m, f)
			m.view, moved = nil, true
		}
	}
	if moved {
		p.publish()
	}
}
