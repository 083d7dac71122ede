package nodegroups

import (
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/nodegroups/floor"
	"github.com/buildpool/buildpool/nodegroups/spot"
)

// Status is what a person or a metric wants to know of the provider.
type Status struct {
	// Ready: a snapshot has been read.
	Ready bool
	// Taken is when the reading of the snapshot in force began.
	Taken time.Time
	// DryRun: nothing is written to the account.
	DryRun bool
	// ReadingSince is when the look at the cloud that is under way began; zero if none is.
	ReadingSince time.Time
	// LastError is that of the last reading; empty when it was good.
	LastError string
	// ProviderID is how provider IDs are spelt.
	ProviderID ProviderIDStatus
	// TimeZone is the configuration's, for people; empty: UTC.
	TimeZone string
	// NoticesProblem says why the notices of spot instances are not seen; empty: they are.
	NoticesProblem string
	// Groups of the configuration, in its order, served or not.
	Groups []GroupStatus
}

// StripBefore and StripAfter are how far back and ahead a status tells of windows: a
// day, with the present where the eye looks for it.
const (
	StripBefore = 6 * time.Hour
	StripAfter  = 18 * time.Hour
)

// ProviderIDStatus is a spelling and how it came to be in use.
type ProviderIDStatus struct {
	Form   cloudprovider.ProviderIDForm
	Origin FormOrigin
}

// FormOrigin says where the spelling of provider IDs comes from.
type FormOrigin string

// The origins of a spelling.
const (
	FormConfigured FormOrigin = "configured"
	// FormLearned: the last node that CA showed us was spelt so.
	FormLearned FormOrigin = "learned"
	// FormAssumed: CA has shown us no node of ours yet.
	FormAssumed FormOrigin = "assumed"
)

// GroupStatus is one group's part of Status.
type GroupStatus struct {
	ID                                        string
	Class                                     config.Class
	ScalingGroupID                            string
	Min, Max, Target                          int
	Running, Creating, Deleting, Placeholders int
	// MinReason and MaxReason say what made Min and Max what they are.
	MinReason, MaxReason BoundReason
	// Stopped instances are kept, as no capacity, and started first (economical mode).
	// Recycles: the scaling group stops what is removed from it, and does not release it.
	Stopped  int
	Recycles bool
	// Floor is what Min comes from: the cooldowns that run and the warm window that is
	// open, if any. Boot is how long new nodes take to join, as measured, and BootStarted
	// those whose instance was stopped before; 0: not known.
	Floor             floor.Floor
	Boot, BootStarted time.Duration
	// Notices are the instances that the cloud takes back.
	Notices []Notice
	// Noticed counts the notices since our start.
	Noticed map[spot.Pool]int
	// ReclaimsPerHour is how often an instance is to be expected to be taken back in an
	// hour, by what is known of the Pools of the group; 0: nothing is known.
	ReclaimsPerHour float64
	Pools           []PoolReclaims
	// LosesMore: by that, lost builds cost more than spot instances save, and the expander
	// prefers other groups.
	LosesMore bool
	// Coming are the nodes that are wanted and not Ready yet; every instance is among
	// them where the cluster is not seen.
	Coming []Coming
	// Windows are the openings of the group's warm windows from 6 hours ago until 18
	// hours from now.
	Windows []floor.OpenWindow
	// Problem says why the group is not served; empty when it is.
	Problem string
	// Price is what a node costs, if PriceProblem is empty; else that says why it is
	// not known.
	Price        cloudprovider.Price
	PriceProblem string
	// Cost is what the instances that run cost per hour together, if CostProblem is
	// empty; else that says of which instance the price is not known.
	Cost        cloudprovider.Price
	CostProblem string
	// Template is what a new node would be, if TemplateProblem is empty; else that says
	// why it cannot be told.
	Template        cloudprovider.NodeTemplate
	TemplateProblem string
	// Inactive says why the scaling group would not grow; empty: it would.
	Inactive string
	// Troubles are the reasons of late for which the expander prefers other groups.
	Troubles []cloudprovider.Skip
	// LastError is the last thing that went wrong with the group in the last day; its
	// Message is empty if nothing did.
	LastError GroupError
}

// Notice is an instance that the cloud takes back.
type Notice struct {
	InstanceID string
	Since      time.Time
	// LetGo: it has left the scaling group, and another is created in its place.
	LetGo bool
}

// BoundReason says what decides a group's min or max.
type BoundReason string

