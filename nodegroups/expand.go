package nodegroups

import (
	"maps"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/nodegroups/expander"
)

var _ cloudprovider.Expander = (*Provider)(nil)

// BestOptions implements cloudprovider.Expander from the current snapshot.
func (p *Provider) BestOptions(options []cloudprovider.ExpansionOption) (cloudprovider.Expansion, error) {
	s := p.current.Load()
	if s == nil {
		return cloudprovider.Expansion{}, cloudprovider.ErrNotReady
	}
	groups := make(map[string]expander.Group, len(options))
	for _, o := range options {
		if v := s.byID[o.GroupID]; v != nil {
			g := v.facts()
			g.ReclaimsPerHour, g.SpotShare = p.reclaimsPerHour(o.GroupID), p.spotShare(v)
			groups[o.GroupID] = g
		} else if g, ours := s.unserved[o.GroupID]; ours {
			groups[o.GroupID] = unservedFacts(g)
		}
	}
	p.price(groups)
	return expander.Choose(s.policy, groups, options, p.Clock.Now()), nil
}

// facts are what the policy has to know of a group that is served.
func (v *view) facts() expander.Group {
	g := expander.Group{
		Class:           v.config.Class,
		Priority:        v.config.Priority,
		Health:          v.health,
		FailureCooldown: v.config.Cooldown.AfterFailure,
		Inactive:        v.inactive,
	}
	if v.templateErr == nil {
		g.Template = &cloudprovider.NodeOffer{
			MilliCPU:    v.template.Capacity.Cpu().MilliValue(),
			MemoryBytes: v.template.Capacity.Memory().Value(),
		}
	}
	return g
}

// unservedFacts are those of a group that CA still has from an earlier refresh: to
// grow it would fail.
func unservedFacts(g config.Group) expander.Group {
	return expander.Group{Class: g.Class, Priority: g.Priority, Inactive: true}
}

// price fills in what the groups cost. Prices in different currencies cannot be
// compared, so that then none counts.
func (p *Provider) price(groups map[string]expander.Group) {
	priced := make(map[string]expander.Group, len(groups))
	currency := ""
	for id, g := range groups {
		price, err := p.PricePerHour(id)
		if err != nil {
			continue // unknown prices sort last
		}
		if currency != "" && price.Currency != currency {
			return
		}
		currency = price.Currency
		g.PricePerHour = &price.PerHour
		priced[id] = g
	}
	maps.Copy(groups, priced)
}
