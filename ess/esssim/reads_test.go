package esssim_test

import (
	"encoding/base64"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/vpc"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDescribeScalingGroupsShowsAGroup(t *testing.T) {
	g := newWorld(t).group("asg-normal")
	assert.Equal(t, "builds-normal", g.ScalingGroupName)
	assert.Equal(t, "Active", g.LifecycleState)
	assert.Equal(t, []int{1, 700, 3, 3, 3}, []int{g.MinSize, g.MaxSize, g.DesiredCapacity, g.TotalInstanceCount, g.ActiveCapacity})
	assert.True(t, g.EnableDesiredCapacity)
	assert.Equal(t, "asc-normal", g.ActiveScalingConfigurationId)
	assert.Equal(t, []string{"vsw-h", "vsw-i"}, g.VSwitchIds.VSwitchId)
	assert.Equal(t, "vsw-h", g.VSwitchId)
	assert.Equal(t, "PRIORITY", g.MultiAZPolicy)
	assert.Equal(t, "release", g.ScalingPolicy)
	assert.Equal(t, "2026-08-03T15:00Z", g.CreationTime)
	require.Len(t, g.Tags.Tag, 2)
	assert.Equal(t, "buildpool", g.Tags.Tag[0].TagKey)
	assert.Equal(t, "normal", g.Tags.Tag[0].TagValue)
}

func TestDescribeScalingGroupsShowsALaunchTemplate(t *testing.T) {
	g := newWorld(t).group("asg-gpu")
	assert.Empty(t, g.ActiveScalingConfigurationId)
	assert.Equal(t, "lt-gpu", g.LaunchTemplateId)
	assert.Equal(t, "Default", g.LaunchTemplateVersion)
	require.Len(t, g.LaunchTemplateOverrides.LaunchTemplateOverride, 1)
	assert.Equal(t, "ecs.gn7i-c8g1.2xlarge", g.LaunchTemplateOverrides.LaunchTemplateOverride[0].InstanceType)
	assert.Equal(t, []string{"AlarmNotification"}, g.SuspendedProcesses.SuspendedProcess)
	assert.False(t, g.EnableDesiredCapacity)
}

func TestDescribeScalingGroupsFilters(t *testing.T) {
	w := newWorld(t)
	t.Run("unknown IDs are left out", func(t *testing.T) {
		assert.Len(t, w.groups("asg-spot", "asg-nowhere", "asg-off"), 2)
	})
	t.Run("names", func(t *testing.T) {
		r := ess.CreateDescribeScalingGroupsRequest()
		r.ScalingGroupName1, r.ScalingGroupName2 = "builds-gpu", "builds-off"
		answer, err := w.ess().DescribeScalingGroups(r)
		require.NoError(t, err)
		assert.Equal(t, 2, answer.TotalCount)
	})
	t.Run("all tags must be there", func(t *testing.T) {
		r := ess.CreateDescribeScalingGroupsRequest()
		r.Tag = &[]ess.DescribeScalingGroupsTag{{Key: "team", Value: "ci"}, {Key: "buildpool", Value: "spot"}}
		answer, err := w.ess().DescribeScalingGroups(r)
		require.NoError(t, err)
		require.Len(t, answer.ScalingGroups.ScalingGroup, 1)
		assert.Equal(t, "asg-spot", answer.ScalingGroups.ScalingGroup[0].ScalingGroupId)
	})
	t.Run("21 IDs are too many", func(t *testing.T) {
		ids := make([]string, 21)
		for i := range ids {
			ids[i] = "asg-x"
		}
		r := ess.CreateDescribeScalingGroupsRequest()
		r.ScalingGroupId = &ids
		_, err := w.ess().DescribeScalingGroups(r)
		requireCode(t, err, 400, "InvalidParameter")
	})
}

