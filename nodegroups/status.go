package nodegroups

import (
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// Status is what a person or a metric wants to know of the provider.
type Status struct {
	// Ready: a snapshot has been read.
	Ready bool
	// Taken is when the reading of the snapshot in force began.
	Taken time.Time
	// LastError is that of the last refresh; empty when it was good.
	LastError string
	// Groups of the configuration, in its order, served or not.
	Groups []GroupStatus
}

// GroupStatus is one group's part of Status.
type GroupStatus struct {
	ID                                        string
	Class                                     config.Class
	ScalingGroupID                            string
	Min, Max, Target                          int
	Running, Creating, Deleting, Placeholders int
	// Problem says why the group is not served; empty when it is.
	Problem string
}

// Status returns the provider's state as of now.
func (p *Provider) Status() Status {
	s := p.current.Load()
	p.mu.Lock()
	defer p.mu.Unlock()
	out := Status{Ready: s != nil, LastError: p.lastError}
	if s != nil {
		out.Taken = s.taken
	}
	for _, g := range p.cfg.Groups {
		m := p.members[g.Name]
		st := GroupStatus{ID: g.Name, Class: g.Class, ScalingGroupID: m.cloudID, Min: g.Min, Max: g.Max, Problem: m.problem}
		if m.view != nil {
			st.Min, st.Max, st.Target = m.view.group.Min, m.view.group.Max, m.view.target
			st.count(m.view.instances)
		}
		out.Groups = append(out.Groups, st)
	}
	return out
}

func (g *GroupStatus) count(instances []cloudprovider.InstanceStatus) {
	for _, i := range instances {
		switch {
		case i.Failure != nil:
			g.Placeholders++
		case i.State == cloudprovider.Creating:
			g.Creating++
		case i.State == cloudprovider.Deleting:
			g.Deleting++
		default:
			g.Running++
		}
	}
}
