package esssim

type vSwitchesReply struct {
	pageHead
	VSwitches struct{ VSwitch []wireVSwitch }
}

type wireVSwitch struct {
	VSwitchID               string `json:"VSwitchId"`
	VSwitchName             string
	ZoneID                  string `json:"ZoneId"`
	VpcID                   string `json:"VpcId"`
	Status                  string
	AvailableIPAddressCount int64 `json:"AvailableIpAddressCount"`
}

func (s *Simulator) describeVSwitches(p parameters) (reply, error) {
	paging, err := p.paging()
	if err != nil {
		return nil, err
	}
	page, err := s.account.VSwitches(p["VSwitchId"], p["ZoneId"], paging)
	if err != nil {
		return nil, err
	}
	answer := &vSwitchesReply{pageHead: headOf(page)}
	answer.VSwitches.VSwitch = []wireVSwitch{}
	for _, v := range page.Items {
		answer.VSwitches.VSwitch = append(answer.VSwitches.VSwitch, wireVSwitch{
			VSwitchID:               v.ID,
			VSwitchName:             v.ID,
			ZoneID:                  v.Zone,
			VpcID:                   "vpc-simulated",
			Status:                  "Available",
			AvailableIPAddressCount: 4000,
		})
	}
	return answer, nil
}
