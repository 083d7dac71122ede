package esssim_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/ess/esssim"
)

// caller makes requests by hand, to get them wrong in one place at a time. Both
// clocks are the test's.
type caller struct {
	sim   *esssim.Simulator
	clock *clocktesting.FakeClock
	nonce int
}

func newCaller(t testing.TB) *caller {
	cfg, err := esssim.Load("testdata/account.yaml")
	require.NoError(t, err)
	fake := clocktesting.NewFakeClock(start)
	sim, err := esssim.New(esssim.Options{Config: cfg, Clock: fake, AuthClock: fake, Seed: 1})
	require.NoError(t, err)
	return &caller{sim: sim, clock: fake}
}

// params are those of a good request, unsigned.
func (c *caller) params(action, version string) map[string]string {
	return c.paramsAt(c.clock.Now(), action, version)
}

func (c *caller) paramsAt(now time.Time, action, version string) map[string]string {
	c.nonce++
	return map[string]string{
		"AccessKeyId": "sim-access-key", "Action": action, "Version": version, "Format": "JSON", "RegionId": region,
		"SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "SignatureNonce": fmt.Sprint(c.nonce),
		"Timestamp": now.UTC().Format("2006-01-02T15:04:05Z"),
	}
}

func signed(method string, p map[string]string, secret string) url.Values {
	values := url.Values{}
	for k, v := range p {
		values.Set(k, v)
	}
	escape := strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace
	text := method + "&%2F&" + escape(url.QueryEscape(escape(values.Encode())))
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	mac.Write([]byte(text))
	values.Set("Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return values
}

func (c *caller) get(values url.Values) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	c.sim.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/?"+values.Encode(), nil))
	return w
}

func code(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var body struct{ RequestId, HostId, Code, Message string }
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
	assert.Equal(t, w.Header().Get("x-acs-request-id"), body.RequestId)
	assert.NotEmpty(t, body.RequestId)
	if w.Code != http.StatusOK {
		assert.NotEmpty(t, body.Message)
		assert.NotEmpty(t, body.HostId)
	}
	assert.NotContains(t, w.Body.String(), "sim-secret")
	assert.NotContains(t, w.Body.String(), "sim-token")
	return body.Code
}

const essVersion = "2014-08-28"

func TestAuthentication(t *testing.T) {
	for name, test := range map[string]struct {
		change func(p map[string]string)
		secret string
		status int
		code   string
	}{
		"good":             {status: 200},
		"wrong secret":     {secret: "other", status: 400, code: "SignatureDoesNotMatch"},
		"unknown key":      {func(p map[string]string) { p["AccessKeyId"] = "nobody" }, "", 404, "InvalidAccessKeyId.NotFound"},
		"no key":           {func(p map[string]string) { delete(p, "AccessKeyId") }, "", 400, "MissingAccessKeyId"},
		"needless token":   {func(p map[string]string) { p["SecurityToken"] = "x" }, "", 400, "InvalidSecurityToken.MismatchWithAccessKey"},
		"missing token":    {func(p map[string]string) { p["AccessKeyId"] = "sim-temporary" }, "", 400, "MissingSecurityToken"},
		"wrong token":      {func(p map[string]string) { p["AccessKeyId"], p["SecurityToken"] = "sim-temporary", "x" }, "", 400, "InvalidSecurityToken.Malformed"},
		"expired token":    {func(p map[string]string) { p["AccessKeyId"], p["SecurityToken"] = "sim-temporary", "sim-token" }, "", 400, "InvalidSecurityToken.Expired"},
		"15 minutes old":   {func(p map[string]string) { p["Timestamp"] = "2026-08-03T14:45:00Z" }, "", 200, ""},
		"older":            {func(p map[string]string) { p["Timestamp"] = "2026-08-03T14:44:59Z" }, "", 400, "InvalidTimeStamp.Expired"},
		"15 minutes ahead": {func(p map[string]string) { p["Timestamp"] = "2026-08-03T15:15:00Z" }, "", 200, ""},
		"further ahead":    {func(p map[string]string) { p["Timestamp"] = "2026-08-03T15:15:01Z" }, "", 400, "InvalidTimeStamp.Expired"},
		"no time":          {func(p map[string]string) { p["Timestamp"] = "now" }, "", 400, "InvalidTimeStamp.Format"},
		"TimeStamp":        {func(p map[string]string) { p["TimeStamp"] = p["Timestamp"]; delete(p, "Timestamp") }, "", 200, ""},
		"no nonce":         {func(p map[string]string) { delete(p, "SignatureNonce") }, "", 400, "MissingParameter"},
		"other method":     {func(p map[string]string) { p["SignatureMethod"] = "HMAC-SHA256" }, "", 400, "InvalidSignatureMethod"},
		"XML":              {func(p map[string]string) { p["Format"] = "XML" }, "", 400, "UnsupportedOperation"},
		"other region":     {func(p map[string]string) { p["RegionId"] = "cn-beijing" }, "", 404, "InvalidRegionId.NotFound"},
		"no action":        {func(p map[string]string) { delete(p, "Action") }, "", 400, "MissingParameter"},
		"unknown action":   {func(p map[string]string) { p["Action"] = "DeleteScalingGroup" }, "", 404, "InvalidAction.NotFound"},
		"other product's":  {func(p map[string]string) { p["Version"] = "2014-05-26" }, "", 404, "InvalidAction.NotFound"},
		"unknown version":  {func(p map[string]string) { p["Version"] = "2022-02-22" }, "", 400, "InvalidVersion"},
		"odd characters":   {func(p map[string]string) { p["ScalingGroupName"] = "中 *~+/='\"&" }, "", 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCaller(t)
			p := c.params("DescribeScalingGroups", essVersion)
			if test.change != nil {
				test.change(p)
			}
			secret := test.secret
			if secret == "" {
				secret = "sim-secret"
			}
			w := c.get(signed(http.MethodGet, p, secret))
			assert.Equal(t, test.status, w.Code)
			assert.Equal(t, test.code, code(t, w))
		})
	}
}

