package nodegroups

import (
	"fmt"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// publish makes the snapshot of what is known now. Views of groups that did not
// change are used again: at 200 groups and 10,000 nodes, raising one target costs
// one group's list, not all of them. The caller holds mu.
func (p *Provider) publish() {
	if p.refreshed.IsZero() {
		return
	}
	old := p.current.Load()
	s := &snapshot{taken: p.refreshed, byID: make(map[string]*view, len(p.members)), policy: p.cfg.Expander, unserved: map[string]config.Group{}}
	for _, g := range p.cfg.Groups {
		m := p.members[g.Name]
		if m.problem != "" {
			s.unserved[g.Name] = g
			continue
		}
		if m.view == nil {
			m.view = p.viewOf(m)
		}
		s.order = append(s.order, m.view)
		s.byID[g.Name] = m.view
		s.groups = append(s.groups, m.view.group)
	}
	if p.moved || old == nil {
		s.owner, s.asleep, s.gpus = p.owners(), p.stopped(), gpusOf(s.order)
		p.moved = false
	} else {
		s.owner, s.asleep, s.gpus = old.owner, old.asleep, old.gpus
	}
	s.waking = p.waking()
	s.currency = currencyOf(s.order)
	p.current.Store(s)
}

// owners indexes the instances of the served groups, but for those that are stopped.
// The caller holds mu.
func (p *Provider) owners() map[string]string {
	n := 0
	for _, m := range p.members {
		n += len(m.seen.instances)
	}
	owner := make(map[string]string, n)
	for id, m := range p.members {
		if m.problem != "" {
			continue
		}
		for _, i := range m.seen.instances {
			if i.Lifecycle != cloudprovider.Stopped {
				owner[i.ID] = id
			}
		}
	}
	return owner
}

// viewOf makes a member's view. The caller holds mu.
func (p *Provider) viewOf(m *member) *view {
	_, highest := bounds(m.config, m.seen.group)
	least := p.floorOf(m, p.Clock.Now())
	v := &view{
		config:   m.config,
		floor:    least,
		health:   m.state.health.Health,
		inactive: writable(m.seen.group) != nil,
		target:   m.state.target,
		group: cloudprovider.NodeGroup{
			ID: m.config.Name, Min: least.Min, Max: highest,
			Debug: fmt.Sprintf("%s (%s on %s, %d to %d)", m.config.Name, m.config.Class, m.cloudID, least.Min, highest),
		},
		instances: statuses(m.seen, m.state, p.nodes.speller(p.cfg.Region, formOf(p.cfg.ProviderID))),
	}
	v.template, v.templateErr = m.launch.template(m.config, p.cfg.Region)
	v.goods, v.offer = p.goodsOf(m, v.template), offerOf(v.template)
	v.price, v.priceErr = p.priceOf(v)
	return v
}

// formOf translates the configured form; empty means that it is to be learned.
func formOf(f config.ProviderIDForm) cloudprovider.ProviderIDForm {
	switch f {
	case config.ProviderIDDot:
		return cloudprovider.FormDot
	case config.ProviderIDURL:
		return cloudprovider.FormURL
	}
	return ""
}
