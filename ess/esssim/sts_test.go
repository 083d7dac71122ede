package esssim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const roleARN = "acs:ram::1234567890:role/buildpool"

func TestAssumedRoleMayCall(t *testing.T) {
	w := newWorld(t)
	r := sts.CreateAssumeRoleRequest()
	r.RoleArn, r.RoleSessionName = roleARN, "test"
	answer, err := w.sts().AssumeRole(r)
	require.NoError(t, err)
	assert.Equal(t, "acs:ram::1234567890:role/buildpool/test", answer.AssumedRoleUser.Arn)
	expires, err := time.Parse(time.RFC3339, answer.Credentials.Expiration)
	require.NoError(t, err)
	assert.False(t, expires.IsZero())

	w.key, w.sec, w.token = answer.Credentials.AccessKeyId, answer.Credentials.AccessKeySecret, answer.Credentials.SecurityToken
	assert.Equal(t, "asg-spot", w.group("asg-spot").ScalingGroupId)
	w.token = ""
	_, err = w.ess().DescribeScalingGroups(ess.CreateDescribeScalingGroupsRequest())
	requireCode(t, err, 400, "MissingSecurityToken")
}

func TestAssumeRoleWithOIDCNeedsNoKey(t *testing.T) {
	w := newWorld(t)
	w.key, w.sec = "nobody", "nothing"
	r := sts.CreateAssumeRoleWithOIDCRequest()
	r.RoleArn, r.RoleSessionName, r.OIDCProviderArn, r.OIDCToken = roleARN, "test", "acs:ram::1234567890:oidc-provider/ack", "header.payload.signature"
	answer, err := w.sts().AssumeRoleWithOIDC(r)
	require.NoError(t, err)
	w.key, w.sec, w.token = answer.Credentials.AccessKeyId, answer.Credentials.AccessKeySecret, answer.Credentials.SecurityToken
	assert.Len(t, w.groups(), 4)
	for _, call := range w.sim.Transcript() {
		assert.NotContains(t, call.Params, "OIDCToken")
		assert.NotContains(t, call.Params, "SecurityToken")
	}
}

func TestTemporaryKeysExpire(t *testing.T) {
	c := newCaller(t)
	p := c.params("AssumeRoleWithOIDC", "2015-04-01")
	p["RoleArn"], p["RoleSessionName"], p["OIDCProviderArn"], p["OIDCToken"], p["DurationSeconds"] = roleARN, "s", "x", "x", "900"
	w := c.get(signed(http.MethodGet, p, "sim-secret"))
	require.Equal(t, 200, w.Code)
	key := decode[struct {
		Credentials struct{ AccessKeyId, AccessKeySecret, SecurityToken, Expiration string }
	}](t, w.Body.Bytes()).Credentials
	assert.Equal(t, "2026-08-03T15:15:00Z", key.Expiration)
	call := func() (int, string) {
		p := c.params("DescribeScalingGroups", essVersion)
		p["AccessKeyId"], p["SecurityToken"] = key.AccessKeyId, key.SecurityToken
		w := c.get(signed(http.MethodGet, p, key.AccessKeySecret))
		return w.Code, code(t, w)
	}
	c.clock.Step(15*time.Minute - time.Nanosecond)
	status, _ := call()
	assert.Equal(t, 200, status)
	c.clock.Step(time.Nanosecond)
	_, reason := call()
	assert.Equal(t, "InvalidSecurityToken.Expired", reason)
}

func TestAssumeRoleIsChecked(t *testing.T) {
	w := newWorld(t)
	for reason, set := range map[string]func(*sts.AssumeRoleRequest){
		"MissingParameter":         func(r *sts.AssumeRoleRequest) { r.RoleArn = "" },
		"InvalidParameter.RoleArn": func(r *sts.AssumeRoleRequest) { r.RoleArn = "buildpool" },
		"InvalidParameter":         func(r *sts.AssumeRoleRequest) { r.DurationSeconds = "899" },
	} {
		r := sts.CreateAssumeRoleRequest()
		r.RoleArn, r.RoleSessionName = roleARN, "test"
		set(r)
		_, err := w.sts().AssumeRole(r)
		requireCode(t, err, 400, reason)
	}
}
