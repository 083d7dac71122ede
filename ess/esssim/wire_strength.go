package esssim

import "github.com/buildpool/buildpool/ess/esssim/account"

// strengthReply has plain lists where the rest of ESS nests them.
type strengthReply struct {
	answered
	TotalStrength         string
	ElasticStrength       string
	ResourcePools         []wirePool
	ElasticStrengthModels []wireStrength
}

type wireStrength struct {
	ScalingGroupID  string `json:"ScalingGroupId"`
	ElasticStrength string
	TotalStrength   string
	ResourcePools   []wirePool
}

type wirePool struct {
	ZoneID          string   `json:"ZoneId"`
	VSwitchIDs      []string `json:"VSwitchIds"`
	InstanceType    string
	Status          string
	Code            string `json:",omitempty"`
	Msg             string `json:",omitempty"`
	Strength        string
	InventoryHealth wireHealth
}

// wireHealth is ESS's forecast of the inventory: HealthScore is adequacy plus
// supply minus hot.
type wireHealth struct{ AdequacyScore, SupplyScore, HotScore, HealthScore int }

func (s *Simulator) describeElasticStrength(p parameters) (reply, error) {
	groups := p.list("ScalingGroupIds")
	if one := p["ScalingGroupId"]; one != "" {
		groups = append(groups, one)
	}
	if len(groups) == 0 {
		return nil, account.ErrMissing("ScalingGroupIds.1")
	}
	answer := &strengthReply{}
	for _, id := range groups {
		pools, err := s.account.ElasticStrength(id)
		if err != nil {
			return nil, err
		}
		answer.ElasticStrengthModels = append(answer.ElasticStrengthModels, toStrength(id, pools))
	}
	first := answer.ElasticStrengthModels[0]
	answer.TotalStrength, answer.ElasticStrength, answer.ResourcePools = first.TotalStrength, first.ElasticStrength, first.ResourcePools
	return answer, nil
}

// toStrength grades a group by how many of its pools have stock.
func toStrength(id string, pools []account.PoolStrength) wireStrength {
	w := wireStrength{ScalingGroupID: id, ElasticStrength: "Weak", ResourcePools: []wirePool{}}
	available := 0
	for _, pool := range pools {
		one := wirePool{
			ZoneID:          pool.Zone,
			VSwitchIDs:      []string{pool.VSwitchID},
			InstanceType:    pool.Type,
			Status:          "Unavailable",
			Code:            "OperationDenied.NoStock",
			Msg:             "The instance type is out of stock in the zone.",
			Strength:        "Weak",
			InventoryHealth: wireHealth{HotScore: 3, HealthScore: -3},
		}
		if pool.Available {
			available++
			one.Status, one.Code, one.Msg, one.Strength = "Available", "", "", "Strong"
			one.InventoryHealth = wireHealth{AdequacyScore: 3, SupplyScore: 3, HealthScore: 6}
		}
		w.ResourcePools = append(w.ResourcePools, one)
	}
	switch {
	case available > 0 && available == len(pools):
		w.ElasticStrength = "Strong"
	case available > 0:
		w.ElasticStrength = "Medium"
	}
	w.TotalStrength = w.ElasticStrength
	return w
}
