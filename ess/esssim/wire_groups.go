package esssim

import (
	"maps"
	"slices"
	"strconv"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

// pageHead is the head of a paged answer.
type pageHead struct {
	answered
	TotalCount int
	PageNumber int
	PageSize   int
}

func headOf[T any](p account.Page[T]) pageHead {
	return pageHead{TotalCount: p.Total, PageNumber: p.Number, PageSize: p.Size}
}

type groupsReply struct {
	pageHead
	ScalingGroups struct{ ScalingGroup []wireGroup }
}

type wireGroup struct {
	ScalingGroupID         string `json:"ScalingGroupId"`
	ScalingGroupName       string
	RegionID               string `json:"RegionId"`
	GroupType              string
	LifecycleState         string
	MinSize                int
	MaxSize                int
	EnableDesiredCapacity  bool
	DesiredCapacity        *int `json:",omitempty"`
	TotalInstanceCount     int
	TotalCapacity          int
	ActiveCapacity         int
	PendingCapacity        int
	PendingWaitCapacity    int
	RemovingCapacity       int
	RemovingWaitCapacity   int
	ProtectedCapacity      int
	StandbyCapacity        int
	StoppedCapacity        int
	InitCapacity           int
	SpotCapacity           int
	SystemSuspended        bool
	MultiAZPolicy          string
	ScalingPolicy          string
	HealthCheckType        string
	DefaultCooldown        int
	CompensateWithOnDemand bool
	SpotInstanceRemedy     bool
	OnDemandBaseCapacity   int
	Weighted               bool

	OnDemandPercentageAboveBaseCapacity int

	ActiveScalingConfigurationID string `json:"ActiveScalingConfigurationId,omitempty"`
	LaunchTemplateID             string `json:"LaunchTemplateId,omitempty"`
	LaunchTemplateVersion        string `json:",omitempty"`
	LaunchTemplateOverrides      *wireOverrides
	VSwitchID                    string `json:"VSwitchId"`
	VSwitchIDs                   struct {
		VSwitchID []string `json:"VSwitchId"`
	} `json:"VSwitchIds"`
	SuspendedProcesses struct{ SuspendedProcess []string }
	RemovalPolicies    struct{ RemovalPolicy []string }
	Tags               struct{ Tag []groupTag }
	CreationTime       string
	ModificationTime   string
}

type wireOverrides struct{ LaunchTemplateOverride []wireOverride }

type wireOverride struct {
	InstanceType     string
	WeightedCapacity int     `json:",omitempty"`
	SpotPriceLimit   float64 `json:",omitempty"`
}

// groupTag spells a tag both ways that ESS's answers have.
type groupTag struct {
	Key, Value       string
	TagKey, TagValue string
	Propagate        bool
}

func wireTags(tags map[string]string) []groupTag {
	list := []groupTag{}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, groupTag{Key: key, Value: tags[key], TagKey: key, TagValue: tags[key]})
	}
	return list
}

func (s *Simulator) describeScalingGroups(p parameters) (reply, error) {
	paging, err := p.paging()
	if err != nil {
		return nil, err
	}
	tags, err := p.tags("Tag")
	if err != nil {
		return nil, err
	}
	names := p.list("ScalingGroupName")
	if name := p["ScalingGroupName"]; name != "" {
		names = append(names, name)
	}
	page, err := s.account.Groups(account.GroupQuery{IDs: p.list("ScalingGroupId"), Names: names, Tags: tags, Paging: paging})
	if err != nil {
		return nil, err
	}
	answer := &groupsReply{pageHead: headOf(page)}
	answer.ScalingGroups.ScalingGroup = []wireGroup{}
	for _, g := range page.Items {
		answer.ScalingGroups.ScalingGroup = append(answer.ScalingGroups.ScalingGroup, toWireGroup(g))
	}
	return answer, nil
}

