package esssim

import "github.com/buildpool/buildpool/ess/esssim/account"

func (s *Simulator) attachInstances(p parameters) (reply, error) {
	group, err := p.required("ScalingGroupId")
	if err != nil {
		return nil, err
	}
	entrusted, err := p.boolean("Entrusted", false)
	if err != nil {
		return nil, err
	}
	ignore, err := p.boolean("IgnoreInvalidInstance", false)
	if err != nil {
		return nil, err
	}
	return toActivityReply(s.account.AttachInstances(account.Attachment{
		GroupID:       group,
		InstanceIDs:   p.list("InstanceId"),
		Entrusted:     entrusted,
		IgnoreInvalid: ignore,
		Token:         p["ClientToken"],
	}))
}

func (s *Simulator) detachInstances(p parameters) (reply, error) {
	removal, err := p.removal()
	if err != nil {
		return nil, err
	}
	return toActivityReply(s.account.DetachInstances(removal))
}

// removal reads what RemoveInstances and DetachInstances have in common.
func (p parameters) removal() (account.Removal, error) {
	group, err := p.required("ScalingGroupId")
	if err != nil {
		return account.Removal{}, err
	}
	decrease, err := p.boolean("DecreaseDesiredCapacity", true)
	if err != nil {
		return account.Removal{}, err
	}
	ignore, err := p.boolean("IgnoreInvalidInstance", false)
	if err != nil {
		return account.Removal{}, err
	}
	skip, err := p.skipHooks()
	if err != nil {
		return account.Removal{}, err
	}
	return account.Removal{
		GroupID:       group,
		InstanceIDs:   p.list("InstanceId"),
		KeepDesired:   !decrease,
		IgnoreInvalid: ignore,
		Policy:        account.ScalingPolicy(p["RemovePolicy"]),
		Token:         p["ClientToken"],
		SkipHooks:     skip,
	}, nil
}

func (s *Simulator) enterStandby(p parameters) (reply, error) {
	group, err := p.required("ScalingGroupId")
	if err != nil {
		return nil, err
	}
	return done(s.account.EnterStandby(group, p.list("InstanceId")))
}

func (s *Simulator) exitStandby(p parameters) (reply, error) {
	group, err := p.required("ScalingGroupId")
	if err != nil {
		return nil, err
	}
	return done(s.account.ExitStandby(group, p.list("InstanceId")))
}

func (s *Simulator) setInstanceHealth(p parameters) (reply, error) {
	id, err := p.required("InstanceId")
	if err != nil {
		return nil, err
	}
	status, err := p.required("HealthStatus")
	if err != nil {
		return nil, err
	}
	return done(s.account.SetHealth(id, status))
}

func (s *Simulator) suspendProcesses(p parameters) (reply, error) {
	group, err := p.required("ScalingGroupId")
	if err != nil {
		return nil, err
	}
	return done(s.account.SuspendProcesses(group, p.list("Process"), true))
}

func (s *Simulator) resumeProcesses(p parameters) (reply, error) {
	group, err := p.required("ScalingGroupId")
	if err != nil {
		return nil, err
	}
	return done(s.account.SuspendProcesses(group, p.list("Process"), false))
}

func (s *Simulator) executeScalingRule(p parameters) (reply, error) {
	rule, err := p.required("ScalingRuleAri")
	if err != nil {
		return nil, err
	}
	return toActivityReply(s.account.ExecuteRule(rule, p["ClientToken"]))
}
