package esssim

import (
	"encoding/base64"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

func encodeUserData(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

type instancesReply struct {
	pageHead
	TotalSpotCount   int
	ScalingInstances struct{ ScalingInstance []wireInstance }
}

type wireInstance struct {
	InstanceID             string `json:"InstanceId"`
	ScalingGroupID         string `json:"ScalingGroupId"`
	ScalingConfigurationID string `json:"ScalingConfigurationId,omitempty"`
	LaunchTemplateID       string `json:"LaunchTemplateId,omitempty"`
	LaunchTemplateVersion  string `json:",omitempty"`
	ScalingActivityID      string `json:"ScalingActivityId,omitempty"`
	LifecycleState         string
	HealthStatus           string
	CreationType           string
	WarmupState            string
	InstanceType           string
	ZoneID                 string `json:"ZoneId"`
	SpotStrategy           string
	PrivateIPAddress       string `json:"PrivateIpAddress"`
	WeightedCapacity       int
	LoadBalancerWeight     int
	Entrusted              bool
	CreationTime           string
	CreatedTime            string
}

func (s *Simulator) describeScalingInstances(p parameters) (reply, error) {
	paging, err := p.paging()
	if err != nil {
		return nil, err
	}
	creation := p.list("CreationTypes")
	if one := p["CreationType"]; one != "" {
		creation = append(creation, one)
	}
	page, err := s.account.Instances(account.InstanceQuery{
		GroupID:                p["ScalingGroupId"],
		IDs:                    p.list("InstanceId"),
		States:                 p.states(),
		ActivityID:             p["ScalingActivityId"],
		ScalingConfigurationID: p["ScalingConfigurationId"],
		HealthStatus:           p["HealthStatus"],
		CreationTypes:          creation,
		Paging:                 paging,
	})
	if err != nil {
		return nil, err
	}
	answer := &instancesReply{pageHead: headOf(page)}
	answer.ScalingInstances.ScalingInstance = make([]wireInstance, len(page.Items))
	for n, i := range page.Items {
		answer.ScalingInstances.ScalingInstance[n] = toWireInstance(i)
		if i.SpotStrategy != account.NoSpot {
			answer.TotalSpotCount++
		}
	}
	return answer, nil
}

func (p parameters) states() []account.InstanceState {
	var states []account.InstanceState
	if one := p["LifecycleState"]; one != "" {
		states = append(states, account.InstanceState(one))
	}
	for _, one := range p.list("LifecycleStates") {
		states = append(states, account.InstanceState(one))
	}
	return states
}

func toWireInstance(i account.Instance) wireInstance {
	return wireInstance{
		InstanceID:             i.ID,
		ScalingGroupID:         i.GroupID,
		ScalingConfigurationID: i.ScalingConfigurationID,
		LaunchTemplateID:       i.LaunchTemplateID,
		LaunchTemplateVersion:  i.LaunchTemplateVersion,
		ScalingActivityID:      i.ActivityID,
		LifecycleState:         string(i.State),
		HealthStatus:           i.Health,
		CreationType:           i.Creation,
		WarmupState:            "NoNeedWarmup",
		InstanceType:           i.Type.Name,
		ZoneID:                 i.Zone,
		SpotStrategy:           string(i.SpotStrategy),
		PrivateIPAddress:       i.Address,
		WeightedCapacity:       i.Weight,
		Entrusted:              i.Entrusted,
		LoadBalancerWeight:     50,
		CreationTime:           toMinute(i.Created),
		CreatedTime:            toSecond(i.Created),
	}
}
