package config

import (
	"context"
	"fmt"
	"maps"

	"github.com/buildpool/buildpool/cloudprovider"
)

// account is a small cloud account: scaling groups, what they launch, and the
// instance types of the region. The writing half is never called by Compare.
type account struct {
	cloudprovider.GroupWriter
	groups   []cloudprovider.ScalingGroup
	launches map[string]cloudprovider.Launch
	types    map[string]cloudprovider.InstanceType
	// failing makes the named call fail.
	failing map[string]error
	// calls are counted by name.
	calls map[string]int
}

var _ cloudprovider.Cloud = (*account)(nil)

func (a *account) count(call string) error {
	a.calls[call]++
	return a.failing[call]
}

func (a *account) Groups(_ context.Context, ids []string) ([]cloudprovider.ScalingGroup, error) {
	var found []cloudprovider.ScalingGroup
	for _, g := range a.groups {
		if contains(ids, g.ID) {
			found = append(found, g)
		}
	}
	return found, a.count("Groups")
}

func (a *account) GroupsByTags(_ context.Context, tags map[string]string) ([]cloudprovider.ScalingGroup, error) {
	var found []cloudprovider.ScalingGroup
	for _, g := range a.groups {
		merged := maps.Clone(g.Tags)
		if merged == nil {
			merged = map[string]string{}
		}
		maps.Copy(merged, tags)
		if maps.Equal(merged, g.Tags) {
			found = append(found, g)
		}
	}
	return found, a.count("GroupsByTags")
}

func (a *account) Instances(context.Context, string) ([]cloudprovider.Instance, error) {
	return nil, a.count("Instances")
}

func (a *account) ReclaimNotices(context.Context, []string) ([]string, error) {
	return nil, a.count("ReclaimNotices")
}

func (a *account) DetachInstances(context.Context, cloudprovider.DetachInstances) (string, error) {
	return "", a.count("DetachInstances")
}

func (a *account) Activities(context.Context, string) ([]cloudprovider.Activity, error) {
	return nil, a.count("Activities")
}

func (a *account) Launch(_ context.Context, g cloudprovider.ScalingGroup) (cloudprovider.Launch, error) {
	if err := a.count("Launch"); err != nil {
		return cloudprovider.Launch{}, err
	}
	l, ok := a.launches[g.ID]
	if !ok {
		return l, fmt.Errorf("group %s: %w", g.ID, cloudprovider.ErrNoTemplate)
	}
	return l, nil
}

func (a *account) InstanceTypes(_ context.Context, names []string) ([]cloudprovider.InstanceType, error) {
	var found []cloudprovider.InstanceType
	for _, name := range names {
		t, ok := a.types[name]
		if !ok {
			return nil, fmt.Errorf("instance type %s: %w", name, cloudprovider.ErrNoTemplate)
		}
		found = append(found, t)
	}
	return found, a.count("InstanceTypes")
}

// goodAccount is the account that liveFile describes, without a difference.
func goodAccount() *account {
	group := func(id string) cloudprovider.ScalingGroup {
		return cloudprovider.ScalingGroup{
			ID: id, Region: "cn-hangzhou", Lifecycle: cloudprovider.GroupActive,
			Min: 1, Max: 10, ExpectedNumberMode: true, Desired: 10,
		}
	}
	launch := func(class, types string) cloudprovider.Launch {
		return cloudprovider.Launch{
			Source: "asc-" + class, InstanceTypes: []string{types}, SpotStrategy: cloudprovider.NoSpot,
			UserData: fmt.Sprintf("kubelet --node-labels=buildpool.io/class=%s,team=ci --register-with-taints=class=%s:NoSchedule,node.cloudprovider.kubernetes.io/uninitialized=true:NoSchedule", class, class),
		}
	}
	spot := group("asg-spot")
	spot.Tags = map[string]string{"buildpool": "spot", "owner": "ci"}
	spotLaunch := launch("spot", "ecs.c7.2xlarge")
	spotLaunch.SpotStrategy = "SpotAsPriceGo"
	return &account{
		groups: []cloudprovider.ScalingGroup{group("asg-normal"), group("asg-gpu"), spot},
		launches: map[string]cloudprovider.Launch{
			"asg-normal": launch("normal", "ecs.c7.2xlarge"),
			"asg-gpu":    launch("gpu", "ecs.gn7i.2xlarge"),
			"asg-spot":   spotLaunch,
		},
		types: map[string]cloudprovider.InstanceType{
			"ecs.c7.xlarge":    {Name: "ecs.c7.xlarge", CPUs: 4, MemoryGiB: 8, Arch: "amd64"},
			"ecs.c7.2xlarge":   {Name: "ecs.c7.2xlarge", CPUs: 8, MemoryGiB: 16, Arch: "amd64"},
			"ecs.c7a.2xlarge":  {Name: "ecs.c7a.2xlarge", CPUs: 8, MemoryGiB: 16, Arch: "amd64"},
			"ecs.c8y.2xlarge":  {Name: "ecs.c8y.2xlarge", CPUs: 8, MemoryGiB: 16, Arch: "arm64"},
			"ecs.gn7i.2xlarge": {Name: "ecs.gn7i.2xlarge", CPUs: 8, MemoryGiB: 30, Arch: "amd64", GPUs: 1, GPUModel: "NVIDIA A10"},
		},
		failing: map[string]error{},
		calls:   map[string]int{},
	}
}

const liveFile = header + `
defaults: {labels: {team: ci, kubernetes.io/arch: amd64}}
groups:
  - {name: n, class: normal, min: 1, max: 10, scalingGroup: {id: asg-normal}, taints: [{key: class, value: normal, effect: NoSchedule}]}
  - {name: g, class: gpu, min: 1, max: 10, scalingGroup: {id: asg-gpu}, taints: [{key: class, value: gpu, effect: NoSchedule}], template: {gpu: {type: NVIDIA-A10, count: 1}}}
  - {name: s, class: spot, min: 1, max: 10, scalingGroup: {tags: {buildpool: spot}}, taints: [{key: class, value: spot, effect: NoSchedule}]}
`
