package esssim_test

import (
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

func (w *world) standby(group string, enter bool, ids ...string) error {
	if enter {
		r := ess.CreateEnterStandbyRequest()
		r.ScalingGroupId, r.InstanceId = group, &ids
		_, err := w.ess().EnterStandby(r)
		return err
	}
	r := ess.CreateExitStandbyRequest()
	r.ScalingGroupId, r.InstanceId = group, &ids
	_, err := w.ess().ExitStandby(r)
	return err
}

// Source: official docs 2021, "ECS instance lifecycle": standby instances are stable,
// not checked and not removed by ESS, and can be removed by hand.
func TestStandby(t *testing.T) {
	w := newFeatures(t)
	ids := w.ids("asg-plain", "InService")
	require.NoError(t, w.standby("asg-plain", true, ids[0], ids[1]))
	assert.Equal(t, []int{1, 2}, []int{w.group("asg-plain").ActiveCapacity, w.group("asg-plain").StandbyCapacity})
	require.NoError(t, w.setHealth(ids[0], "Unhealthy"))
	require.NoError(t, w.modify("asg-plain", func(r *ess.ModifyScalingGroupRequest) { r.DesiredCapacity = "1" }))
	w.pass(time.Second)
	w.pass(time.Hour)
	assert.Equal(t, ids[:2], w.ids("asg-plain", "Standby"), "the one in service went, although that leaves one too many")
	requireCode(t, w.standby("asg-plain", true, ids[0]), 400, "IncorrectInstanceStatus")
	requireCode(t, w.standby("asg-plain", false, "i-nowhere"), 404, "InvalidInstanceId.NotFound")
	require.NoError(t, w.standby("asg-plain", false, ids[1]))
	assert.Equal(t, ids[1:2], w.ids("asg-plain", "InService"))
	_, err := w.remove("asg-plain", nil, ids[0])
	require.NoError(t, err)
}

func (w *world) attach(group string, entrusted bool, ids ...string) (*ess.AttachInstancesResponse, error) {
	r := ess.CreateAttachInstancesRequest()
	r.ScalingGroupId, r.InstanceId, r.Entrusted = group, &ids, requests.NewBoolean(entrusted)
	return w.ess().AttachInstances(r)
}

func (w *world) machines() []string {
	var ids []string
	for _, m := range w.sim.State().Machines {
		ids = append(ids, m.ID)
	}
	return ids
}

// Source: API 2022, AttachInstances and RemoveInstances: an attached instance that is
// not entrusted is only detached when it is removed.
func TestAttachedInstancesAreDetachedUnlessEntrusted(t *testing.T) {
	w := newFeatures(t)
	answer, err := w.attach("asg-plain", false, "i-by-hand-1")
	require.NoError(t, err)
	assert.Equal(t, "Successful", w.activity(answer.ScalingActivityId).StatusCode)
	assert.Equal(t, "1", w.activity(answer.ScalingActivityId).AttachedCapacity)
	_, err = w.attach("asg-plain", true, "i-by-hand-2")
	require.NoError(t, err)
	assert.Equal(t, 5, w.group("asg-plain").DesiredCapacity, "the expected number grows with them")
	all := w.instances("asg-plain")
	assert.Equal(t, []string{"i-by-hand-1", "Attached", "InService"}, []string{all[3].InstanceId, all[3].CreationType, all[3].LifecycleState})
	assert.Equal(t, []bool{false, false, true}, []bool{all[0].Entrusted, all[3].Entrusted, all[4].Entrusted})
	w.pass(time.Hour)
	assert.Equal(t, 5, w.group("asg-plain").TotalInstanceCount)

	_, err = w.remove("asg-plain", nil, "i-by-hand-1", "i-by-hand-2")
	require.NoError(t, err)
	w.pass(10 * time.Second)
	assert.Equal(t, 3, w.group("asg-plain").TotalInstanceCount)
	assert.Equal(t, []string{"i-by-hand-1"}, w.machines(), "the other one is released")
}

// Source: API 2022, error tables of AttachInstances.
func TestWhatCannotBeAttached(t *testing.T) {
	w := newFeatures(t)
	_, err := w.attach("asg-plain", false, "i-nowhere")
	requireCode(t, err, 404, "InvalidInstanceId.NotFound")
	_, err = w.attach("asg-eco", false, w.ids("asg-plain", "InService")[0])
	requireCode(t, err, 400, "InvalidInstanceId.InUse")
	require.NoError(t, w.modify("asg-plain", func(r *ess.ModifyScalingGroupRequest) { r.MaxSize = "4" }))
	_, err = w.attach("asg-plain", false, "i-by-hand-1", "i-by-hand-2")
	requireCode(t, err, 400, "IncorrectCapacity.MaxSize")
	_, err = w.attach("asg-plain", false, "i-by-hand-1")
	require.NoError(t, err, "up to max exactly")
	_, err = w.attach("asg-nowhere", false, "i-by-hand-2")
	requireCode(t, err, 404, "InvalidScalingGroupId.NotFound")
}

// Source: API 2022, DetachInstances: removed from the group, not released.
func TestDetachedInstancesRunOn(t *testing.T) {
	w := newFeatures(t)
	ids := w.ids("asg-plain", "InService")
	detach := func(keep bool, ids ...string) error {
		r := ess.CreateDetachInstancesRequest()
		r.ScalingGroupId, r.InstanceId, r.DecreaseDesiredCapacity = "asg-plain", &ids, requests.NewBoolean(!keep)
		_, err := w.ess().DetachInstances(r)
		return err
	}
	require.NoError(t, detach(false, ids[0]))
	assert.Equal(t, []int{2, 2}, []int{w.group("asg-plain").DesiredCapacity, w.group("asg-plain").TotalInstanceCount})
	assert.Contains(t, w.machines(), ids[0])
	require.NoError(t, detach(true, ids[1]))
	w.pass(time.Second)
	assert.Equal(t, 1, w.group("asg-plain").PendingCapacity, "it is replaced when the expected number stays")
	require.NoError(t, w.modify("asg-plain", func(r *ess.ModifyScalingGroupRequest) { r.MinSize = "2" }))
	requireCode(t, detach(false, ids[2]), 400, "IncorrectCapacity.MinSize")
	running := map[string]bool{}
	for _, i := range w.sim.Account().Running() {
		running[i.ID] = true
	}
	assert.True(t, running[ids[0]], "its node stays")
	assert.False(t, running["i-by-hand-1"], "a machine that was never in a group is no node")
	_, err := w.attach("asg-eco", false, ids[0])
	require.NoError(t, err, "it may join another group")
}

// Source: official docs 2021, "Expected number of instances": an alarm or rebalance
// and the parallel activities reject each other.
func TestExclusiveActivities(t *testing.T) {
	w := newFeatures(t)
	start := func() string {
		id, err := w.sim.Account().StartExclusive(account.Exclusive{GroupID: "asg-plain", Kind: "rebalance", Lasts: account.Duration(time.Minute)})
		require.NoError(t, err)
		return id
	}
	id := start()
	assert.Equal(t, "InProgress", w.activity(id).StatusCode)
	victim := w.ids("asg-plain", "InService")[0]
	_, err := w.scale("asg-plain", "TotalCapacity", "5")
	requireCode(t, err, 400, "ScalingActivityInProgress")
	_, err = w.remove("asg-plain", nil, victim)
	requireCode(t, err, 400, "ScalingActivityInProgress")
	_, err = w.attach("asg-plain", false, "i-by-hand-1")
	requireCode(t, err, 400, "ScalingActivityInProgress")
	w.pass(time.Minute - time.Nanosecond)
	_, err = w.scale("asg-plain", "TotalCapacity", "5")
	requireCode(t, err, 400, "ScalingActivityInProgress")
	w.pass(time.Nanosecond)
	assert.Equal(t, "Successful", w.activity(id).StatusCode)
	_, err = w.scale("asg-plain", "TotalCapacity", "5")
	require.NoError(t, err)
	w.pass(time.Second)
	assert.Equal(t, "Rejected", w.activity(start()).StatusCode)
	assert.Equal(t, 2, w.group("asg-plain").PendingCapacity)
}
