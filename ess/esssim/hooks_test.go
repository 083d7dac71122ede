package esssim_test

import (
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func (w *world) lifecycleActions(activity string) []ess.LifecycleAction {
	w.t.Helper()
	r := ess.CreateDescribeLifecycleActionsRequest()
	r.ScalingActivityId = activity
	answer, err := w.ess().DescribeLifecycleActions(r)
	require.NoError(w.t, err)
	require.Equal(w.t, len(answer.LifecycleActions.LifecycleAction), answer.TotalCount)
	return answer.LifecycleActions.LifecycleAction
}

func (w *world) completeAction(a ess.LifecycleAction, result string) error {
	r := ess.CreateCompleteLifecycleActionRequest()
	r.LifecycleHookId, r.LifecycleActionToken, r.LifecycleActionResult = a.LifecycleHookId, a.LifecycleActionToken, result
	_, err := w.ess().CompleteLifecycleAction(r)
	return err
}

// waiting brings two instances of asg-hooks into Pending:Wait.
func waiting(t *testing.T) (*world, ess.LifecycleAction) {
	w := newFeatures(t)
	_, err := w.scale("asg-hooks", "TotalCapacity", "2")
	require.NoError(t, err)
	w.pass(time.Second)
	w.pass(20 * time.Second)
	assert.Equal(t, 2, w.group("asg-hooks").PendingWaitCapacity)
	act := w.activities("asg-hooks")[0]
	assert.Equal(t, "InProgress", act.StatusCode)
	actions := w.lifecycleActions(act.ScalingActivityId)
	require.Len(t, actions, 1)
	assert.Equal(t, "Pending", actions[0].LifecycleActionStatus)
	assert.Equal(t, w.ids("asg-hooks", "Pending:Wait"), actions[0].InstanceIds.InstanceId)
	return w, actions[0]
}

// Source: API 2022, CompleteLifecycleAction CONTINUE.
func TestAHookHoldsAScaleOutUntilItIsCompleted(t *testing.T) {
	w, action := waiting(t)
	requireCode(t, w.completeAction(action, "ROLLBACK"), 400, "InvalidParameter")
	require.NoError(t, w.completeAction(action, "CONTINUE"))
	assert.Equal(t, 2, w.group("asg-hooks").ActiveCapacity)
	assert.Equal(t, "Successful", w.activities("asg-hooks")[0].StatusCode)
	requireCode(t, w.completeAction(action, "CONTINUE"), 400, "LifecycleHookIdAndLifecycleActionToken.Invalid")
	done := w.lifecycleActions(w.activities("asg-hooks")[0].ScalingActivityId)[0]
	assert.Equal(t, []string{"Completed", "CONTINUE"}, []string{done.LifecycleActionStatus, done.LifecycleActionResult})
}

// Source: API 2022, lifecycle hooks: HeartbeatTimeout, DefaultResult ABANDON.
func TestAHookThatTimesOutAbandons(t *testing.T) {
	w, _ := waiting(t)
	w.pass(60*time.Second - time.Nanosecond)
	assert.Equal(t, 2, w.group("asg-hooks").PendingWaitCapacity)
	w.pass(time.Nanosecond)
	assert.Zero(t, w.group("asg-hooks").TotalInstanceCount)
	act := w.activities("asg-hooks")[0]
	assert.Equal(t, "Failed", act.StatusCode)
	assert.Empty(t, act.CreatedInstances.CreatedInstance)
	assert.Equal(t, "Timeout", w.lifecycleActions(act.ScalingActivityId)[0].LifecycleActionStatus)
	w.pass(60 * time.Second)
	assert.Equal(t, 2, w.group("asg-hooks").PendingCapacity, "and is tried again like any failed creation")
}

// Source: API 2022, RecordLifecycleActionHeartbeat (the SDK spells its parameters in
// lower case).
func TestAHeartbeatExtendsTheWait(t *testing.T) {
	w, action := waiting(t)
	w.pass(50 * time.Second)
	r := ess.CreateRecordLifecycleActionHeartbeatRequest()
	r.LifecycleHookId, r.LifecycleActionToken, r.HeartbeatTimeout = action.LifecycleHookId, action.LifecycleActionToken, "120"
	_, err := w.ess().RecordLifecycleActionHeartbeat(r)
	require.NoError(t, err)
	w.pass(120*time.Second - time.Nanosecond)
	assert.Equal(t, 2, w.group("asg-hooks").PendingWaitCapacity)
	w.pass(time.Nanosecond)
	assert.Zero(t, w.group("asg-hooks").PendingWaitCapacity)
	_, err = w.ess().RecordLifecycleActionHeartbeat(r)
	require.Error(t, err, "it has ended")
}

// Source: API 2022, lifecycle hooks: Removing:Wait; CONTINUE by default; ROLLBACK.
func TestAHookHoldsAScaleIn(t *testing.T) {
	w, action := waiting(t)
	require.NoError(t, w.completeAction(action, "CONTINUE"))
	ids := w.ids("asg-hooks", "InService")
	answer, err := w.remove("asg-hooks", nil, ids[0])
	require.NoError(t, err)
	assert.Equal(t, []int{1, 1}, []int{w.group("asg-hooks").RemovingWaitCapacity, w.group("asg-hooks").DesiredCapacity})
	require.NoError(t, w.completeAction(w.lifecycleActions(answer.ScalingActivityId)[0], "ROLLBACK"))
	assert.Equal(t, []int{2, 2}, []int{w.group("asg-hooks").ActiveCapacity, w.group("asg-hooks").DesiredCapacity})
	assert.Equal(t, "Failed", w.activity(answer.ScalingActivityId).StatusCode)

	_, err = w.remove("asg-hooks", nil, ids[0])
	require.NoError(t, err)
	w.pass(60 * time.Second)
	assert.Equal(t, 1, w.group("asg-hooks").RemovingCapacity)
	w.pass(10 * time.Second)
	assert.Equal(t, 1, w.group("asg-hooks").TotalInstanceCount)
	_, err = w.remove("asg-hooks", func(r *ess.RemoveInstancesRequest) { r.LifecycleHookContext.DisableLifecycleHook = "true" }, ids[1])
	require.NoError(t, err)
	assert.Equal(t, 1, w.group("asg-hooks").RemovingCapacity, "the request may pass the hooks by")
}

// Source: SDK v1.63, DescribeLifecycleHooks.
func TestDescribeLifecycleHooks(t *testing.T) {
	w := newFeatures(t)
	r := ess.CreateDescribeLifecycleHooksRequest()
	r.ScalingGroupId, r.LifecycleHookId = "asg-hooks", &[]string{"ash-out"}
	answer, err := w.ess().DescribeLifecycleHooks(r)
	require.NoError(t, err)
	require.Len(t, answer.LifecycleHooks.LifecycleHook, 1)
	h := answer.LifecycleHooks.LifecycleHook[0]
	assert.Equal(t, []string{"SCALE_OUT", "ABANDON"}, []string{h.LifecycleTransition, h.DefaultResult})
	assert.Equal(t, 60, h.HeartbeatTimeout)
}
