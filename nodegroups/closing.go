package nodegroups

import (
	"time"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/nodegroups/spot"
)

// Closing is an instance whose node is to take no new build.
type Closing struct {
	Group, InstanceID string
	Why               spot.Reason
	// Since is when that began to hold.
	Since time.Time
}

// Closings returns the instances whose nodes are to be closed to new builds now, by ID,
// and those of which it is certain that nothing of ours closes them. Of an instance in
// neither nothing is known: its node stays as it is.
func (p *Provider) Closings() (closing map[string]Closing, open map[string]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.Clock.Now()
	closing, open = map[string]Closing{}, map[string]bool{}
	if p.current.Load() == nil || now.Sub(p.refreshed) > noticesKnown {
		return closing, open // a provider that is not asked is not the one that leads
	}
	current := !p.notices.read.IsZero() && now.Sub(p.notices.read) < noticesKnown
	for _, g := range p.cfg.Groups {
		m := p.members[g.Name]
		for id, since := range m.parted {
			closing[id] = Closing{Group: g.Name, InstanceID: id, Why: spot.Noticed, Since: since}
		}
		if m.problem != "" {
			continue
		}
		for _, i := range m.seen.instances {
			if _, departed := m.state.departed[i.ID]; departed || !live(i) {
				continue
			}
			why := spot.Reason("")
			var since time.Time
			if i.Spot {
				why, since = spot.Closed(g.Spot, spot.Instance{Created: i.Created, Noticed: m.notices[i.ID].since}, now)
			}
			switch {
			case why != "":
				closing[i.ID] = Closing{Group: g.Name, InstanceID: i.ID, Why: why, Since: since}
			case !i.Spot, g.Spot.OnReclaimNotice == config.ReclaimIgnored, current:
				open[i.ID] = true
			}
		}
	}
	return closing, open
}
