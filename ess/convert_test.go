package ess

import (
	"testing"
	"time"

	sdkecs "github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"
	sdkess "github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
)

func TestToTime(t *testing.T) {
	assert.Equal(t, time.Date(2020, 12, 21, 3, 11, 0, 0, time.UTC), toTime("2020-12-21T03:11:00Z"))
	assert.Equal(t, time.Date(2020, 9, 10, 9, 54, 0, 0, time.UTC), toTime("2020-09-10T09:54Z"))
	assert.Equal(t, time.Date(2020, 9, 10, 1, 54, 0, 0, time.UTC), toTime("2020-09-10T09:54:00+08:00"))
	assert.True(t, toTime("").IsZero())
	assert.True(t, toTime("yesterday").IsZero())
}

func TestToGroup(t *testing.T) {
	g := toGroup(sdkess.ScalingGroup{
		ScalingGroupId: "asg-a", TotalCapacity: 12, TotalInstanceCount: 3, Weighted: true, DesiredCapacity: 14, EnableDesiredCapacity: true,
		SystemSuspended: true, SuspendedProcesses: sdkess.SuspendedProcesses{SuspendedProcess: []string{"ScaleOut"}},
		ScalingPolicy: "forcerecycle", SpotInstanceRemedy: true, VSwitchId: "vsw-old",
		ActiveCapacity: 1, PendingCapacity: 2, PendingWaitCapacity: 3, RemovingCapacity: 4, RemovingWaitCapacity: 5,
		ProtectedCapacity: 6, StandbyCapacity: 7, StoppedCapacity: 8,
		Tags: sdkess.TagsInDescribeScalingGroups{Tag: []sdkess.Tag{{TagKey: "a", TagValue: "b"}, {Key: "c", Value: "d"}}},
		LaunchTemplateOverrides: sdkess.LaunchTemplateOverrides{LaunchTemplateOverride: []sdkess.LaunchTemplateOverride{
			{InstanceType: "ecs.b"}, {InstanceType: "ecs.a"},
		}},
	})
	assert.Equal(t, cloudprovider.Counters{Total: 3, Active: 1, Pending: 2, PendingWait: 3, Removing: 4, RemovingWait: 5, Protected: 6, Standby: 7, Stopped: 8}, g.Counters)
	assert.Equal(t, 14, g.Desired)
	assert.Equal(t, []string{"ScaleOut", "System"}, g.Suspended)
	assert.True(t, g.Recycles)
	assert.True(t, g.ReplacesSpot)
	assert.Equal(t, []string{"vsw-old"}, g.VSwitchIDs)
	assert.Equal(t, map[string]string{"a": "b", "c": "d"}, g.Tags)
	assert.Equal(t, []string{"ecs.b", "ecs.a"}, g.InstanceTypes)

	classic := toGroup(sdkess.ScalingGroup{TotalCapacity: 5, DesiredCapacity: 9, VSwitchId: "vsw-a", VSwitchIds: sdkess.VSwitchIdsInDescribeScalingGroups{VSwitchId: []string{"vsw-b", "vsw-a"}}})
	assert.Equal(t, 5, classic.Desired)
	assert.Equal(t, 5, classic.Counters.Total)
	assert.Equal(t, []string{"vsw-b", "vsw-a"}, classic.VSwitchIDs)
}

func TestToInstance(t *testing.T) {
	assert.Equal(t, cloudprovider.Instance{
		ID: "i-a", GroupID: "asg-a", Lifecycle: cloudprovider.PendingWait, Type: "ecs.a", Zone: "z", Spot: true, ActivityID: "asa-a",
		Created: time.Date(2020, 12, 21, 3, 11, 0, 0, time.UTC),
	}, toInstance(sdkess.ScalingInstance{
		InstanceId: "i-a", ScalingGroupId: "asg-a", LifecycleState: "Pending:Wait", HealthStatus: "Unhealthy", InstanceType: "ecs.a", ZoneId: "z",
		SpotStrategy: "SpotWithPriceLimit", ScalingActivityId: "asa-a", CreationTime: "2020-12-21T03:11Z", CreationType: "Attached",
	}))
}

