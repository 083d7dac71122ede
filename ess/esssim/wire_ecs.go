package esssim

import (
	"encoding/base64"
	"encoding/json"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

type typesReply struct {
	answered
	NextToken     string
	InstanceTypes struct{ InstanceType []wireType }
}

type wireType struct {
	InstanceTypeID              string `json:"InstanceTypeId"`
	InstanceTypeFamily          string
	CPUCoreCount                int `json:"CpuCoreCount"`
	MemorySize                  float64
	CPUArchitecture             string `json:"CpuArchitecture"`
	EniQuantity                 int
	EniPrivateIPAddressQuantity int `json:"EniPrivateIpAddressQuantity"`
	GPUAmount                   int
	GPUSpec                     string
	LocalStorageCategory        string
}

func (s *Simulator) describeInstanceTypes(p parameters) (reply, error) {
	size, err := p.number("MaxResults")
	if err != nil {
		return nil, err
	}
	token, err := decodeNextToken(p)
	if err != nil {
		return nil, err
	}
	page, err := s.account.InstanceTypes(p.list("InstanceTypes"), token, size)
	if err != nil {
		return nil, err
	}
	answer := &typesReply{NextToken: encodeNextToken(page.Next)}
	answer.InstanceTypes.InstanceType = []wireType{}
	for _, t := range page.Items {
		answer.InstanceTypes.InstanceType = append(answer.InstanceTypes.InstanceType, wireType{
			InstanceTypeID:              t.Name,
			InstanceTypeFamily:          familyOf(t.Name),
			CPUCoreCount:                t.CPUs,
			MemorySize:                  t.MemoryGiB,
			CPUArchitecture:             t.Arch,
			EniQuantity:                 t.ENIs,
			EniPrivateIPAddressQuantity: t.IPsPerENI,
			GPUAmount:                   t.GPUs,
			GPUSpec:                     t.GPUModel,
		})
	}
	return answer, nil
}

// familyOf cuts the size off a type's name: ecs.c7 of ecs.c7.2xlarge.
func familyOf(name string) string {
	for i := len(name) - 1; i > 0; i-- {
		if name[i] == '.' {
			return name[:i]
		}
	}
	return name
}

// Next tokens are opaque to the client.
func encodeNextToken(position string) string {
	if position == "" {
		return ""
	}
	return base64.URLEncoding.EncodeToString([]byte("next:" + position))
}

func decodeNextToken(p parameters) (string, error) {
	token := p["NextToken"]
	if token == "" {
		return "", nil
	}
	data, err := base64.URLEncoding.DecodeString(token)
	const prefix = "next:"
	if err != nil || len(data) <= len(prefix) || string(data[:len(prefix)]) != prefix {
		return "", account.ErrInvalid("NextToken", "it was not issued by this API")
	}
	return string(data[len(prefix):]), nil
}

type ecsInstancesReply struct {
	pageHead
	NextToken string
	Instances struct{ Instance []wireECSInstance }
}

type wireECSInstance struct {
	InstanceID         string `json:"InstanceId"`
	InstanceName       string
	InstanceType       string
	InstanceTypeFamily string
	RegionID           string `json:"RegionId"`
	ZoneID             string `json:"ZoneId"`
	Status             string
	CPU                int `json:"Cpu"`
	Memory             int // MiB
	GPUAmount          int
	GPUSpec            string
	InstanceChargeType string
	SpotStrategy       string
	CreationTime       string
	StartTime          string
	VpcAttributes      struct {
		VSwitchID        string `json:"VSwitchId"`
		PrivateIPAddress struct {
			IPAddress []string `json:"IpAddress"`
		} `json:"PrivateIpAddress"`
	}
	OperationLocks struct{ LockReason []wireLock }
	Tags           struct{ Tag []ecsTag }
}

type wireLock struct{ LockReason string }

type ecsTag struct{ TagKey, TagValue string }

func (s *Simulator) describeInstances(p parameters) (reply, error) {
	query := account.ECSQuery{Type: p["InstanceType"], Zone: p["ZoneId"]}
	var err error
	if query.Paging, err = p.paging(); err != nil {
		return nil, err
	}
	if query.MaxResults, err = p.number("MaxResults"); err != nil {
		return nil, err
	}
	if query.NextToken, err = decodeNextToken(p); err != nil {
		return nil, err
	}
	if text := p["InstanceIds"]; text != "" {
		if err := json.Unmarshal([]byte(text), &query.IDs); err != nil {
			return nil, account.ErrInvalid("InstanceIds", "it is not a JSON array of strings")
		}
		if len(query.IDs) == 0 {
			return nil, account.ErrInvalid("InstanceIds", "it is empty")
		}
	}
	page, err := s.account.ECSInstances(query)
	if err != nil {
		return nil, err
	}
	answer := &ecsInstancesReply{pageHead: headOf(page.Page), NextToken: encodeNextToken(page.Next)}
	answer.Instances.Instance = []wireECSInstance{}
	for _, i := range page.Items {
		answer.Instances.Instance = append(answer.Instances.Instance, toECSInstance(i, s.account.Region()))
	}
	return answer, nil
}

// ecsStatus is the machine's own status, which its group's state hides.
func ecsStatus(state account.InstanceState) string {
	switch state {
	case account.Pending, account.PendingWait:
		return "Starting"
	case account.Removing, account.RemovingWait:
		return "Stopping"
	case account.Stopped:
		return "Stopped"
	}
	return "Running"
}

func toECSInstance(i account.Instance, region string) wireECSInstance {
	w := wireECSInstance{
		InstanceID:         i.ID,
		InstanceName:       i.ID,
		InstanceType:       i.Type.Name,
		InstanceTypeFamily: familyOf(i.Type.Name),
		RegionID:           region,
		ZoneID:             i.Zone,
		Status:             ecsStatus(i.State),
		CPU:                i.Type.CPUs,
		Memory:             int(i.Type.MemoryGiB * 1024),
		GPUAmount:          i.Type.GPUs,
		GPUSpec:            i.Type.GPUModel,
		InstanceChargeType: "PostPaid",
		SpotStrategy:       string(i.SpotStrategy),
		CreationTime:       toMinute(i.Created),
		StartTime:          toMinute(i.Created),
	}
	w.VpcAttributes.VSwitchID = i.VSwitchID
	w.VpcAttributes.PrivateIPAddress.IPAddress = []string{i.Address}
	w.OperationLocks.LockReason = []wireLock{}
	if i.Reclaiming {
		w.OperationLocks.LockReason = append(w.OperationLocks.LockReason, wireLock{"Recycling"})
	}
	w.Tags.Tag = []ecsTag{}
	for _, t := range wireTags(i.Tags) {
		w.Tags.Tag = append(w.Tags.Tag, ecsTag{t.Key, t.Value})
	}
	return w
}