// The reasons for a bound.
const (
	BoundConfigured   BoundReason = "configured"
	BoundScalingGroup BoundReason = "scaling group"
	BoundSchedule     BoundReason = "schedule"
	BoundCooldown     BoundReason = "cooldown"
	// BoundMax: min was above max and is lowered to it.
	BoundMax BoundReason = "max"
)

// reasonsOf says what bounds took its numbers from.
func reasonsOf(g config.Group, live cloudprovider.ScalingGroup) (lowest, highest BoundReason) {
	lowest, highest = BoundConfigured, BoundConfigured
	if live.Max < g.Max {
		highest = BoundScalingGroup
	}
	switch wanted := max(g.Min, live.Min); {
	case wanted > min(g.Max, live.Max):
		lowest = BoundMax
	case live.Min > g.Min:
		lowest = BoundScalingGroup
	}
	return lowest, highest
}

// Status returns the provider's state as of now.
func (p *Provider) Status() Status {
	s := p.current.Load()
	p.mu.Lock()
	defer p.mu.Unlock()
	out := Status{Ready: s != nil, DryRun: p.DryRun, TimeZone: p.cfg.Schedule.TimeZone, LastError: p.lastError, NoticesProblem: p.notices.problem, ProviderID: p.nodes.status(formOf(p.cfg.ProviderID))}
	if p.reading != nil {
		out.ReadingSince = p.reading.began
	}
	currency := ""
	if s != nil {
		out.Taken, currency = s.taken, s.currency
	}
	for _, g := range p.cfg.Groups {
		out.Groups = append(out.Groups, p.groupStatus(p.members[g.Name], currency))
	}
	return out
}

// groupStatus is one member's status. The caller holds mu.
func (p *Provider) groupStatus(m *member, currency string) GroupStatus {
	g := m.config
	st := GroupStatus{
		ID: g.Name, Class: g.Class, ScalingGroupID: m.cloudID, Min: g.Min, Max: g.Max,
		MinReason: BoundConfigured, MaxReason: BoundConfigured,
		Problem: m.problem, LastError: m.lastTrouble(p.Clock.Now()),
	}
	v := m.view
	if v == nil {
		st.PriceProblem = "the group has not been read yet"
		st.CostProblem, st.TemplateProblem = st.PriceProblem, st.PriceProblem
		return st
	}
	st.Min, st.Max, st.Target = v.group.Min, v.group.Max, v.target
	st.MinReason, st.MaxReason = reasonsOf(g, m.seen.group)
	now := p.Clock.Now()
	st.Floor, st.Boot, st.BootStarted = p.floorOf(m, now), m.boots.created.typical(), m.boots.started.typical()
	st.Stopped, st.Recycles = m.seen.group.Counters.Stopped, m.seen.group.Recycles
	st.Windows = m.floors.Openings(now.Add(-StripBefore), now.Add(StripAfter),
		floor.Facts{Max: v.group.Max, Target: st.Target, Boot: st.Boot, Warm: st.BootStarted, Stopped: st.Stopped})
	switch v.floor.Reason {
	case floor.Schedule:
		st.MinReason = BoundSchedule
	case floor.Cooldown:
		st.MinReason = BoundCooldown
	case floor.Max:
		st.MinReason = BoundMax
	}
	st.Coming = p.comingOf(m)
	st.tellReclaims(p, m, v)
	st.Troubles = v.facts().Recent(p.cfg.Expander.SkipFor, now)
	if err := writable(m.seen.group); err != nil {
		st.Inactive = err.Error()
	}
	if st.Template = v.template; v.templateErr != nil {
		st.TemplateProblem = v.templateErr.Error()
	}
	st.count(v.instances)
	st.Price, st.PriceProblem = known(inCurrency(v.price, currency), v.priceErr)
	st.Cost, st.CostProblem = known(p.costOf(m, v, currency))
	return st
}

// known is a price, or why there is none.
func known(price cloudprovider.Price, err error) (cloudprovider.Price, string) {
	if err != nil {
		return cloudprovider.Price{}, err.Error()
	}
	return price, ""
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

// status tells the spelling in use.
func (n *identities) status(configured cloudprovider.ProviderIDForm) ProviderIDStatus {
	if configured != "" {
		return ProviderIDStatus{Form: configured, Origin: FormConfigured}
	}
	s := ProviderIDStatus{Form: n.usual(), Origin: FormAssumed}
	n.sights.Range(func(any, any) bool {
		s.Origin = FormLearned
		return false
	})
	return s
}