func TestPaging(t *testing.T) {
	w := newWorld(t)
	page := func(number, size string) (*ess.DescribeScalingGroupsResponse, error) {
		r := ess.CreateDescribeScalingGroupsRequest()
		r.PageNumber, r.PageSize = integer(number), integer(size)
		return w.ess().DescribeScalingGroups(r)
	}
	t.Run("defaults", func(t *testing.T) {
		answer, err := page("", "")
		require.NoError(t, err)
		assert.Equal(t, []int{1, 10, 4}, []int{answer.PageNumber, answer.PageSize, answer.TotalCount})
	})
	t.Run("the last page is short and the one after it empty", func(t *testing.T) {
		answer, err := page("2", "3")
		require.NoError(t, err)
		assert.Len(t, answer.ScalingGroups.ScalingGroup, 1)
		answer, err = page("3", "3")
		require.NoError(t, err)
		assert.Empty(t, answer.ScalingGroups.ScalingGroup)
		assert.Equal(t, 4, answer.TotalCount)
	})
	t.Run("limits", func(t *testing.T) {
		_, err := page("1", "50")
		require.NoError(t, err)
		for _, wrong := range [][2]string{{"1", "51"}, {"1", "0"}, {"0", "10"}, {"1", "many"}} {
			_, err := page(wrong[0], wrong[1])
			requireCode(t, err, 400, "InvalidParameter")
		}
	})
	t.Run("instances come by 100 and no more", func(t *testing.T) {
		r := ess.CreateDescribeScalingInstancesRequest()
		r.PageSize = "101"
		_, err := w.ess().DescribeScalingInstances(r)
		requireCode(t, err, 400, "InvalidParameter")
	})
}

func TestDescribeScalingInstancesFilters(t *testing.T) {
	w := newWorld(t)
	_, err := w.scale("asg-normal", "TotalCapacity", "5")
	require.NoError(t, err)
	w.pass(time.Second)
	all := w.instances("asg-normal")
	require.Len(t, all, 5)
	assert.Equal(t, "InService", all[0].LifecycleState)
	assert.Equal(t, "Healthy", all[0].HealthStatus)
	assert.Equal(t, "AutoCreated", all[0].CreationType)
	assert.Equal(t, "ecs.c7.2xlarge", all[0].InstanceType)
	assert.Equal(t, "cn-hangzhou-h", all[0].ZoneId)
	assert.Equal(t, "NoSpot", all[0].SpotStrategy)
	assert.Equal(t, "2026-08-03T14:00:00Z", all[0].CreatedTime)
	assert.NotEmpty(t, all[4].ScalingActivityId)

	filter := func(set func(*ess.DescribeScalingInstancesRequest)) int {
		r := ess.CreateDescribeScalingInstancesRequest()
		set(r)
		answer, err := w.ess().DescribeScalingInstances(r)
		require.NoError(t, err)
		return answer.TotalCount
	}
	assert.Equal(t, 2, filter(func(r *ess.DescribeScalingInstancesRequest) { r.LifecycleState = "Pending" }))
	assert.Equal(t, 5, filter(func(r *ess.DescribeScalingInstancesRequest) { r.LifecycleStates = &[]string{"Pending", "InService"} }))
	assert.Equal(t, 2, filter(func(r *ess.DescribeScalingInstancesRequest) { r.ScalingActivityId = all[4].ScalingActivityId }))
	assert.Equal(t, 1, filter(func(r *ess.DescribeScalingInstancesRequest) { r.InstanceId = &[]string{all[1].InstanceId, "i-gone"} }))
	assert.Equal(t, 0, filter(func(r *ess.DescribeScalingInstancesRequest) { r.HealthStatus = "Unhealthy" }))
	assert.Equal(t, 0, filter(func(r *ess.DescribeScalingInstancesRequest) { r.ScalingGroupId = "asg-nowhere" }))
}

func TestDescribeScalingConfigurations(t *testing.T) {
	r := ess.CreateDescribeScalingConfigurationsRequest()
	r.ScalingConfigurationId = &[]string{"asc-spot", "asc-nowhere"}
	answer, err := newWorld(t).ess().DescribeScalingConfigurations(r)
	require.NoError(t, err)
	assert.Equal(t, 1, answer.TotalCount)
	require.Len(t, answer.ScalingConfigurations.ScalingConfiguration, 1)
	c := answer.ScalingConfigurations.ScalingConfiguration[0]
	assert.Equal(t, "asg-spot", c.ScalingGroupId)
	assert.Equal(t, []string{"ecs.c7.2xlarge"}, c.InstanceTypes.InstanceType)
	assert.Equal(t, "SpotAsPriceGo", c.SpotStrategy)
	assert.Equal(t, 120, c.SystemDiskSize)
	userData, err := base64.StdEncoding.DecodeString(c.UserData)
	require.NoError(t, err)
	assert.Equal(t, "KUBELET_EXTRA_ARGS=--max-pods=110", string(userData))
	assert.Equal(t, "class", c.Tags.Tag[0].Key)
}

