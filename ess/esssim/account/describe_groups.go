package account

import (
	"slices"
	"time"
)

// Group is a scaling group as DescribeScalingGroups shows it.
type Group struct {
	ID, Name, Region   string
	Lifecycle          GroupLifecycle
	Min, Max, Desired  int
	ExpectedNumberMode bool
	Counters           Counters
	// Capacity is the counters by weight.
	Capacity     Counters
	Weighted     bool
	Weights      map[string]int
	PriceLimits  map[string]float64
	HealthCheck  HealthCheckType
	OnDemandBase int
	// OnDemandPercent is the share of on-demand instances above the base.
	OnDemandPercent        int
	CompensateWithOnDemand bool
	SpotInstanceRemedy     bool
	Spot                   int
	Suspended              []string
	MultiAZPolicy          MultiAZPolicy
	ScalingPolicy          ScalingPolicy
	VSwitchIDs             []string
	Tags                   map[string]string
	ScalingConfigurationID string
	LaunchTemplateID       string
	LaunchTemplateVersion  string
	Overrides              []string
	Created, Modified      time.Time
}

// GroupQuery selects groups; empty fields select all.
type GroupQuery struct {
	IDs, Names []string
	// Tags must all be there; an empty value matches any.
	Tags map[string]string
	Paging
}

const maxGroupPage = 50

// Groups lists scaling groups. An ID or name that does not exist is left out.
func (a *Account) Groups(q GroupQuery) (Page[Group], error) {
	defer a.enter()()
	if len(q.IDs) > maxIDs {
		return Page[Group]{}, ErrInvalid("ScalingGroupId", "more than 20")
	}
	if len(q.Names) > maxIDs {
		return Page[Group]{}, ErrInvalid("ScalingGroupName", "more than 20")
	}
	paging, err := q.page(maxGroupPage)
	if err != nil {
		return Page[Group]{}, err
	}
	var found []*group
	for _, g := range a.groups {
		if q.matches(g) {
			found = append(found, g)
		}
	}
	return pageOf(paging, len(found), func(i int) Group { return a.listed(found[i]) }), nil
}

func (q GroupQuery) matches(g *group) bool {
	if len(q.IDs) > 0 && !slices.Contains(q.IDs, g.id) {
		return false
	}
	if len(q.Names) > 0 && !slices.Contains(q.Names, g.name) {
		return false
	}
	for key, value := range q.Tags {
		if has, ok := g.tags[key]; !ok || (value != "" && has != value) {
			return false
		}
	}
	return true
}

// listed is a group as the list shows it, which may lag.
func (a *Account) listed(g *group) Group {
	if old, ok := a.seen(g, a.delays.ListGroups); ok {
		return old.group
	}
	return a.view(g)
}

// view copies what may change; maps and slices of the configuration never do.
func (a *Account) view(g *group) Group {
	v := Group{
		ID: g.id, Name: g.name, Region: a.region,
		Lifecycle: g.lifecycle,
		Min:       g.min, Max: g.max,
		ExpectedNumberMode:     g.expected,
		Counters:               g.counters,
		Capacity:               g.capacity,
		Weighted:               g.weighted(),
		Weights:                g.launch.weights,
		PriceLimits:            g.launch.priceLimits,
		HealthCheck:            g.health,
		OnDemandBase:           g.mixture.base,
		OnDemandPercent:        g.mixture.percent,
		CompensateWithOnDemand: g.mixture.compensate,
		SpotInstanceRemedy:     g.mixture.remedy,
		Spot:                   g.spot,
		Suspended:              slices.Clone(g.suspended),
		MultiAZPolicy:          g.policy,
		ScalingPolicy:          g.scaling,
		VSwitchIDs:             g.vSwitches,
		Tags:                   g.tags,
		ScalingConfigurationID: g.launch.configuration,
		LaunchTemplateID:       g.launch.template,
		LaunchTemplateVersion:  g.launch.templateVersion,
		Overrides:              g.launch.overrides,
		Created:                g.created,
		Modified:               g.modified,
	}
	if g.expected {
		v.Desired = g.desired
	}
	return v
}
