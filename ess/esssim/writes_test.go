package esssim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

func (w *world) remove(group string, set func(*ess.RemoveInstancesRequest), ids ...string) (*ess.RemoveInstancesResponse, error) {
	r := ess.CreateRemoveInstancesRequest()
	r.ScalingGroupId, r.InstanceId = group, &ids
	if set != nil {
		set(r)
	}
	return w.ess().RemoveInstances(r)
}

func (w *world) modify(group string, set func(*ess.ModifyScalingGroupRequest)) error {
	r := ess.CreateModifyScalingGroupRequest()
	r.ScalingGroupId = group
	set(r)
	_, err := w.ess().ModifyScalingGroup(r)
	return err
}

func (w *world) protect(group string, protected bool, ids ...string) error {
	r := ess.CreateSetInstancesProtectionRequest()
	r.ScalingGroupId, r.InstanceId, r.ProtectedFromScaleIn = group, &ids, requests.NewBoolean(protected)
	_, err := w.ess().SetInstancesProtection(r)
	return err
}

func TestAnInstanceLivesAsConfigured(t *testing.T) {
	w := newWorld(t)
	answer, err := w.scale("asg-spot", "TotalCapacity", "2")
	require.NoError(t, err)
	assert.Equal(t, "CapacityChange", answer.ActivityType)
	assert.Equal(t, "Successful", w.activity(answer.ScalingActivityId).StatusCode)
	assert.Equal(t, 2, w.group("asg-spot").DesiredCapacity, "the expected number moves at once")
	assert.Empty(t, w.instances("asg-spot"), "but nothing happens before the check")

	w.pass(time.Second)
	g := w.group("asg-spot")
	assert.Equal(t, []int{2, 2, 0, 2}, []int{g.TotalInstanceCount, g.PendingCapacity, g.ActiveCapacity, g.SpotCapacity})
	newest := w.activities("asg-spot")[0]
	assert.Equal(t, "InProgress", newest.StatusCode)
	assert.Equal(t, 2, newest.ScalingInstanceNumber)
	assert.Equal(t, `Add "2" ECS instance`, newest.Description)
	assert.Empty(t, newest.EndTime)

	w.pass(20*time.Second - time.Nanosecond)
	assert.Equal(t, 2, w.group("asg-spot").PendingCapacity)
	w.pass(time.Nanosecond)
	assert.Equal(t, 2, w.group("asg-spot").ActiveCapacity)
	newest = w.activities("asg-spot")[0]
	assert.Equal(t, "Successful", newest.StatusCode)
	assert.Equal(t, 100, newest.Progress)
	assert.Len(t, newest.CreatedInstances.CreatedInstance, 2)
	assert.Equal(t, "2026-08-03T15:00Z", newest.EndTime)

	ids := newest.CreatedInstances.CreatedInstance
	removed, err := w.remove("asg-spot", nil, ids...)
	require.NoError(t, err)
	g = w.group("asg-spot")
	assert.Equal(t, []int{2, 2, 0}, []int{g.TotalInstanceCount, g.RemovingCapacity, g.DesiredCapacity})
	w.pass(10*time.Second - time.Nanosecond)
	assert.Len(t, w.instances("asg-spot"), 2)
	w.pass(time.Nanosecond)
	assert.Empty(t, w.instances("asg-spot"))
	act := w.activity(removed.ScalingActivityId)
	assert.Equal(t, "Successful", act.StatusCode)
	assert.ElementsMatch(t, ids, act.DestroyedInstances.DestroyedInstance)
	assert.Equal(t, `Remove "2" ECS instance`, act.Description)
}

func TestScaleWithAdjustmentIsClampedAndChecked(t *testing.T) {
	w := newWorld(t)
	_, err := w.scale("asg-spot", "TotalCapacity", "41")
	require.NoError(t, err)
	assert.Equal(t, 40, w.group("asg-spot").DesiredCapacity)
	for _, c := range []struct {
		group, how, value string
		status            int
		code              string
	}{
		{"asg-spot", "TotalCapacity", "100", 400, "IncorrectCapacity.NoChange"},
		{"asg-normal", "TotalCapacity", "3", 400, "IncorrectCapacity.NoChange"},
		{"asg-normal", "TotalCapacity", "2001", 400, "InvalidParameter"},
		{"asg-normal", "TotalCapacity", "-1", 400, "InvalidParameter"},
		{"asg-normal", "QuantityChangeInCapacity", "1001", 400, "InvalidParameter"},
		{"asg-normal", "PercentChangeInCapacity", "-101", 400, "InvalidParameter"},
		{"asg-normal", "Twice", "1", 400, "InvalidParameter"},
		{"asg-normal", "", "1", 400, "MissingParameter"},
		{"asg-normal", "TotalCapacity", "", 400, "MissingParameter"},
		{"asg-normal", "TotalCapacity", "many", 400, "InvalidParameter"},
		{"asg-nowhere", "TotalCapacity", "1", 404, "InvalidScalingGroupId.NotFound"},
		{"asg-off", "TotalCapacity", "1", 400, "IncorrectScalingGroupStatus"},
	} {
		_, err := w.scale(c.group, c.how, c.value)
		requireCode(t, err, c.status, c.code)
	}
}