func TestDescribeElasticStrengthFollowsStock(t *testing.T) {
	w := newWorld(t)
	strength := func() string {
		r := ess.CreateDescribeElasticStrengthRequest()
		r.ScalingGroupIds = &[]string{"asg-spot"}
		answer, err := w.ess().DescribeElasticStrength(r)
		require.NoError(t, err)
		require.Len(t, answer.ElasticStrengthModels, 1)
		require.Len(t, answer.ElasticStrengthModels[0].ResourcePools, 2)
		return answer.ElasticStrengthModels[0].ElasticStrength
	}
	assert.Equal(t, "Strong", strength())
	require.NoError(t, w.sim.SetStock("cn-hangzhou-h", "ecs.c7.2xlarge", "spot", 0))
	assert.Equal(t, "Medium", strength())
	require.NoError(t, w.sim.SetStock("cn-hangzhou-i", "ecs.c7.2xlarge", "spot", 0))
	assert.Equal(t, "Weak", strength())
}

func TestDescribeInstanceTypes(t *testing.T) {
	w := newWorld(t)
	t.Run("by name", func(t *testing.T) {
		r := ecs.CreateDescribeInstanceTypesRequest()
		r.InstanceTypes = &[]string{"ecs.gn7i-c8g1.2xlarge", "ecs.c8y.2xlarge", "ecs.nosuch"}
		answer, err := w.ecs().DescribeInstanceTypes(r)
		require.NoError(t, err)
		types := answer.InstanceTypes.InstanceType
		require.Len(t, types, 2)
		assert.Equal(t, "ARM", types[0].CpuArchitecture)
		gpu := types[1]
		assert.Equal(t, []int{8, 4, 15, 1}, []int{gpu.CpuCoreCount, gpu.EniQuantity, gpu.EniPrivateIpAddressQuantity, gpu.GPUAmount})
		assert.InDelta(t, 30, gpu.MemorySize, 0)
		assert.Equal(t, "NVIDIA A10", gpu.GPUSpec)
		assert.Equal(t, "ecs.gn7i-c8g1", gpu.InstanceTypeFamily)
	})
	t.Run("by token", func(t *testing.T) {
		var names []string
		token := ""
		for {
			r := ecs.CreateDescribeInstanceTypesRequest()
			r.MaxResults, r.NextToken = "2", token
			answer, err := w.ecs().DescribeInstanceTypes(r)
			require.NoError(t, err)
			for _, one := range answer.InstanceTypes.InstanceType {
				names = append(names, one.InstanceTypeId)
			}
			if token = answer.NextToken; token == "" {
				break
			}
		}
		assert.Equal(t, []string{"ecs.c7.2xlarge", "ecs.c8y.2xlarge", "ecs.gn7i-c8g1.2xlarge"}, names)
	})
	t.Run("11 names are too many", func(t *testing.T) {
		r := ecs.CreateDescribeInstanceTypesRequest()
		names := []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"}
		r.InstanceTypes = &names
		_, err := w.ecs().DescribeInstanceTypes(r)
		requireCode(t, err, 400, "InvalidParameter")
	})
}

