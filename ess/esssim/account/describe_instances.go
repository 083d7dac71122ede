package account

import (
	"slices"
	"time"
)

// Instance is an instance as ESS and ECS show it.
type Instance struct {
	ID, GroupID            string
	State                  InstanceState
	VSwitchID, Zone        string
	Type                   InstanceType
	SpotStrategy           SpotStrategy
	ActivityID             string
	ScalingConfigurationID string
	LaunchTemplateID       string
	LaunchTemplateVersion  string
	Address                string
	Created                time.Time
	// InService is when it went into service; zero: not yet.
	InService time.Time
	// Reclaiming: the spot market takes it back.
	Reclaiming bool
	// Health is Healthy or Unhealthy; Creation is AutoCreated or Attached.
	Health, Creation string
	// Joined: it has registered as a node.
	Joined bool
	// Entrusted: attached, and ESS may release it.
	Entrusted bool
	// Weight is how much of the group's capacity it is.
	Weight        int
	SystemDiskGiB int
	UserData      string
	Tags          map[string]string
}

// InstanceQuery selects instances of scaling groups; empty fields select all.
type InstanceQuery struct {
	GroupID                string
	IDs                    []string
	States                 []InstanceState
	ActivityID             string
	ScalingConfigurationID string
	HealthStatus           string
	CreationTypes          []string
	Paging
}

const maxInstancePage = 100

// The health of instances and how they came into their group.
const (
	Healthy     = "Healthy"
	Unhealthy   = "Unhealthy"
	AutoCreated = "AutoCreated"
	Attached    = "Attached"
)

// Instances lists instances of scaling groups, oldest first. A group or instance
// that does not exist is left out.
func (a *Account) Instances(q InstanceQuery) (Page[Instance], error) {
	defer a.enter()()
	if len(q.IDs) > maxIDs {
		return Page[Instance]{}, ErrInvalid("InstanceId", "more than 20")
	}
	paging, err := q.page(maxInstancePage)
	if err != nil {
		return Page[Instance]{}, err
	}
	if a.delays.ListInstances > 0 {
		found := a.listedInstances(q)
		return pageOf(paging, len(found), func(n int) Instance { return found[n] }), nil
	}
	found := a.selectInstances(q)
	return pageOf(paging, len(found), func(n int) Instance { return found[n].view() }), nil
}

// listedInstances selects from what the list shows while it lags.
func (a *Account) listedInstances(q InstanceQuery) []Instance {
	var found []Instance
	for _, g := range a.groups {
		if q.GroupID != "" && q.GroupID != g.id {
			continue
		}
		old, _ := a.seen(g, a.delays.ListInstances)
		for _, i := range old.instances {
			if q.matches(i) {
				found = append(found, i)
			}
		}
	}
	return found
}

func (a *Account) selectInstances(q InstanceQuery) []*instance {
	groups := a.groups
	if q.GroupID != "" {
		groups = nil
		if g, ok := a.groupsByID[q.GroupID]; ok {
			groups = []*group{g}
		}
	}
	var found []*instance
	for _, g := range groups {
		if q.unfiltered() && len(groups) == 1 {
			return g.instances
		}
		for _, i := range g.instances {
			if q.matches(i.view()) {
				found = append(found, i)
			}
		}
	}
	return found
}

func (q InstanceQuery) unfiltered() bool {
	return len(q.IDs) == 0 && len(q.States) == 0 && len(q.CreationTypes) == 0 &&
		q.ActivityID == "" && q.ScalingConfigurationID == "" && q.HealthStatus == ""
}

func (q InstanceQuery) matches(i Instance) bool {
	return (len(q.IDs) == 0 || slices.Contains(q.IDs, i.ID)) &&
		(len(q.States) == 0 || slices.Contains(q.States, i.State)) &&
		(len(q.CreationTypes) == 0 || slices.Contains(q.CreationTypes, i.Creation)) &&
		(q.ActivityID == "" || q.ActivityID == i.ActivityID) &&
		(q.ScalingConfigurationID == "" || q.ScalingConfigurationID == i.ScalingConfigurationID) &&
		(q.HealthStatus == "" || q.HealthStatus == i.Health)
}

func (i *instance) view() Instance {
	health, creation, groupID := Healthy, AutoCreated, ""
	if i.unhealthy {
		health = Unhealthy
	}
	if i.attached {
		creation = Attached
	}
	if i.group != nil {
		groupID = i.group.id
	}
	return Instance{
		ID: i.id, GroupID: groupID,
		State:     i.state,
		VSwitchID: i.vSwitch, Zone: i.zone,
		Type:                   *i.itype,
		SpotStrategy:           i.spot,
		ActivityID:             i.activity,
		ScalingConfigurationID: i.launch.configuration,
		LaunchTemplateID:       i.launch.template,
		LaunchTemplateVersion:  i.launch.templateVersion,
		Address:                i.address,
		Created:                i.created,
		InService:              i.inService,
		Reclaiming:             i.reclaiming,
		Joined:                 i.joined,
		Health:                 health,
		Creation:               creation,
		Entrusted:              i.entrusted,
		Weight:                 i.weight,
		SystemDiskGiB:          i.launch.systemDiskGiB,
		UserData:               i.launch.userData,
		Tags:                   i.launch.tags,
	}
}
