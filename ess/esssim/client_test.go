package esssim_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/auth/credentials"
	sdkerrors "github.com/aliyun/alibaba-cloud-sdk-go/sdk/errors"
	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/sts"
	"github.com/aliyun/alibaba-cloud-sdk-go/services/vpc"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/ess/esssim"
)

const region = "cn-hangzhou"

var start = time.Date(2026, 8, 3, 15, 0, 0, 0, time.UTC)

// world is a simulator behind a real HTTP server, called by the real SDK. The
// account's clock is the test's; requests are dated by the wall clock, as the SDK
// signs with it.
type world struct {
	t     *testing.T
	sim   *esssim.Simulator
	clock *clocktesting.FakePassiveClock
	url   string
	key   string
	sec   string
	token string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	cfg, err := esssim.Load("testdata/account.yaml")
	require.NoError(t, err)
	return newWorldOf(t, cfg)
}

func newWorldOf(t *testing.T, cfg esssim.Config) *world {
	t.Helper()
	fake := clocktesting.NewFakePassiveClock(start)
	sim, err := esssim.New(esssim.Options{Config: cfg, Clock: fake, AuthClock: clock.RealClock{}, Seed: 1})
	require.NoError(t, err)
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	return &world{t: t, sim: sim, clock: fake, url: server.URL, key: "sim-access-key", sec: "sim-secret"}
}

func (w *world) pass(d time.Duration) { w.clock.SetTime(w.clock.Now().Add(d)) }

// roundTripper hides that it is an *http.Transport, which the SDK would change.
type roundTripper struct{ http.RoundTripper }

func (w *world) options() (*sdk.Config, *credentials.StsTokenCredential) {
	cfg := sdk.NewConfig().WithScheme("HTTP").WithTimeout(5 * time.Second)
	cfg.Transport = roundTripper{http.DefaultTransport}
	return cfg, credentials.NewStsTokenCredential(w.key, w.sec, w.token)
}

func integer(text string) requests.Integer { return requests.Integer(text) }

func (w *world) domain() string { return strings.TrimPrefix(w.url, "http://") }

func (w *world) ess() *ess.Client {
	cfg, credential := w.options()
	client, err := ess.NewClientWithOptions(region, cfg, credential)
	require.NoError(w.t, err)
	client.Domain = w.domain()
	return client
}

func (w *world) ecs() *ecs.Client {
	cfg, credential := w.options()
	client, err := ecs.NewClientWithOptions(region, cfg, credential)
	require.NoError(w.t, err)
	client.Domain = w.domain()
	return client
}

func (w *world) vpc() *vpc.Client {
	cfg, credential := w.options()
	client, err := vpc.NewClientWithOptions(region, cfg, credential)
	require.NoError(w.t, err)
	client.Domain = w.domain()
	return client
}

func (w *world) sts() *sts.Client {
	cfg, credential := w.options()
	client, err := sts.NewClientWithOptions(region, cfg, credential)
	require.NoError(w.t, err)
	client.Domain = w.domain()
	return client
}

// requireCode checks that the SDK understood an error as the service meant it.
func requireCode(t *testing.T, err error, status int, code string) {
	t.Helper()
	var server *sdkerrors.ServerError
	require.ErrorAs(t, err, &server)
	require.Equal(t, code, server.ErrorCode())
	require.Equal(t, status, server.HttpStatus())
	require.NotEmpty(t, server.RequestId())
}

func (w *world) groups(ids ...string) []ess.ScalingGroup {
	w.t.Helper()
	r := ess.CreateDescribeScalingGroupsRequest()
	r.ScalingGroupId = &ids
	answer, err := w.ess().DescribeScalingGroups(r)
	require.NoError(w.t, err)
	return answer.ScalingGroups.ScalingGroup
}

func (w *world) group(id string) ess.ScalingGroup {
	w.t.Helper()
	groups := w.groups(id)
	require.Len(w.t, groups, 1)
	return groups[0]
}

func (w *world) instances(group string) []ess.ScalingInstance {
	w.t.Helper()
	r := ess.CreateDescribeScalingInstancesRequest()
	r.ScalingGroupId = group
	r.PageSize = "100"
	answer, err := w.ess().DescribeScalingInstances(r)
	require.NoError(w.t, err)
	return answer.ScalingInstances.ScalingInstance
}

func (w *world) scale(group, how, value string) (*ess.ScaleWithAdjustmentResponse, error) {
	r := ess.CreateScaleWithAdjustmentRequest()
	r.ScalingGroupId, r.AdjustmentType = group, how
	r.AdjustmentValue = requests.Integer(value)
	return w.ess().ScaleWithAdjustment(r)
}

func (w *world) activity(id string) ess.ScalingActivity {
	w.t.Helper()
	r := ess.CreateDescribeScalingActivitiesRequest()
	r.ScalingActivityId = &[]string{id}
	answer, err := w.ess().DescribeScalingActivities(r)
	require.NoError(w.t, err)
	require.Len(w.t, answer.ScalingActivities.ScalingActivity, 1)
	return answer.ScalingActivities.ScalingActivity[0]
}

func (w *world) activities(group string) []ess.ScalingActivity {
	w.t.Helper()
	r := ess.CreateDescribeScalingActivitiesRequest()
	r.ScalingGroupId = group
	r.PageSize = "50"
	answer, err := w.ess().DescribeScalingActivities(r)
	require.NoError(w.t, err)
	return answer.ScalingActivities.ScalingActivity
}
