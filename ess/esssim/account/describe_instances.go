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
	Reclaiming    bool
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

// The only health and creation that instances of this account have.
const (
	Healthy     = "Healthy"
	AutoCreated = "AutoCreated"
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
	found := a.selectInstances(q)
	return pageOf(paging, len(found), func(n int) Instance { return found[n].view() }), nil
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
			if q.matches(i) {
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

func (q InstanceQuery) matches(i *instance) bool {
	return (len(q.IDs) == 0 || slices.Contains(q.IDs, i.id)) &&
		(len(q.States) == 0 || slices.Contains(q.States, i.state)) &&
		(len(q.CreationTypes) == 0 || slices.Contains(q.CreationTypes, AutoCreated)) &&
		(q.ActivityID == "" || q.ActivityID == i.activity) &&
		(q.ScalingConfigurationID == "" || q.ScalingConfigurationID == i.launch.configuration) &&
		(q.HealthStatus == "" || q.HealthStatus == Healthy)
}

func (i *instance) view() Instance {
	return Instance{
		ID: i.id, GroupID: i.group.id,
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
		SystemDiskGiB:          i.launch.systemDiskGiB,
		UserData:               i.launch.userData,
		Tags:                   i.launch.tags,
	}
}
