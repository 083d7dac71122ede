package esssim_test

import (
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
)

// newFeatures is an account with one group for each thing a group can have.
func newFeatures(t *testing.T, change ...func(*esssim.Config)) *world {
	t.Helper()
	cfg, err := esssim.Load("testdata/features.yaml")
	require.NoError(t, err)
	for _, c := range change {
		c(&cfg)
	}
	return newWorldOf(t, cfg)
}

// run lets so many instances come into service.
func (w *world) run(group, total string) []string {
	w.t.Helper()
	_, err := w.scale(group, "TotalCapacity", total)
	require.NoError(w.t, err)
	w.pass(21 * time.Second)
	w.pass(21 * time.Second)
	return w.ids(group, "InService")
}

// ids are the group's instances in a state, oldest first.
func (w *world) ids(group, state string) []string {
	w.t.Helper()
	var ids []string
	for _, i := range w.instances(group) {
		if i.LifecycleState == state {
			ids = append(ids, i.InstanceId)
		}
	}
	return ids
}

// Source: API 2022, ScalingPolicy recycle and RemovePolicy; ACK's swift mode.
func TestRecycledInstancesAreStoppedAndStartedFirst(t *testing.T) {
	w := newFeatures(t)
	g := w.group("asg-eco")
	assert.Equal(t, []int{2, 2, 4}, []int{g.ActiveCapacity, g.StoppedCapacity, g.TotalInstanceCount})
	stopped := w.ids("asg-eco", "Stopped")

	_, err := w.scale("asg-eco", "TotalCapacity", "5")
	require.NoError(t, err)
	w.pass(time.Second)
	assert.Equal(t, 3, w.group("asg-eco").PendingCapacity, "two are started, one is made")
	w.pass(5*time.Second - time.Nanosecond)
	assert.Equal(t, 2, w.group("asg-eco").ActiveCapacity)
	w.pass(time.Nanosecond)
	assert.Equal(t, 4, w.group("asg-eco").ActiveCapacity, "a start takes 5 s, a creation 20 s")
	act := w.activities("asg-eco")[0]
	assert.Equal(t, "InProgress", act.StatusCode)
	w.pass(15 * time.Second)
	act = w.activity(act.ScalingActivityId)
	assert.Equal(t, "Successful", act.StatusCode)
	assert.Equal(t, stopped, act.StartedInstances.StartedInstance)
	assert.Equal(t, []int{2, 1}, []int{act.StartedCapacity, act.CreatedCapacity})
	assert.Len(t, act.CreatedInstances.CreatedInstance, 1)

	victims := w.ids("asg-eco", "InService")[:2]
	removed, err := w.remove("asg-eco", func(r *ess.RemoveInstancesRequest) { r.RemovePolicy = "recycle" }, victims...)
	require.NoError(t, err)
	w.pass(10 * time.Second)
	assert.Equal(t, victims, w.ids("asg-eco", "Stopped"))
	act = w.activity(removed.ScalingActivityId)
	assert.Equal(t, victims, act.StoppedInstances.StoppedInstance)
	assert.Empty(t, act.DestroyedInstances.DestroyedInstance)
	assert.Equal(t, 3, w.group("asg-eco").DesiredCapacity)

	_, err = w.remove("asg-eco", func(r *ess.RemoveInstancesRequest) { r.RemovePolicy = "recycle" }, victims[0])
	requireCode(t, err, 400, "IncorrectInstanceStatus")
	_, err = w.remove("asg-eco", nil, victims[0])
	require.NoError(t, err, "release is the default policy, for stopped ones too")
	w.pass(10 * time.Second)
	assert.Equal(t, victims[1:], w.ids("asg-eco", "Stopped"))
	assert.Equal(t, 3, w.group("asg-eco").DesiredCapacity, "a stopped one was never expected")
}

// Source: API 2022, ScalingPolicy: what ESS itself removes is stopped too.
func TestLoweredRecyclingGroupStopsTheOldest(t *testing.T) {
	w := newFeatures(t)
	oldest := w.ids("asg-eco", "InService")[0]
	require.NoError(t, w.modify("asg-eco", func(r *ess.ModifyScalingGroupRequest) { r.DesiredCapacity = "1" }))
	w.pass(time.Second)
	w.pass(10 * time.Second)
	assert.Contains(t, w.ids("asg-eco", "Stopped"), oldest)
	assert.Equal(t, 3, w.group("asg-eco").StoppedCapacity)
}

// Source: assumption; ECS says that a stopped instance may fail to start for lack of
// stock.
func TestStoppedInstancesNeedStockToStart(t *testing.T) {
	w := newFeatures(t)
	running := w.sim.State().Stock[0].Used
	require.NoError(t, w.sim.SetStock("cn-hangzhou-h", "ecs.c7.2xlarge", account.OnDemand, running+1))
	_, err := w.scale("asg-eco", "TotalCapacity", "4")
	require.NoError(t, err)
	w.pass(time.Second)
	w.pass(5 * time.Second)
	assert.Equal(t, 3, w.group("asg-eco").ActiveCapacity)
	act := w.activities("asg-eco")[0]
	assert.Equal(t, []string{"Warning", "OperationDenied.NoStock"}, []string{act.StatusCode, act.ErrorCode})
}

func (w *world) setHealth(id, status string) error {
	r := ess.CreateSetInstanceHealthRequest()
	r.InstanceId, r.HealthStatus = id, status
	_, err := w.ess().SetInstanceHealth(r)
	return err
}