// The documentation's own example ("Expected number of instances"): expected 3, add
// 3 and then add 1 at once gives 6 and then 4, because both count from the stable.
func TestRelativeAdjustmentCountsFromStableInstances(t *testing.T) {
	w := newWorld(t)
	_, err := w.scale("asg-normal", "QuantityChangeInCapacity", "3")
	require.NoError(t, err)
	assert.Equal(t, 6, w.group("asg-normal").DesiredCapacity)
	_, err = w.scale("asg-normal", "QuantityChangeInCapacity", "1")
	require.NoError(t, err)
	assert.Equal(t, 4, w.group("asg-normal").DesiredCapacity)
}

func TestPercentAdjustment(t *testing.T) {
	w := newWorld(t)
	_, err := w.scale("asg-normal", "PercentChangeInCapacity", "50")
	require.NoError(t, err)
	assert.Equal(t, 4, w.group("asg-normal").DesiredCapacity, "half of 3, cut to a whole number")
	r := ess.CreateScaleWithAdjustmentRequest()
	r.ScalingGroupId, r.AdjustmentType, r.AdjustmentValue, r.MinAdjustmentMagnitude = "asg-normal", "PercentChangeInCapacity", "10", "5"
	_, err = w.ess().ScaleWithAdjustment(r)
	require.NoError(t, err)
	assert.Equal(t, 8, w.group("asg-normal").DesiredCapacity)
}

func TestSyncActivityStartsAtOnce(t *testing.T) {
	w := newWorld(t)
	r := ess.CreateScaleWithAdjustmentRequest()
	r.ScalingGroupId, r.AdjustmentType, r.AdjustmentValue = "asg-spot", "TotalCapacity", "2"
	r.SyncActivity, r.ActivityMetadata = "true", `{"by":"test"}`
	answer, err := w.ess().ScaleWithAdjustment(r)
	require.NoError(t, err)
	assert.Empty(t, answer.ActivityType)
	act := w.activity(answer.ScalingActivityId)
	assert.Equal(t, "InProgress", act.StatusCode)
	assert.Equal(t, `{"by":"test"}`, act.ActivityMetadata)
	for _, i := range w.instances("asg-spot") {
		assert.Equal(t, answer.ScalingActivityId, i.ScalingActivityId)
	}
	assert.Equal(t, 2, w.group("asg-spot").PendingCapacity)
	w.pass(time.Second)
	assert.Equal(t, 2, w.group("asg-spot").PendingCapacity, "the check does not double it")
}

func TestWithoutExpectedNumberOneActivityAtATime(t *testing.T) {
	w := newWorld(t)
	answer, err := w.scale("asg-gpu", "TotalCapacity", "2")
	require.NoError(t, err)
	assert.Empty(t, answer.ActivityType)
	assert.Equal(t, 2, w.group("asg-gpu").PendingCapacity, "it starts at once")
	_, err = w.scale("asg-gpu", "TotalCapacity", "3")
	requireCode(t, err, 400, "ScalingActivityInProgress")
	_, err = w.remove("asg-gpu", nil, w.instances("asg-gpu")[0].InstanceId)
	requireCode(t, err, 400, "ScalingActivityInProgress")
	w.pass(20 * time.Second)
	_, err = w.scale("asg-gpu", "QuantityChangeInCapacity", "1")
	require.NoError(t, err)
	assert.Equal(t, 3, w.group("asg-gpu").TotalCapacity)
	assert.Zero(t, w.group("asg-gpu").DesiredCapacity)
}

func TestWithoutExpectedNumberFailuresAreNotRepeated(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.sim.SetStock("cn-hangzhou-i", "ecs.gn7i-c8g1.2xlarge", account.OnDemand, 0))
	answer, err := w.scale("asg-gpu", "TotalCapacity", "2")
	require.NoError(t, err)
	w.pass(time.Second)
	assert.Equal(t, "Failed", w.activity(answer.ScalingActivityId).StatusCode)
	require.NoError(t, w.sim.SetStock("cn-hangzhou-i", "ecs.gn7i-c8g1.2xlarge", account.OnDemand, -1))
	w.pass(time.Hour)
	assert.Len(t, w.activities("asg-gpu"), 1)
	assert.Empty(t, w.instances("asg-gpu"))
}

