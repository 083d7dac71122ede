package esssim_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func decode[T any](t *testing.T, data []byte) T {
	t.Helper()
	var v T
	require.NoError(t, json.Unmarshal(data, &v))
	return v
}

func (c *caller) admin(method, path, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	c.sim.ServeHTTP(w, httptest.NewRequest(method, "/admin/"+path, strings.NewReader(body)))
	return w
}

type adminState struct {
	Now    time.Time
	Groups []struct {
		ID                       string
		Lifecycle                string
		Min, Max, Desired, Total int
		Counters                 struct{ InService, Pending, Removing int }
		Instances                []struct{ ID, State, Zone, Type string }
		Activities               []struct{ ID, Kind, Status string }
	}
	Stock []struct {
		Zone, Type, Charge string
		Count, Used        int
	}
}

func (c *caller) state(t *testing.T) adminState {
	w := c.admin("GET", "state", "")
	require.Equal(t, 200, w.Code)
	return decode[adminState](t, w.Body.Bytes())
}

func TestAdminReadsAndChangesTheAccount(t *testing.T) {
	c := newCaller(t)
	state := c.state(t)
	require.Len(t, state.Groups, 4)
	assert.Equal(t, "asg-normal", state.Groups[1].ID)
	assert.Equal(t, 3, state.Groups[1].Counters.InService)
	assert.Len(t, state.Groups[1].Instances, 3)

	require.Equal(t, 200, c.admin("POST", "groups/asg-spot", `{"desired": 1, "max": 2}`).Code)
	require.Equal(t, 200, c.admin("POST", "stock", `{"zone":"cn-hangzhou-h","type":"ecs.c7.2xlarge","charge":"spot","count":0}`).Code)
	require.Equal(t, 200, c.admin("POST", "delays", `{"create":"1s"}`).Code)
	c.clock.Step(time.Second)
	c.state(t)
	c.clock.Step(time.Second)
	spot := c.state(t).Groups[0]
	assert.Equal(t, 1, spot.Counters.InService)
	assert.Equal(t, "cn-hangzhou-i", spot.Instances[0].Zone)
	assert.Equal(t, "Successful", spot.Activities[0].Status)
	assert.Equal(t, "add", spot.Activities[0].Kind)

	require.Equal(t, 200, c.admin("POST", "reclaim", `{"instanceId":"`+spot.Instances[0].ID+`","notice":"0s"}`).Code)
	assert.Empty(t, c.state(t).Groups[0].Instances)
	require.Equal(t, 200, c.admin("POST", "groups/asg-spot", `{"lifecycle":"Inactive"}`).Code)
	assert.Equal(t, "Inactive", c.state(t).Groups[0].Lifecycle)
}

func TestAdminCallsHaveNoSecrets(t *testing.T) {
	c := newCaller(t)
	p := c.params("DescribeScalingGroups", essVersion)
	p["ScalingGroupId.1"] = "asg-spot"
	values := signed(http.MethodGet, p, "sim-secret")
	require.Equal(t, 200, c.get(values).Code)
	values.Set("Signature", "forged")
	require.Equal(t, 400, c.get(values).Code)
	w := c.admin("GET", "calls", "")
	body := w.Body.String()
	for _, secret := range []string{"sim-secret", "sim-access-key", "Signature\"", "forged"} {
		assert.NotContains(t, body, secret)
	}
	calls := decode[struct {
		Counts map[string]int
		Calls  []struct {
			At     time.Time
			API    string
			Params map[string]string
			Status int
			Code   string
		}
	}](t, w.Body.Bytes())
	assert.Equal(t, 2, calls.Counts["DescribeScalingGroups"])
	require.Len(t, calls.Calls, 2)
	assert.Equal(t, map[string]string{"ScalingGroupId.1": "asg-spot"}, calls.Calls[0].Params)
	assert.Equal(t, 200, calls.Calls[0].Status)
	assert.Equal(t, "SignatureDoesNotMatch", calls.Calls[1].Code)
	assert.Equal(t, start, calls.Calls[0].At)
	require.Equal(t, 200, c.admin("DELETE", "calls", "").Code)
	assert.Empty(t, c.sim.Calls())
	assert.Empty(t, c.sim.Transcript())
}