func toWireGroup(g account.Group) wireGroup {
	c := g.Counters
	w := wireGroup{
		ScalingGroupID:               g.ID,
		ScalingGroupName:             g.Name,
		RegionID:                     g.Region,
		GroupType:                    "ECS",
		LifecycleState:               string(g.Lifecycle),
		MinSize:                      g.Min,
		MaxSize:                      g.Max,
		EnableDesiredCapacity:        g.ExpectedNumberMode,
		TotalInstanceCount:           c.Total(),
		TotalCapacity:                g.Capacity.Total(),
		ActiveCapacity:               c.InService,
		PendingCapacity:              c.Pending,
		PendingWaitCapacity:          c.PendingWait,
		RemovingCapacity:             c.Removing,
		RemovingWaitCapacity:         c.RemovingWait,
		ProtectedCapacity:            c.Protected,
		StandbyCapacity:              c.Standby,
		StoppedCapacity:              c.Stopped,
		SpotCapacity:                 g.Spot,
		SystemSuspended:              slices.Contains(g.Suspended, "System"),
		MultiAZPolicy:                string(g.MultiAZPolicy),
		ScalingPolicy:                string(g.ScalingPolicy),
		HealthCheckType:              string(g.HealthCheck),
		CompensateWithOnDemand:       g.CompensateWithOnDemand,
		SpotInstanceRemedy:           g.SpotInstanceRemedy,
		OnDemandBaseCapacity:         g.OnDemandBase,
		Weighted:                     g.Weighted,
		DefaultCooldown:              300,
		ActiveScalingConfigurationID: g.ScalingConfigurationID,
		LaunchTemplateID:             g.LaunchTemplateID,
		LaunchTemplateVersion:        g.LaunchTemplateVersion,
		VSwitchID:                    g.VSwitchIDs[0],
		CreationTime:                 toMinute(g.Created),
		ModificationTime:             toMinute(g.Modified),
	}
	if g.ExpectedNumberMode {
		w.DesiredCapacity = &g.Desired
	}
	w.OnDemandPercentageAboveBaseCapacity = g.OnDemandPercent
	if len(g.Overrides) > 0 {
		w.LaunchTemplateOverrides = &wireOverrides{}
		for _, t := range g.Overrides {
			w.LaunchTemplateOverrides.LaunchTemplateOverride = append(w.LaunchTemplateOverrides.LaunchTemplateOverride, wireOverride{t, g.Weights[t], g.PriceLimits[t]})
		}
	}
	w.VSwitchIDs.VSwitchID = g.VSwitchIDs
	w.SuspendedProcesses.SuspendedProcess = slices.DeleteFunc(slices.Clone(g.Suspended), func(process string) bool { return process == "System" })
	w.RemovalPolicies.RemovalPolicy = []string{"OldestScalingConfiguration", "OldestInstance"}
	w.Tags.Tag = wireTags(g.Tags)
	return w
}

type configurationsReply struct {
	answered
	// ESS's own sample answers of this API have their numbers as strings.
	TotalCount            string
	PageNumber            string
	PageSize              string
	ScalingConfigurations struct{ ScalingConfiguration []wireConfiguration }
}

type wireConfiguration struct {
	ScalingConfigurationID   string `json:"ScalingConfigurationId"`
	ScalingConfigurationName string
	ScalingGroupID           string `json:"ScalingGroupId"`
	LifecycleState           string
	InstanceType             string
	InstanceTypes            struct{ InstanceType []string }
	SpotStrategy             string
	SystemDiskCategory       string
	SystemDiskSize           int `json:",omitempty"`
	UserData                 string
	IoOptimized              string
	Tags                     struct{ Tag []groupTag }
	CreationTime             string
}

func (s *Simulator) describeScalingConfigurations(p parameters) (reply, error) {
	paging, err := p.paging()
	if err != nil {
		return nil, err
	}
	page, err := s.account.ScalingConfigurations(account.ConfigurationQuery{
		GroupID: p["ScalingGroupId"],
		IDs:     p.list("ScalingConfigurationId"),
		Names:   p.list("ScalingConfigurationName"),
		Paging:  paging,
	})
	if err != nil {
		return nil, err
	}
	answer := &configurationsReply{
		TotalCount: strconv.Itoa(page.Total),
		PageNumber: strconv.Itoa(page.Number),
		PageSize:   strconv.Itoa(page.Size),
	}
	answer.ScalingConfigurations.ScalingConfiguration = []wireConfiguration{}
	for _, c := range page.Items {
		w := wireConfiguration{
			ScalingConfigurationID:   c.ID,
			ScalingConfigurationName: c.Name,
			ScalingGroupID:           c.GroupID,
			LifecycleState:           "Active",
			InstanceType:             c.InstanceTypes[0],
			SpotStrategy:             string(c.SpotStrategy),
			SystemDiskCategory:       "cloud_essd",
			SystemDiskSize:           c.SystemDiskGiB,
			UserData:                 encodeUserData(c.UserData),
			IoOptimized:              "optimized",
			CreationTime:             toMinute(c.Created),
		}
		w.InstanceTypes.InstanceType = c.InstanceTypes
		w.Tags.Tag = wireTags(c.Tags)
		answer.ScalingConfigurations.ScalingConfiguration = append(answer.ScalingConfigurations.ScalingConfiguration, w)
	}
	return answer, nil
}