func TestDescribeLaunchTemplateVersions(t *testing.T) {
	w := newWorld(t)
	versions := func(wanted ...string) []ecs.LaunchTemplateVersionSet {
		r := ecs.CreateDescribeLaunchTemplateVersionsRequest()
		r.LaunchTemplateId = "lt-gpu"
		if len(wanted) > 0 {
			r.LaunchTemplateVersion = &wanted
		}
		answer, err := w.ecs().DescribeLaunchTemplateVersions(r)
		require.NoError(t, err)
		return answer.LaunchTemplateVersionSets.LaunchTemplateVersionSet
	}
	assert.Len(t, versions(), 3)
	standard := versions("Default")
	require.Len(t, standard, 1)
	assert.EqualValues(t, 2, standard[0].VersionNumber)
	assert.True(t, standard[0].DefaultVersion)
	assert.Equal(t, 200, standard[0].LaunchTemplateData.SystemDiskSize)
	latest := versions("Latest")
	require.Len(t, latest, 1)
	assert.EqualValues(t, 3, latest[0].VersionNumber)
	first := versions("1")
	require.Len(t, first, 1)
	assert.Equal(t, base64.StdEncoding.EncodeToString([]byte("one")), first[0].LaunchTemplateData.UserData)
	assert.Equal(t, []ecs.InstanceTag{{Key: "team", Value: "ci"}}, first[0].LaunchTemplateData.Tags.InstanceTag)
}

func TestDescribeInstances(t *testing.T) {
	w := newWorld(t)
	all := w.instances("asg-normal")
	r := ecs.CreateDescribeInstancesRequest()
	r.InstanceIds = `["` + all[0].InstanceId + `","i-gone"]`
	answer, err := w.ecs().DescribeInstances(r)
	require.NoError(t, err)
	require.Len(t, answer.Instances.Instance, 1)
	i := answer.Instances.Instance[0]
	assert.Equal(t, "Running", i.Status)
	assert.Equal(t, 8, i.Cpu)
	assert.Equal(t, 16384, i.Memory)
	assert.Equal(t, "PostPaid", i.InstanceChargeType)
	assert.Empty(t, i.OperationLocks.LockReason)

	var seen int
	token := ""
	for {
		r := ecs.CreateDescribeInstancesRequest()
		r.MaxResults, r.NextToken = "2", token
		answer, err := w.ecs().DescribeInstances(r)
		require.NoError(t, err)
		seen += len(answer.Instances.Instance)
		if token = answer.NextToken; token == "" {
			break
		}
	}
	assert.Equal(t, 3, seen)

	r = ecs.CreateDescribeInstancesRequest()
	r.InstanceIds = "i-not-json"
	_, err = w.ecs().DescribeInstances(r)
	requireCode(t, err, 400, "InvalidParameter")
}

func TestPrices(t *testing.T) {
	w := newWorld(t)
	r := ecs.CreateDescribePriceRequest()
	r.InstanceType, r.SpotStrategy = "ecs.c7.2xlarge", "SpotAsPriceGo"
	answer, err := w.ecs().DescribePrice(r)
	require.NoError(t, err)
	assert.InDelta(t, 1.6308, answer.PriceInfo.Price.OriginalPrice, 1e-9)
	assert.InDelta(t, 0.2, answer.PriceInfo.Price.TradePrice, 1e-9)
	assert.Equal(t, "CNY", answer.PriceInfo.Price.Currency)

	h := ecs.CreateDescribeSpotPriceHistoryRequest()
	h.InstanceType, h.ZoneId = "ecs.c7.2xlarge", "cn-hangzhou-h"
	h.StartTime, h.EndTime = "2026-08-03T10:00:00Z", "2026-08-03T12:00:00Z"
	history, err := w.ecs().DescribeSpotPriceHistory(h)
	require.NoError(t, err)
	require.Len(t, history.SpotPrices.SpotPriceType, 3)
	assert.InDelta(t, 0.2, history.SpotPrices.SpotPriceType[0].SpotPrice, 1e-9)
	assert.Equal(t, "2026-08-03T10:00:00Z", history.SpotPrices.SpotPriceType[0].Timestamp)
	assert.Zero(t, history.NextOffset)
}

func TestDescribeVSwitches(t *testing.T) {
	r := vpc.CreateDescribeVSwitchesRequest()
	r.VSwitchId = "vsw-i"
	answer, err := newWorld(t).vpc().DescribeVSwitches(r)
	require.NoError(t, err)
	require.Len(t, answer.VSwitches.VSwitch, 1)
	assert.Equal(t, "cn-hangzhou-i", answer.VSwitches.VSwitch[0].ZoneId)
}