func TestAdminInjectsFaults(t *testing.T) {
	c := newCaller(t)
	require.Equal(t, 200, c.admin("POST", "faults", `{"api":"*","kind":"error","rate":1,"status":500,"code":"InternalError"}`).Code)
	call := func() int {
		return c.get(signed(http.MethodGet, c.params("DescribeScalingGroups", essVersion), "sim-secret")).Code
	}
	assert.Equal(t, 500, call())
	require.Equal(t, 200, c.admin("DELETE", "faults", "").Code)
	assert.Equal(t, 200, call())
}

func TestAdminReachesWhatTheAPIDoesNot(t *testing.T) {
	c := newCaller(t)
	id := c.state(t).Groups[1].Instances[0].ID
	for _, test := range []struct{ path, body string }{
		{"health", `{"instanceId":"` + id + `","status":"Unhealthy"}`},
		{"quotas", `{"onDemandVCPUs": 0}`},
		{"prices", `{"zone":"cn-hangzhou-h","type":"ecs.c7.2xlarge","price":1.5}`},
		{"permissions", `{"accessKey":"sim-access-key","allow":["ess:Describe*"]}`},
		{"delays", `{"listInstances":"1s","listGroups":"1s","start":"1s","health":"1s"}`},
		{"exclusive", `{"groupId":"asg-normal","kind":"alarm","lasts":"30s"}`},
	} {
		w := c.admin("POST", test.path, test.body)
		assert.Equal(t, 200, w.Code, "%s: %s", test.path, w.Body)
	}
	assert.Contains(t, c.admin("GET", "state", "").Body.String(), `"unhealthy": true`)
	p := c.params("ScaleWithAdjustment", essVersion)
	w := c.get(signed(http.MethodGet, p, "sim-secret"))
	assert.Equal(t, "Forbidden.RAM", code(t, w))
	for _, test := range []struct{ path, body, says string }{
		{"health", `{"instanceId":"i-nowhere","status":"Unhealthy"}`, "does not exist"},
		{"quotas", `{"instances":-1}`, "negative"},
		{"prices", `{"zone":"nowhere","type":"ecs.c7.2xlarge"}`, "nowhere"},
		{"prices", `{"zone":"cn-hangzhou-h","type":"ecs.none"}`, "ecs.none"},
		{"prices", `{"zone":"cn-hangzhou-h","type":"ecs.c7.2xlarge","price":-1}`, "negative"},
		{"permissions", `{"accessKey":"nobody"}`, "no such access key"},
		{"exclusive", `{"groupId":"asg-normal","kind":"party","lasts":"30s"}`, "party"},
		{"exclusive", `{"groupId":"asg-normal","kind":"alarm"}`, "positive"},
		{"exclusive", `{"groupId":"asg-off","kind":"alarm","lasts":"30s"}`, "IncorrectScalingGroupStatus"},
	} {
		w := c.admin("POST", test.path, test.body)
		assert.Equal(t, 400, w.Code, test.path)
		assert.Contains(t, w.Body.String(), test.says)
	}
}

func TestAdminErrorsAreReadable(t *testing.T) {
	c := newCaller(t)
	for _, test := range []struct{ method, path, body, says string }{
		{"POST", "stock", `{"zone":"nowhere"}`, `no vSwitch is in "nowhere"`},
		{"POST", "stock", `{"zones":"x"}`, "unknown field"},
		{"POST", "delays", `{"create":"soon"}`, "not a duration"},
		{"POST", "delays", `{"retry":"1ms"}`, "delays.retry"},
		{"POST", "faults", `{"api":"*","kind":"flood"}`, "kind"},
		{"POST", "reclaim", `{"instanceId":"i-nowhere"}`, "does not exist"},
		{"POST", "groups/asg-nowhere", `{}`, "does not exist"},
		{"POST", "groups/asg-spot", `{"min": 5, "max": 2}`, "min 5 and max 2"},
		{"POST", "groups/asg-spot", `{"lifecycle": "Sleeping"}`, "Sleeping"},
		{"GET", "stokc", ``, "POST stock"},
	} {
		w := c.admin(test.method, test.path, test.body)
		assert.GreaterOrEqual(t, w.Code, 400, test.path)
		assert.Contains(t, strings.ReplaceAll(decode[struct{ Error string }](t, w.Body.Bytes()).Error, `\"`, `"`), test.says)
	}
}
