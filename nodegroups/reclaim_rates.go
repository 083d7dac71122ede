package nodegroups

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/nodegroups/spot"
)

// PoolReclaims is how the spot instances of one type in one zone fared.
type PoolReclaims struct {
	spot.Pool
	spot.Tally
}

// Reclaims is what is known of reclaims, to be kept for the provider that comes after
// this one.
func (p *Provider) Reclaims() spot.History {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reclaims
}

// RecallReclaims adds what a provider before this one knew.
func (p *Provider) RecallReclaims(h spot.History) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reclaims = p.reclaims.Merged(h, p.Clock.Now())
	p.reckonReclaims()
}

// ForgetReclaims forgets all of it: from now on another provider knows better.
func (p *Provider) ForgetReclaims() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reclaims = spot.History{}
	p.reckonReclaims()
}

// tallyReclaims takes an answer about notices into account. fresh are the instances whose
// notice is new, by group. The caller holds mu.
func (p *Provider) tallyReclaims(fresh map[string][]string, now time.Time) {
	running, noticed := map[spot.Pool]int{}, map[string]spot.Pool{}
	for name, m := range p.members {
		if m.config.Spot.OnReclaimNotice == config.ReclaimIgnored {
			continue
		}
		pools := map[string]spot.Pool{}
		for _, i := range m.seen.instances {
			if i.Spot && live(i) && i.Type != "" {
				pools[i.ID] = poolOf(i)
				running[pools[i.ID]]++
			}
		}
		for _, id := range fresh[name] {
			pool, ok := pools[id]
			if !ok {
				continue
			}
			noticed[id] = pool
			if m.noticed = maps.Clone(m.noticed); m.noticed == nil {
				m.noticed = map[spot.Pool]int{}
			}
			m.noticed[pool]++
		}
	}
	p.reclaims = p.reclaims.Watched(running, now).Noticed(noticed, now)
	p.reckonReclaims()
}

func poolOf(i cloudprovider.Instance) spot.Pool {
	return spot.Pool{InstanceType: i.Type, Zone: i.Zone}
}

// reckonReclaims works out how often each group's instances are to be expected to be
// taken back, for the expander. The caller holds mu.
func (p *Provider) reckonReclaims() {
	rates := map[string]float64{}
	for name, m := range p.members {
		if sum, _ := p.reclaimsOf(m); sum.Reclaims > 0 {
			rates[name] = sum.PerHour()
		}
	}
	p.reclaimRates.Store(&rates)
}

// reclaimsOf is what is known of the types and zones in which a spot group's instances
// are created; nothing of a group that buys on demand. The caller holds mu.
func (p *Provider) reclaimsOf(m *member) (sum spot.Tally, pools []PoolReclaims) {
	launch := m.launch.launch
	if m.problem != "" || !launch.Spot() {
		return spot.Tally{}, nil
	}
	types := launch.InstanceTypes
	if len(m.seen.group.InstanceTypes) > 0 {
		types = m.seen.group.InstanceTypes
	}
	now := p.Clock.Now()
	sum, known := p.reclaims.Of(types, launch.Zones, now)
	for _, pool := range known {
		one, _ := p.reclaims.Of([]string{pool.InstanceType}, []string{pool.Zone}, now)
		pools = append(pools, PoolReclaims{pool, one})
	}
	return sum, pools
}

// reclaimsPerHour is how often an instance of the group is to be expected to be taken
// back in an hour.
func (p *Provider) reclaimsPerHour(group string) float64 {
	if rates := p.reclaimRates.Load(); rates != nil {
		return (*rates)[group]
	}
	return 0
}

// spotShare is what an instance of the group costs as a share of the on-demand price: by
// both prices if they are known, else as assumed.
func (p *Provider) spotShare(v *view) float64 {
	if !v.goods.spot {
		return 1
	}
	list, err := p.prices.listPrice(v.goods, p.Clock.Now())
	if err == nil && v.priceErr == nil && list.PerHour > 0 && v.price.PerHour > 0 && list.Currency == v.price.Currency {
		return v.price.PerHour / list.PerHour
	}
	return v.goods.spotShare
}

// tellReclaims fills in what is known of reclaims. The caller holds mu.
func (g *GroupStatus) tellReclaims(p *Provider, m *member, v *view) {
	for id, n := range m.notices {
		g.Notices = append(g.Notices, Notice{InstanceID: id, Since: n.since})
	}
	for id, since := range m.parted {
		g.Notices = append(g.Notices, Notice{InstanceID: id, Since: since, LetGo: true})
	}
	slices.SortFunc(g.Notices, func(a, b Notice) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.InstanceID, b.InstanceID))
	})
	g.Noticed = m.noticed
	sum, pools := p.reclaimsOf(m)
	g.ReclaimsPerHour, g.Pools = sum.PerHour(), pools
	facts := v.facts()
	facts.ReclaimsPerHour, facts.SpotShare = g.ReclaimsPerHour, p.spotShare(v)
	g.LosesMore = facts.LosesMore(p.cfg.Expander.LostBuild)
}
