package esssim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

func TestRemoveInstancesIsAllOrNothing(t *testing.T) {
	w := newWorld(t)
	ids := []string{}
	for _, i := range w.instances("asg-normal") {
		ids = append(ids, i.InstanceId)
	}
	_, err := w.remove("asg-normal", nil, ids[0], "i-nowhere")
	requireCode(t, err, 404, "InvalidInstanceId.NotFound")
	assert.Equal(t, 3, w.group("asg-normal").ActiveCapacity)
	_, err = w.remove("asg-normal", nil, ids...)
	requireCode(t, err, 400, "IncorrectCapacity.MinSize")
	_, err = w.remove("asg-normal", nil, make21()...)
	requireCode(t, err, 400, "InvalidParameter")
	_, err = w.remove("asg-spot", nil, ids[0])
	requireCode(t, err, 404, "InvalidInstanceId.NotFound")
	_, err = w.remove("asg-off", nil, ids[0])
	requireCode(t, err, 400, "IncorrectScalingGroupStatus")
	_, err = w.remove("asg-normal", func(r *ess.RemoveInstancesRequest) { r.RemovePolicy = "recycle" }, ids[0])
	requireCode(t, err, 400, "InvalidParameter")

	answer, err := w.remove("asg-normal", func(r *ess.RemoveInstancesRequest) { r.IgnoreInvalidInstance = "true" }, ids[0], "i-nowhere")
	require.NoError(t, err)
	assert.Equal(t, 2, w.group("asg-normal").DesiredCapacity)
	_, err = w.remove("asg-normal", nil, ids[0])
	requireCode(t, err, 400, "IncorrectInstanceStatus")
	w.pass(10 * time.Second)
	act := w.activity(answer.ScalingActivityId)
	assert.Equal(t, "Warning", act.StatusCode)
	assert.Equal(t, []string{ids[0]}, act.DestroyedInstances.DestroyedInstance)

	_, err = w.remove("asg-normal", nil, ids[1])
	require.NoError(t, err, "down to min exactly")
	_, err = w.remove("asg-normal", nil, ids[2])
	requireCode(t, err, 400, "IncorrectCapacity.MinSize")
}

func make21() []string {
	ids := make([]string, 21)
	for n := range ids {
		ids[n] = fmt.Sprintf("i-%d", n)
	}
	return ids
}

func TestRemoveInstancesMayKeepTheExpectedNumber(t *testing.T) {
	w := newWorld(t)
	victim := w.instances("asg-normal")[0].InstanceId
	_, err := w.remove("asg-normal", func(r *ess.RemoveInstancesRequest) { r.DecreaseDesiredCapacity = "false" }, victim)
	require.NoError(t, err)
	w.pass(time.Second)
	g := w.group("asg-normal")
	assert.Equal(t, []int{3, 2, 1, 1}, []int{g.DesiredCapacity, g.ActiveCapacity, g.PendingCapacity, g.RemovingCapacity})
}

func TestReclaimedSpotInstanceIsLockedAndReplaced(t *testing.T) {
	w := newWorld(t)
	_, err := w.scale("asg-spot", "TotalCapacity", "1")
	require.NoError(t, err)
	w.pass(time.Second)
	w.pass(20 * time.Second)
	id := w.instances("asg-spot")[0].InstanceId
	require.NoError(t, w.sim.Reclaim(id, account.ReclaimNotice))
	r := ecs.CreateDescribeInstancesRequest()
	r.InstanceIds = `["` + id + `"]`
	answer, err := w.ecs().DescribeInstances(r)
	require.NoError(t, err)
	assert.Equal(t, "Recycling", answer.Instances.Instance[0].OperationLocks.LockReason[0].LockReason)

	w.pass(5*time.Minute - time.Nanosecond)
	assert.Equal(t, 1, w.group("asg-spot").ActiveCapacity)
	w.pass(time.Nanosecond)
	assert.Empty(t, w.instances("asg-spot"))
	assert.Equal(t, 1, w.group("asg-spot").DesiredCapacity)
	assert.Equal(t, []string{id}, w.activities("asg-spot")[0].DestroyedInstances.DestroyedInstance)
	w.pass(time.Second)
	assert.Equal(t, 1, w.group("asg-spot").PendingCapacity)
	require.Error(t, w.sim.Reclaim(w.instances("asg-normal")[0].InstanceId, 0), "it is not a spot instance")
}