func TestRequested(t *testing.T) {
	cause := func(from, to string) string {
		return `A user requests to execute scaling rule "asr-a", changing the Total Capacity from "` + from + `" to "` + to + `".`
	}
	for name, test := range map[string]struct {
		activity sdkess.ScalingActivity
		want     int
	}{
		"added":                      {sdkess.ScalingActivity{ScalingInstanceNumber: 3, CreatedCapacity: 2}, 3},
		"started":                    {sdkess.ScalingActivity{ScalingInstanceNumber: 3, StartedCapacity: 3}, 3},
		"removed":                    {sdkess.ScalingActivity{ScalingInstanceNumber: 3, DestroyedCapacity: 3}, -3},
		"stopped":                    {sdkess.ScalingActivity{ScalingInstanceNumber: 3, StoppedCapacity: 3}, -3},
		"says add":                   {sdkess.ScalingActivity{ScalingInstanceNumber: 3, Description: `Add "3" ECS instance`, Cause: cause("5", "2")}, 3},
		"says remove":                {sdkess.ScalingActivity{ScalingInstanceNumber: 3, Description: `Remove "3" ECS instance`}, -3},
		"says nothing, cause up":     {sdkess.ScalingActivity{ScalingInstanceNumber: 3, Cause: cause("2", "5")}, 3},
		"says nothing, cause down":   {sdkess.ScalingActivity{ScalingInstanceNumber: 3, Cause: cause("5", "2")}, -3},
		"failed before it counted":   {sdkess.ScalingActivity{StatusCode: "Failed", Cause: cause("2", "5")}, 3},
		"only moved the number":      {sdkess.ScalingActivity{StatusCode: "Successful", Cause: cause("2", "5")}, 0},
		"says nothing at all":        {sdkess.ScalingActivity{ScalingInstanceNumber: 3}, 3},
		"failed, with no cause told": {sdkess.ScalingActivity{StatusCode: "Failed"}, 0},
	} {
		assert.Equal(t, test.want, requested(test.activity), name)
	}
}

func TestToFailure(t *testing.T) {
	items := func(codes ...string) (messages sdkess.ErrorMessages) {
		for _, code := range codes {
			messages.ErrorMessagesItem = append(messages.ErrorMessagesItem, sdkess.ErrorMessagesItem{Code: code, Message: "about " + code})
		}
		return messages
	}
	for name, test := range map[string]struct {
		activity sdkess.ScalingActivity
		class    cloudprovider.FailureClass
		code     string
		message  string
	}{
		"one code": {sdkess.ScalingActivity{StatusCode: "Failed", ErrorCode: "OperationDenied.NoStock", ErrorMessage: "none left"},
			cloudprovider.OutOfResources, "OperationDenied.NoStock", "none left"},
		"in the list only": {sdkess.ScalingActivity{StatusCode: "Warning", ErrorMessages: items("QuotaExceed.ElasticQuota")},
			cloudprovider.OutOfResources, "QuotaExceed.ElasticQuota", "about QuotaExceed.ElasticQuota"},
		"stock beats another": {sdkess.ScalingActivity{StatusCode: "Failed", ErrorCode: "InvalidParameter", ErrorMessages: items("InvalidParameter", "NoInstanceStock")},
			cloudprovider.OutOfResources, "NoInstanceStock", "about NoInstanceStock"},
		"the first of the same class": {sdkess.ScalingActivity{StatusCode: "Failed", ErrorMessages: items("Zone.NotOnSale", "NoInstanceStock")},
			cloudprovider.OutOfResources, "Zone.NotOnSale", "about Zone.NotOnSale"},
		"no code": {sdkess.ScalingActivity{StatusCode: "Rejected", StatusMessage: "busy"},
			cloudprovider.OtherFailure, "Rejected", "busy"},
	} {
		f := toFailure(test.activity)
		require.NotNil(t, f, name)
		assert.Equal(t, cloudprovider.Failure{Class: test.class, Code: test.code, Message: test.message}, *f, name)
	}
	for _, status := range []string{"Successful", "InProgress"} {
		assert.Nil(t, toFailure(sdkess.ScalingActivity{StatusCode: status, ErrorCode: "OperationDenied.NoStock"}), status)
	}
}