// Source: official docs 2021, "Remove an unhealthy ECS instance" and "Expected number
// of instances": removed at once, expected number unchanged, so replaced.
func TestUnhealthyInstancesAreReplaced(t *testing.T) {
	w := newFeatures(t)
	ids := w.ids("asg-plain", "InService")
	require.NoError(t, w.setHealth(ids[0], "Unhealthy"))
	assert.Equal(t, "Unhealthy", w.instances("asg-plain")[0].HealthStatus)
	w.pass(10*time.Second - time.Nanosecond)
	assert.Equal(t, 3, w.group("asg-plain").ActiveCapacity)
	w.pass(time.Nanosecond)
	assert.Equal(t, []int{2, 1, 3}, []int{w.group("asg-plain").ActiveCapacity, w.group("asg-plain").RemovingCapacity, w.group("asg-plain").DesiredCapacity})
	assert.Contains(t, w.activities("asg-plain")[0].Cause, "An unhealthy instance is removed")
	assert.Equal(t, "Ess", w.activities("asg-plain")[0].TriggerSourceType)
	w.pass(time.Second)
	assert.Equal(t, 1, w.group("asg-plain").PendingCapacity)

	requireCode(t, w.setHealth("i-nowhere", "Unhealthy"), 404, "InvalidInstanceId.NotFound")
	requireCode(t, w.setHealth(ids[1], "Odd"), 400, "InvalidParameter")
}

// Source: official docs 2021, SetInstancesProtection: protected instances are skipped
// by scale-in and by the health check.
func TestUnhealthyProtectedInstancesStay(t *testing.T) {
	w := newFeatures(t)
	id := w.ids("asg-plain", "InService")[0]
	require.NoError(t, w.protect("asg-plain", true, id))
	require.NoError(t, w.setHealth(id, "Unhealthy"))
	w.pass(time.Hour)
	assert.Equal(t, 1, w.group("asg-plain").ProtectedCapacity)
	require.NoError(t, w.protect("asg-plain", false, id))
	w.pass(10 * time.Second)
	assert.Equal(t, []string{id}, w.ids("asg-plain", "Removing"))
}

func (w *world) suspend(group string, processes ...string) error {
	r := ess.CreateSuspendProcessesRequest()
	r.ScalingGroupId, r.Process = group, &processes
	_, err := w.ess().SuspendProcesses(r)
	return err
}

func (w *world) resume(group string, processes ...string) error {
	r := ess.CreateResumeProcessesRequest()
	r.ScalingGroupId, r.Process = group, &processes
	_, err := w.ess().ResumeProcesses(r)
	return err
}

// Source: API 2022, SuspendProcesses and ResumeProcesses.
func TestSuspendedProcesses(t *testing.T) {
	w := newFeatures(t)
	require.NoError(t, w.suspend("asg-plain", "HealthCheck", "ScaleOut"))
	assert.Equal(t, []string{"HealthCheck", "ScaleOut"}, w.group("asg-plain").SuspendedProcesses.SuspendedProcess)
	require.NoError(t, w.setHealth(w.ids("asg-plain", "InService")[0], "Unhealthy"))
	_, err := w.scale("asg-plain", "TotalCapacity", "5")
	require.NoError(t, err)
	w.pass(time.Hour)
	assert.Equal(t, 3, w.group("asg-plain").TotalInstanceCount)
	require.NoError(t, w.resume("asg-plain", "ScaleOut"))
	w.pass(time.Second)
	assert.Equal(t, 2, w.group("asg-plain").PendingCapacity)
	require.NoError(t, w.resume("asg-plain", "HealthCheck"))
	w.pass(10 * time.Second)
	assert.Equal(t, 1, w.group("asg-plain").RemovingCapacity)
	requireCode(t, w.suspend("asg-plain", "Breathing"), 400, "InvalidParameter")
	requireCode(t, w.suspend("asg-plain"), 400, "MissingParameter")
}

// Source: API 2022, SystemSuspended after more than seven days of failures in a row.
func TestAGroupThatOnlyFailsIsSuspendedByESS(t *testing.T) {
	w := newFeatures(t)
	require.NoError(t, w.sim.SetStock("cn-hangzhou-h", "ecs.c7.2xlarge", account.OnDemand, 0))
	_, err := w.scale("asg-plain", "TotalCapacity", "5")
	require.NoError(t, err)
	w.pass(7 * 24 * time.Hour)
	assert.False(t, w.group("asg-plain").SystemSuspended)
	w.pass(5 * time.Minute)
	assert.True(t, w.group("asg-plain").SystemSuspended)
	assert.Empty(t, w.group("asg-plain").SuspendedProcesses.SuspendedProcess)
	require.NoError(t, w.sim.SetStock("cn-hangzhou-h", "ecs.c7.2xlarge", account.OnDemand, -1))
	w.pass(time.Hour)
	assert.Equal(t, 3, w.group("asg-plain").TotalInstanceCount)
	require.NoError(t, w.resume("asg-plain", "ScaleOut"))
	w.pass(time.Second)
	assert.Equal(t, 2, w.group("asg-plain").PendingCapacity)
}

// Source: API 2022, ExecuteScalingRule.
func TestExecuteScalingRule(t *testing.T) {
	w := newFeatures(t)
	r := ess.CreateExecuteScalingRuleRequest()
	r.ScalingRuleAri, r.ClientToken = "ari:acs:ess:cn-hangzhou:1:scalingrule/asr-two", "once"
	_, err := w.ess().ExecuteScalingRule(r)
	require.NoError(t, err)
	assert.Equal(t, 5, w.group("asg-plain").DesiredCapacity)
	r = ess.CreateExecuteScalingRuleRequest()
	r.ScalingRuleAri = "ari:acs:ess:cn-hangzhou:1:scalingrule/asr-none"
	_, err = w.ess().ExecuteScalingRule(r)
	requireCode(t, err, 404, "InvalidScalingRuleAri.NotFound")
}
