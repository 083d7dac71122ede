package esssim_test

import (
	"errors"
	"testing"
	"time"

	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
)

// Source: API error tables, 403 Forbidden.RAM; SDK v1.63, ServerError's
// AccessDeniedDetail.
func TestAKeyMayDoOnlyWhatItIsAllowed(t *testing.T) {
	w := newFeatures(t)
	w.key = "sim-reader"
	assert.Len(t, w.instances("asg-plain"), 3)
	_, err := w.scale("asg-plain", "TotalCapacity", "5")
	requireCode(t, err, 403, "Forbidden.RAM")
	var denied *sdkerrors.ServerError
	require.True(t, errors.As(err, &denied))
	assert.Equal(t, "ess:ScaleWithAdjustment", denied.AccessDeniedDetail()["AuthAction"])
	assert.NotContains(t, err.Error(), "sim-reader")
	_, err = w.ecs().DescribeInstances(ecs.CreateDescribeInstancesRequest())
	requireCode(t, err, 403, "Forbidden.RAM")
	w.key = "sim-access-key"
	assert.Equal(t, 3, w.group("asg-plain").DesiredCapacity, "the refused write did nothing")

	require.NoError(t, w.sim.SetPermissions(esssim.Permissions{AccessKey: "sim-reader", Allow: []string{"ess:ScaleWithAdjustment"}}))
	w.key = "sim-reader"
	_, err = w.scale("asg-plain", "TotalCapacity", "5")
	require.NoError(t, err)
	_, err = w.ess().DescribeScalingGroups(ess.CreateDescribeScalingGroupsRequest())
	requireCode(t, err, 403, "Forbidden.RAM")
	require.Error(t, w.sim.SetPermissions(esssim.Permissions{AccessKey: "nobody"}))
	require.NoError(t, w.sim.SetPermissions(esssim.Permissions{}))
	assert.Len(t, w.instances("asg-plain"), 3, "an empty list allows everything")
}

// Source: official docs, RAM: a role's temporary key may do what the role may.
func TestATemporaryKeyMayDoWhatTheRoleMay(t *testing.T) {
	w := newFeatures(t)
	r := sts.CreateAssumeRoleRequest()
	r.RoleArn, r.RoleSessionName = "acs:ram::1:role/builder", "test"
	answer, err := w.sts().AssumeRole(r)
	require.NoError(t, err)
	w.key, w.sec, w.token = answer.Credentials.AccessKeyId, answer.Credentials.AccessKeySecret, answer.Credentials.SecurityToken
	_, err = w.ecs().DescribeInstances(ecs.CreateDescribeInstancesRequest())
	require.NoError(t, err)
	_, err = w.ess().DescribeScalingGroups(ess.CreateDescribeScalingGroupsRequest())
	requireCode(t, err, 403, "Forbidden.RAM")
}

// Source: Terraform's provider, which sleeps and polls because the lists lag behind
// the writes.
func TestListsLagBehindWhatHappened(t *testing.T) {
	seconds := account.Duration(3 * time.Second)
	w := newFeatures(t, func(c *esssim.Config) { c.Delays.ListInstances = &seconds })
	_, err := w.scale("asg-plain", "TotalCapacity", "5")
	require.NoError(t, err)
	w.pass(time.Second)
	assert.Equal(t, 2, w.group("asg-plain").PendingCapacity, "the groups do not lag")
	assert.Equal(t, "InProgress", w.activities("asg-plain")[0].StatusCode, "nor do the activities")
	assert.Len(t, w.instances("asg-plain"), 3)
	w.pass(3*time.Second - time.Nanosecond)
	assert.Len(t, w.instances("asg-plain"), 3)
	w.pass(time.Nanosecond)
	assert.Len(t, w.ids("asg-plain", "Pending"), 2)
	w.pass(17 * time.Second)
	assert.Equal(t, 5, w.group("asg-plain").ActiveCapacity)
	assert.Len(t, w.ids("asg-plain", "Pending"), 2)

	victim := w.ids("asg-plain", "InService")[0]
	_, err = w.remove("asg-plain", nil, victim)
	require.NoError(t, err)
	w.pass(10 * time.Second)
	r := ess.CreateDescribeScalingInstancesRequest()
	r.InstanceId = &[]string{victim}
	answer, err := w.ess().DescribeScalingInstances(r)
	require.NoError(t, err)
	require.Len(t, answer.ScalingInstances.ScalingInstance, 1, "a ghost of what is gone")
	assert.Equal(t, "Removing", answer.ScalingInstances.ScalingInstance[0].LifecycleState)
	w.pass(3 * time.Second)
	answer, err = w.ess().DescribeScalingInstances(r)
	require.NoError(t, err)
	assert.Empty(t, answer.ScalingInstances.ScalingInstance)
}

func TestGroupListsLagOnTheirOwn(t *testing.T) {
	w := newFeatures(t)
	seconds, none := account.Duration(3*time.Second), account.Duration(0)
	require.NoError(t, w.sim.Account().SetDelays(account.DelayChange{ListGroups: &seconds}))
	_, err := w.scale("asg-plain", "TotalCapacity", "5")
	require.NoError(t, err)
	assert.Equal(t, 3, w.group("asg-plain").DesiredCapacity, "the write is not to be seen yet")
	w.pass(3*time.Second - time.Nanosecond)
	assert.Equal(t, 3, w.group("asg-plain").DesiredCapacity)
	w.pass(time.Nanosecond)
	assert.Equal(t, 5, w.group("asg-plain").DesiredCapacity)
	require.NoError(t, w.sim.Account().SetDelays(account.DelayChange{ListGroups: &none}))
	assert.Equal(t, 2, w.group("asg-plain").PendingCapacity)
}

// Source: an addition of this simulator.
func TestFaultsOfTheAccountFileHitOneEntity(t *testing.T) {
	w := newFeatures(t, func(c *esssim.Config) {
		c.Faults = []account.Fault{{API: "ScaleWithAdjustment", Kind: "error", Entity: "asg-eco"}}
	})
	_, err := w.scale("asg-eco", "TotalCapacity", "5")
	requireCode(t, err, 503, "ServiceUnavailable")
	_, err = w.scale("asg-plain", "TotalCapacity", "5")
	require.NoError(t, err)
	id := w.ids("asg-plain", "InService")[0]
	w.sim.ClearFaults()
	require.NoError(t, w.sim.InjectFault(esssim.Fault{API: "*", Kind: esssim.FaultError, Entity: id}))
	r := ecs.CreateDescribeInstancesRequest()
	r.InstanceIds = `["` + id + `"]`
	_, err = w.ecs().DescribeInstances(r)
	requireCode(t, err, 503, "ServiceUnavailable")
	cfg, err := esssim.Load("testdata/features.yaml")
	require.NoError(t, err)
	cfg.Faults = []account.Fault{{API: "*", Kind: "odd"}}
	_, err = esssim.New(esssim.Options{Config: cfg, Clock: w.clock})
	require.ErrorContains(t, err, "odd")
}
