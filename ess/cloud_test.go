package ess

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
)

func TestNewRefuses(t *testing.T) {
	valid := Options{Region: "cn-hangzhou", Credentials: testKey}
	for name, change := range map[string]func(*Options){
		"no region":                 func(o *Options) { o.Region = "" },
		"a region that is a host":   func(o *Options) { o.Region = "evil.example/" },
		"no credentials":            func(o *Options) { o.Credentials = nil },
		"plain http to elsewhere":   func(o *Options) { o.Endpoint = "http://192.0.2.1:80" },
		"plain http to a name":      func(o *Options) { o.Endpoint = "http://localhost.example" },
		"no scheme":                 func(o *Options) { o.Endpoint = "127.0.0.1:80" },
		"another scheme":            func(o *Options) { o.Endpoint = "ftp://127.0.0.1" },
		"a path":                    func(o *Options) { o.Endpoint = "http://127.0.0.1/ess" },
		"a query":                   func(o *Options) { o.Endpoint = "http://127.0.0.1/?a=b" },
		"a password":                func(o *Options) { o.Endpoint = "http://u:s3cr3t@127.0.0.1" },
		"a password, and not a URL": func(o *Options) { o.Endpoint = "http://u:s3cr3t@127.0.0.1:%zz" },
		"nothing behind the scheme": func(o *Options) { o.Endpoint = "https://" },
	} {
		o := valid
		change(&o)
		_, err := New(o)
		require.ErrorIs(t, err, cloudprovider.ErrInvalidArgument, name)
		assert.NotContains(t, err.Error(), "s3cr3t", name)
	}
	for _, endpoint := range []string{"", "http://127.0.0.1:8090", "http://127.8.8.8", "http://[::1]:80/", "http://localhost:1", "https://ess.example"} {
		o := valid
		o.Endpoint = endpoint
		c, err := New(o)
		require.NoError(t, err, endpoint)
		c.Close()
	}
}

func TestWhereRequestsGo(t *testing.T) {
	for _, test := range []struct{ region, endpoint, want string }{
		{"cn-hangzhou", "", "https://ess.aliyuncs.com"},
		{"ap-southeast-3", "", "https://ess.ap-southeast-3.aliyuncs.com"},
		{"cn-hangzhou", "http://127.0.0.1:8090", "http://127.0.0.1:8090"},
		{"cn-hangzhou", "https://proxy.example:8443", "https://proxy.example:8443"},
	} {
		c, s := scripted(t, func(o *Options) { o.Region, o.Endpoint = test.region, test.endpoint }, noGroups)
		require.NoError(t, readGroup(t.Context(), c))
		asked := s.asked[0]
		assert.Equal(t, test.want, asked.URL.Scheme+"://"+asked.URL.Host)
		query := asked.URL.Query()
		assert.Equal(t, test.region, query.Get("RegionId"))
		assert.Equal(t, testKeyID, query.Get("AccessKeyId"))
		assert.Equal(t, testToken, query.Get("SecurityToken"))
		assert.Equal(t, "HMAC-SHA1", query.Get("SignatureMethod"))
		assert.Contains(t, asked.Header.Get("User-Agent"), "buildpool")
	}
}

func TestProxyVariablesDoNotReachTheSDK(t *testing.T) {
	t.Setenv("NO_PROXY", "+not-a-regexp,*.example")
	t.Setenv("HTTPS_PROXY", "http://user:s3cr3t@proxy :80")
	c, _ := scripted(t, nil, noGroups)
	require.NoError(t, readGroup(t.Context(), c))
}

func TestWritesSayWhatTheyAsk(t *testing.T) {
	c, s := scripted(t, nil, accepted)
	id, err := c.SetCapacity(t.Context(), cloudprovider.SetCapacity{GroupID: "asg-a", Total: 7, Token: "t1", Metadata: "who"})
	require.NoError(t, err)
	assert.Equal(t, "asa-1", id)
	assertAsked(t, s.asked[0], map[string]string{
		"Action": "ScaleWithAdjustment", "ScalingGroupId": "asg-a", "AdjustmentType": "TotalCapacity", "AdjustmentValue": "7",
		"SyncActivity": "true", "ClientToken": "t1", "ActivityMetadata": "who",
	})
	_, err = c.RemoveInstances(t.Context(), cloudprovider.RemoveInstances{GroupID: "asg-a", InstanceIDs: []string{"i-b", "i-a"}, Token: "t2"})
	require.NoError(t, err)
	assertAsked(t, s.asked[1], map[string]string{
		"Action": "RemoveInstances", "ScalingGroupId": "asg-a", "InstanceId.1": "i-b", "InstanceId.2": "i-a",
		"DecreaseDesiredCapacity": "true", "IgnoreInvalidInstance": "false", "ClientToken": "t2", "RemovePolicy": "",
	})
}

func assertAsked(t *testing.T, r *http.Request, want map[string]string) {
	t.Helper()
	for name, value := range want {
		assert.Equal(t, value, r.URL.Query().Get(name), name)
	}
}

func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		registry := prometheus.NewPedanticRegistry()
		c, _ := scripted(t, func(o *Options) {
			o.Registerer = registry
			o.Limits.Default = Rate{PerSecond: 1, Burst: 1}
		}, dropped, throttled, noGroups)
		require.NoError(t, readGroup(t.Context(), c))
		require.NoError(t, testutil.GatherAndCompare(registry, strings.NewReader(`
# HELP buildpool_ess_limit_wait_seconds_total Time that requests waited before they were sent: for the rate limit of our own, or because the cloud had throttled the API.
# TYPE buildpool_ess_limit_wait_seconds_total counter
buildpool_ess_limit_wait_seconds_total{api="DescribeScalingGroups"} 2
# HELP buildpool_ess_requests_total Requests sent to Alibaba Cloud, each attempt counted, by API and by the answer's error code: OK, the cloud's own code, or network, timeout, canceled, unreadable, refused, credentials, http_<status>.
# TYPE buildpool_ess_requests_total counter
buildpool_ess_requests_total{api="DescribeScalingGroups",code="OK"} 1
buildpool_ess_requests_total{api="DescribeScalingGroups",code="Throttling.User"} 1
buildpool_ess_requests_total{api="DescribeScalingGroups",code="network"} 1
# HELP buildpool_ess_retries_total Attempts beyond the first of a call to Alibaba Cloud.
# TYPE buildpool_ess_retries_total counter
buildpool_ess_retries_total{api="DescribeScalingGroups"} 2
`), "buildpool_ess_requests_total", "buildpool_ess_retries_total", "buildpool_ess_limit_wait_seconds_total"))
		problems, err := testutil.GatherAndLint(registry)
		require.NoError(t, err)
		assert.Empty(t, problems)

		_, err = New(Options{Region: "cn-hangzhou", Credentials: testKey, Registerer: registry})
		assert.ErrorContains(t, err, "register metrics", "two accounts cannot share names")
	})
}