func TestPartialSuccessIsAWarningAndIsRetried(t *testing.T) {
	w := newWorld(t)
	_, err := w.scale("asg-spot", "TotalCapacity", "7")
	require.NoError(t, err)
	w.pass(time.Second)
	assert.Equal(t, 5, w.group("asg-spot").PendingCapacity, "three in zone h, then two in zone i")
	zones := map[string]int{}
	for _, i := range w.instances("asg-spot") {
		zones[i.ZoneId]++
	}
	assert.Equal(t, map[string]int{"cn-hangzhou-h": 3, "cn-hangzhou-i": 2}, zones)
	w.pass(20 * time.Second)
	act := w.activities("asg-spot")[0]
	assert.Equal(t, "Warning", act.StatusCode)
	assert.Equal(t, 7, act.ScalingInstanceNumber, "the number intended")
	assert.Len(t, act.CreatedInstances.CreatedInstance, 5)
	assert.Equal(t, "OperationDenied.NoStock", act.ErrorCode)
	require.Len(t, act.ErrorMessages.ErrorMessagesItem, 1)
	assert.Equal(t, "OperationDenied.NoStock", act.ErrorMessages.ErrorMessagesItem[0].Code)

	w.pass(60*time.Second - time.Nanosecond)
	assert.Len(t, w.activities("asg-spot"), 2)
	w.pass(time.Nanosecond)
	retried := w.activities("asg-spot")[0]
	assert.Equal(t, 2, retried.ScalingInstanceNumber, "only what is missing")
	w.pass(time.Second)
	assert.Equal(t, "Failed", w.activity(retried.ScalingActivityId).StatusCode)
	assert.Equal(t, "OperationDenied.NoStock", w.activity(retried.ScalingActivityId).ErrorCode)

	_, err = w.scale("asg-spot", "TotalCapacity", "5")
	require.NoError(t, err)
	before := len(w.activities("asg-spot"))
	w.pass(time.Hour)
	assert.Len(t, w.activities("asg-spot"), before, "lowering the expected number ends the retries")
	assert.Equal(t, 5, w.group("asg-spot").ActiveCapacity)
}

func TestAReplenishedStockServesTheRetry(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.sim.SetStock("cn-hangzhou-h", "ecs.c7.2xlarge", account.Spot, 0))
	require.NoError(t, w.sim.SetStock("cn-hangzhou-i", "ecs.c7.2xlarge", account.Spot, 0))
	_, err := w.scale("asg-spot", "TotalCapacity", "4")
	require.NoError(t, err)
	w.pass(10 * time.Minute)
	assert.Empty(t, w.instances("asg-spot"))
	require.NoError(t, w.sim.SetStock("cn-hangzhou-i", "ecs.c7.2xlarge", account.Spot, -1))
	w.pass(61*time.Second + 20*time.Second)
	assert.Equal(t, 4, w.group("asg-spot").ActiveCapacity)
}

func TestAnActivityHasAtMost500Instances(t *testing.T) {
	w := newWorld(t)
	_, err := w.scale("asg-normal", "TotalCapacity", "700")
	require.NoError(t, err)
	w.pass(time.Second)
	acts := w.activities("asg-normal")
	assert.Equal(t, []int{197, 500}, []int{acts[0].ScalingInstanceNumber, acts[1].ScalingInstanceNumber})
	assert.Equal(t, 697, w.group("asg-normal").PendingCapacity)

	answer, err := w.scale("asg-gpu", "TotalCapacity", "700")
	require.NoError(t, err)
	assert.Equal(t, 500, w.activity(answer.ScalingActivityId).ScalingInstanceNumber)
}

func TestClientTokenMakesWritesIdempotent(t *testing.T) {
	w := newWorld(t)
	scale := func(token, value string) (*ess.ScaleWithAdjustmentResponse, error) {
		r := ess.CreateScaleWithAdjustmentRequest()
		r.ScalingGroupId, r.AdjustmentType, r.AdjustmentValue, r.ClientToken = "asg-spot", "TotalCapacity", requests.Integer(value), token
		return w.ess().ScaleWithAdjustment(r)
	}
	first, err := scale("token-1", "2")
	require.NoError(t, err)
	again, err := scale("token-1", "2")
	require.NoError(t, err, "not NoChange: it is the same write")
	assert.Equal(t, first.ScalingActivityId, again.ScalingActivityId)
	assert.Len(t, w.activities("asg-spot"), 1)
	_, err = scale("token-1", "3")
	requireCode(t, err, 400, "IdempotentParameterMismatch")
	_, err = scale(fmt.Sprintf("%064d", 1), "3")
	require.NoError(t, err)
	_, err = scale(fmt.Sprintf("%065d", 1), "4")
	requireCode(t, err, 400, "InvalidParameter")

	w.pass(time.Minute)
	victim := w.instances("asg-spot")[0].InstanceId
	withToken := func(r *ess.RemoveInstancesRequest) { r.ClientToken = "token-2" }
	removed, err := w.remove("asg-spot", withToken, victim)
	require.NoError(t, err)
	w.pass(time.Minute)
	again2, err := w.remove("asg-spot", withToken, victim)
	require.NoError(t, err, "although the instance is gone")
	assert.Equal(t, removed.ScalingActivityId, again2.ScalingActivityId)
	assert.Equal(t, 2, w.group("asg-spot").DesiredCapacity)
}
