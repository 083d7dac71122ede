package esssim_test

import (
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLoweringTheExpectedNumberLetsESSChooseTheOldest(t *testing.T) {
	w := newWorld(t)
	before := w.instances("asg-normal")
	require.NoError(t, w.protect("asg-normal", true, before[0].InstanceId))
	assert.Equal(t, 1, w.group("asg-normal").ProtectedCapacity)
	require.NoError(t, w.modify("asg-normal", func(r *ess.ModifyScalingGroupRequest) { r.DesiredCapacity = "2" }))
	w.pass(time.Second)
	w.pass(10 * time.Second)
	after := w.instances("asg-normal")
	require.Len(t, after, 2)
	assert.Equal(t, []string{before[0].InstanceId, before[2].InstanceId}, []string{after[0].InstanceId, after[1].InstanceId})

	_, err := w.remove("asg-normal", nil, before[0].InstanceId)
	require.NoError(t, err, "a protected instance may be removed by hand")
	requireCode(t, w.protect("asg-normal", false, "i-nowhere"), 404, "InvalidInstanceId.NotFound")
	requireCode(t, w.protect("asg-normal", false, before[0].InstanceId), 400, "IncorrectInstanceStatus")
}

func TestModifyScalingGroupKeepsLimitsInOrder(t *testing.T) {
	w := newWorld(t)
	for _, set := range []func(*ess.ModifyScalingGroupRequest){
		func(r *ess.ModifyScalingGroupRequest) { r.MinSize, r.MaxSize = "5", "4" },
		func(r *ess.ModifyScalingGroupRequest) { r.MaxSize = "2" },
		func(r *ess.ModifyScalingGroupRequest) { r.MinSize = "4" },
		func(r *ess.ModifyScalingGroupRequest) { r.DesiredCapacity = "0" },
	} {
		requireCode(t, w.modify("asg-normal", set), 400, "InvalidParameter.Conflict")
	}
	requireCode(t, w.modify("asg-normal", func(r *ess.ModifyScalingGroupRequest) { r.MaxSize = "2001" }), 400, "InvalidParameter")
	requireCode(t, w.modify("asg-gpu", func(r *ess.ModifyScalingGroupRequest) { r.DesiredCapacity = "1" }), 400, "InvalidParameter")
	require.NoError(t, w.modify("asg-normal", func(r *ess.ModifyScalingGroupRequest) { r.MaxSize, r.DesiredCapacity = "2", "2" }))
	require.NoError(t, w.modify("asg-off", func(r *ess.ModifyScalingGroupRequest) { r.MaxSize = "9" }), "also when Inactive")
	assert.Equal(t, 9, w.group("asg-off").MaxSize)

	require.NoError(t, w.modify("asg-spot", func(r *ess.ModifyScalingGroupRequest) { r.DisableDesiredCapacity = "true" }))
	assert.False(t, w.group("asg-spot").EnableDesiredCapacity)
}

func TestEnableAndDisable(t *testing.T) {
	w := newWorld(t)
	enable := func(id string) error {
		r := ess.CreateEnableScalingGroupRequest()
		r.ScalingGroupId = id
		_, err := w.ess().EnableScalingGroup(r)
		return err
	}
	disable := func(id string) error {
		r := ess.CreateDisableScalingGroupRequest()
		r.ScalingGroupId = id
		_, err := w.ess().DisableScalingGroup(r)
		return err
	}
	requireCode(t, enable("asg-normal"), 400, "IncorrectScalingGroupStatus")
	requireCode(t, disable("asg-off"), 400, "IncorrectScalingGroupStatus")
	_, err := w.scale("asg-normal", "TotalCapacity", "5")
	require.NoError(t, err)
	require.NoError(t, disable("asg-normal"))
	w.pass(time.Hour)
	assert.Equal(t, "Inactive", w.group("asg-normal").LifecycleState)
	assert.Equal(t, 3, w.group("asg-normal").TotalInstanceCount, "nothing begins while it is off")
	require.NoError(t, enable("asg-normal"))
	w.pass(time.Second)
	assert.Equal(t, 2, w.group("asg-normal").PendingCapacity)
}

func TestDescribeScalingActivities(t *testing.T) {
	w := newWorld(t)
	for _, n := range []string{"4", "5", "6"} {
		_, err := w.scale("asg-normal", "TotalCapacity", n)
		require.NoError(t, err)
		w.pass(time.Minute)
	}
	all := w.activities("asg-normal")
	require.Len(t, all, 6)
	assert.Greater(t, all[0].StartTime, all[5].StartTime, "newest first")
	count := func(status string) int {
		r := ess.CreateDescribeScalingActivitiesRequest()
		r.ScalingGroupId, r.StatusCode = "asg-normal", status
		answer, err := w.ess().DescribeScalingActivities(r)
		require.NoError(t, err)
		return answer.TotalCount
	}
	assert.Equal(t, 6, count("Successful"))
	assert.Equal(t, 0, count("InProgress"))
	r := ess.CreateDescribeScalingActivitiesRequest()
	_, err := w.ess().DescribeScalingActivities(r)
	requireCode(t, err, 400, "MissingParameter")
	r = ess.CreateDescribeScalingActivitiesRequest()
	r.ScalingGroupId, r.StatusCode = "asg-normal", "Odd"
	_, err = w.ess().DescribeScalingActivities(r)
	requireCode(t, err, 400, "InvalidParameter")
}