func TestToInstanceType(t *testing.T) {
	assert.Equal(t, cloudprovider.InstanceType{Name: "ecs.c8y.large", CPUs: 2, MemoryGiB: 3.75, Arch: "arm64", ENIs: 2, IPsPerENI: 6},
		toInstanceType(sdkecs.InstanceType{InstanceTypeId: "ecs.c8y.large", CpuCoreCount: 2, MemorySize: 3.75, CpuArchitecture: "ARM", EniQuantity: 2, EniPrivateIpAddressQuantity: 6}))
	assert.Equal(t, "amd64", toInstanceType(sdkecs.InstanceType{CpuArchitecture: "X86"}).Arch)
}

func TestDecodeUserData(t *testing.T) {
	assert.Equal(t, "#!/bin/sh\n", decodeUserData("IyEvYmluL3NoCg=="))
	assert.Equal(t, "#!/bin/sh", decodeUserData("#!/bin/sh"))
	assert.Empty(t, decodeUserData(""))
}

func TestLaunchTemplateVersions(t *testing.T) {
	versions := answer(200, `{"RequestId":"R","TotalCount":3,"LaunchTemplateVersionSets":{"LaunchTemplateVersionSet":[
		{"LaunchTemplateId":"lt-a","VersionNumber":2,"LaunchTemplateData":{"InstanceType":"ecs.two"}},
		{"LaunchTemplateId":"lt-a","VersionNumber":10,"LaunchTemplateData":{"InstanceType":"ecs.ten","SpotStrategy":"SpotAsPriceGo","SystemDisk.Size":40}},
		{"LaunchTemplateId":"lt-a","VersionNumber":9,"LaunchTemplateData":{"InstanceType":"ecs.nine"}}]}}`)
	for version, asks := range map[string]map[string]string{
		"Latest":  {"DefaultVersion": "", "LaunchTemplateVersion.1": ""},
		"Default": {"DefaultVersion": "true", "LaunchTemplateVersion.1": ""},
		"":        {"DefaultVersion": "true", "LaunchTemplateVersion.1": ""},
		"10":      {"DefaultVersion": "", "LaunchTemplateVersion.1": "10"},
	} {
		c, s := scripted(t, nil, versions)
		launch, err := c.Launch(t.Context(), cloudprovider.ScalingGroup{ID: "asg-a", LaunchTemplateID: "lt-a", LaunchTemplateVersion: version})
		require.NoError(t, err)
		assert.Equal(t, cloudprovider.Launch{
			Source: "launch template lt-a version 10", InstanceTypes: []string{"ecs.ten"}, SystemDiskGiB: 40, SpotStrategy: "SpotAsPriceGo", Tags: map[string]string{},
		}, launch)
		for name, want := range asks {
			assert.Equal(t, want, s.asked[0].URL.Query().Get(name), "%s of version %q", name, version)
		}
	}
}

func TestLaunchWithoutAnInstanceType(t *testing.T) {
	c, _ := scripted(t, nil, answer(200, `{"RequestId":"R","ScalingConfigurations":{"ScalingConfiguration":[{"ScalingConfigurationId":"asc-a"}]}}`))
	_, err := c.Launch(t.Context(), cloudprovider.ScalingGroup{ID: "asg-a", ScalingConfigurationID: "asc-a"})
	require.ErrorIs(t, err, cloudprovider.ErrNoTemplate)
	assert.ErrorContains(t, err, "asc-a")
}