func TestUnsignedIsRefused(t *testing.T) {
	c := newCaller(t)
	values := signed(http.MethodGet, c.params("DescribeScalingGroups", essVersion), "sim-secret")
	values.Del("Signature")
	w := c.get(values)
	assert.Equal(t, "IncompleteSignature", code(t, w))
}

func TestANonceServesOnce(t *testing.T) {
	c := newCaller(t)
	values := signed(http.MethodGet, c.params("DescribeScalingGroups", essVersion), "sim-secret")
	assert.Equal(t, 200, c.get(values).Code)
	w := c.get(values)
	assert.Equal(t, 400, w.Code)
	assert.Equal(t, "SignatureNonceUsed", code(t, w))
}

func TestParametersMayComeInQueryAndForm(t *testing.T) {
	c := newCaller(t)
	p := c.params("DescribeScalingGroups", essVersion)
	p["ScalingGroupId.1"] = "asg-spot"
	values := signed(http.MethodPost, p, "sim-secret")
	form := url.Values{"ScalingGroupId.1": values["ScalingGroupId.1"], "Signature": values["Signature"]}
	query := maps.Clone(values)
	query.Del("ScalingGroupId.1")
	query.Del("Signature")
	r := httptest.NewRequest(http.MethodPost, "/?"+query.Encode(), strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	c.sim.ServeHTTP(w, r)
	assert.Equal(t, 200, w.Code, w.Body.String())
	assert.Contains(t, w.Body.String(), `"TotalCount":1`)
}

func TestOddRequestsAreRefused(t *testing.T) {
	c := newCaller(t)
	values := signed(http.MethodPut, c.params("DescribeScalingGroups", essVersion), "sim-secret")
	w := httptest.NewRecorder()
	c.sim.ServeHTTP(w, httptest.NewRequest(http.MethodPut, "/?"+values.Encode(), nil))
	assert.Equal(t, 405, w.Code)

	r := httptest.NewRequest(http.MethodPost, "/", io.LimitReader(endless{}, 2<<20))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w = httptest.NewRecorder()
	c.sim.ServeHTTP(w, r)
	assert.Equal(t, 400, w.Code)
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

func TestThrottleWindows(t *testing.T) {
	cfg, err := esssim.Load("testdata/account.yaml")
	require.NoError(t, err)
	cfg.Throttle = []throttleOf{{API: "*", Requests: 3, Per: minute}, {API: "DescribeScalingInstances", Requests: 1, Per: minute}}
	fake := clocktesting.NewFakeClock(start.Add(10 * time.Second))
	sim, err := esssim.New(esssim.Options{Config: cfg, Clock: fake, AuthClock: fake})
	require.NoError(t, err)
	c := &caller{sim: sim, clock: fake}
	call := func(api string) *httptest.ResponseRecorder {
		return c.get(signed(http.MethodGet, c.params(api, essVersion), "sim-secret"))
	}
	w := call("DescribeScalingInstances")
	assert.Equal(t, 200, w.Code)
	assert.Equal(t, fmt.Sprintf("Limit:1,Remain:0,TimeLeft:50000,Reset:%d", start.Add(time.Minute).UnixMilli()), w.Header().Get("x-ratelimit-user-api"))
	w = call("DescribeScalingInstances")
	assert.Equal(t, 400, w.Code)
	assert.Equal(t, "Throttling.User", code(t, w))
	for range 3 {
		assert.Equal(t, 200, call("DescribeScalingGroups").Code, "each API has its own window")
	}
	assert.Equal(t, 400, call("DescribeScalingGroups").Code)
	fake.SetTime(start.Add(time.Minute - time.Nanosecond))
	assert.Equal(t, 400, call("DescribeScalingGroups").Code)
	fake.SetTime(start.Add(time.Minute))
	assert.Equal(t, 200, call("DescribeScalingGroups").Code)
}
