package esssim

import "github.com/buildpool/buildpool/ess/esssim/account"

type activityReply struct {
	answered
	ScalingActivityID string `json:"ScalingActivityId"`
	ActivityType      string `json:",omitempty"`
}

func toActivityReply(r account.Result, err error) (reply, error) {
	if err != nil {
		return nil, err
	}
	return &activityReply{ScalingActivityID: r.ActivityID, ActivityType: r.ActivityType}, nil
}

// done answers a write that returns nothing but its success.
func done(err error) (reply, error) {
	if err != nil {
		return nil, err
	}
	return &answered{}, nil
}

func (s *Simulator) scaleWithAdjustment(p parameters) (reply, error) {
	group, err := p.required("ScalingGroupId")
	if err != nil {
		return nil, err
	}
	if _, err := p.required("AdjustmentValue"); err != nil {
		return nil, err
	}
	value, err := p.number("AdjustmentValue")
	if err != nil {
		return nil, err
	}
	magnitude, err := p.number("MinAdjustmentMagnitude")
	if err != nil {
		return nil, err
	}
	sync, err := p.boolean("SyncActivity", false)
	if err != nil {
		return nil, err
	}
	skip, err := p.skipHooks()
	if err != nil {
		return nil, err
	}
	return toActivityReply(s.account.ScaleWithAdjustment(account.Adjustment{
		GroupID:      group,
		Type:         account.AdjustmentType(p["AdjustmentType"]),
		Value:        value,
		MinMagnitude: magnitude,
		Sync:         sync,
		Metadata:     p["ActivityMetadata"],
		Token:        p["ClientToken"],
		SkipHooks:    skip,
	}))
}

func (s *Simulator) modifyScalingGroup(p parameters) (reply, error) {
	m := account.Modification{Name: p["ScalingGroupName"]}
	var err error
	if m.GroupID, err = p.required("ScalingGroupId"); err != nil {
		return nil, err
	}
	for _, field := range []struct {
		name string
		to   **int
	}{{"MinSize", &m.Min}, {"MaxSize", &m.Max}, {"DesiredCapacity", &m.Desired}} {
		n, given, err := p.integer(field.name)
		if err != nil {
			return nil, err
		}
		if given {
			*field.to = &n
		}
	}
	if m.DisableExpectedNumber, err = p.boolean("DisableDesiredCapacity", false); err != nil {
		return nil, err
	}
	return done(s.account.ModifyGroup(m))
}

func (s *Simulator) removeInstances(p parameters) (reply, error) {
	removal, err := p.removal()
	if err != nil {
		return nil, err
	}
	return toActivityReply(s.account.RemoveInstances(removal))
}

func (s *Simulator) setInstancesProtection(p parameters) (reply, error) {
	group, err := p.required("ScalingGroupId")
	if err != nil {
		return nil, err
	}
	if _, err := p.required("ProtectedFromScaleIn"); err != nil {
		return nil, err
	}
	protected, err := p.boolean("ProtectedFromScaleIn", false)
	if err != nil {
		return nil, err
	}
	return done(s.account.SetProtection(account.Protection{GroupID: group, InstanceIDs: p.list("InstanceId"), Protected: protected}))
}

func (s *Simulator) enableScalingGroup(p parameters) (reply, error) {
	group, err := p.required("ScalingGroupId")
	if err != nil {
		return nil, err
	}
	return done(s.account.EnableGroup(group))
}

func (s *Simulator) disableScalingGroup(p parameters) (reply, error) {
	group, err := p.required("ScalingGroupId")
	if err != nil {
		return nil, err
	}
	return done(s.account.DisableGroup(group))
}
