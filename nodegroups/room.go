package nodegroups

import (
	"fmt"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/nodegroups/floor"
)

// Room is the spare room that a group is to keep now.
type Room struct {
	Group config.Group
	// Slots to keep beside Running builds, which are counted only where the room depends
	// on them.
	Slots, Running int
}

// Rooms returns the room to keep in every group that is configured to keep some, in the
// order of the configuration, also where it is none at the moment, and by what it is to
// be kept. ErrClusterUnseen says that builds could not be counted.
func (p *Provider) Rooms() (rooms []Room, keeping config.HeadroomKeeping, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.Clock.Now()
	for _, g := range p.cfg.Groups {
		if g.Headroom == nil {
			continue
		}
		m := p.members[g.Name]
		r := Room{Group: g}
		if g.Headroom.Share > 0 {
			if r.Running, err = p.buildsOf(m); err != nil {
				return nil, keeping, fmt.Errorf("count the builds of group %q: %w", g.Name, err)
			}
		}
		lead := m.boots.next(m.seen.group)
		if lead == 0 {
			lead = floor.DefaultLead
		}
		r.Slots = m.room.Slots(now, lead, r.Running)
		rooms = append(rooms, r)
	}
	return rooms, p.cfg.Headroom, nil
}

// buildsOf counts the builds that run on the group's nodes. The caller holds mu.
func (p *Provider) buildsOf(m *member) (int, error) {
	if p.Cluster == nil {
		return 0, fmt.Errorf("%w: it is not watched", cloudprovider.ErrClusterUnseen)
	}
	if err := p.Cluster.Current(); err != nil {
		return 0, err
	}
	builds, err := newBuilds(p.cfg.LastLook)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, i := range m.seen.instances {
		for _, node := range p.Cluster.NodesOf(i.ID) {
			for _, pod := range p.Cluster.PodsOn(node.Name) {
				if builds.counts(pod) {
					n++
				}
			}
		}
	}
	return n, nil
}
