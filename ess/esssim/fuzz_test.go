package esssim_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// FuzzRPC sends arbitrary queries and forms: never a panic, always JSON, and never
// 200 without a valid signature.
func FuzzRPC(f *testing.F) {
	c := newCaller(f)
	good := signed(http.MethodGet, c.params("DescribeScalingGroups", essVersion), "sim-secret")
	f.Add(true, good.Encode(), "")
	good.Set("Signature", "forged")
	f.Add(true, good.Encode(), "")
	f.Add(false, "Action=DescribeScalingInstances&Version="+essVersion, good.Encode())
	f.Add(false, "Action=RemoveInstances&InstanceId.1=i&InstanceId.-1=x&InstanceId.99999999999999999999=x", "%")
	f.Fuzz(func(t *testing.T, get bool, query, form string) {
		c := newCaller(t)
		values, err := url.ParseQuery(query)
		if err != nil {
			return // not a URL that a client could ask for
		}
		method := http.MethodPost
		if get {
			method = http.MethodGet
		}
		r := httptest.NewRequest(method, "/?"+values.Encode(), strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		w := httptest.NewRecorder()
		c.sim.ServeHTTP(w, r)
		require.True(t, json.Valid(w.Body.Bytes()), "%q", w.Body.String())
		if w.Code != http.StatusOK {
			return
		}
		all := map[string]string{}
		for name, value := range r.Form {
			all[name] = value[0]
		}
		delete(all, "Signature")
		require.Equal(t, signed(method, all, "sim-secret").Get("Signature"), r.Form.Get("Signature"), "answered without a valid signature")
	})
}

// FuzzActions sends arbitrary parameters of known actions, rightly signed: never a
// panic and never an error that the account does not mean.
func FuzzActions(f *testing.F) {
	f.Add("ScaleWithAdjustment", essVersion, "ScalingGroupId=asg-spot&AdjustmentType=TotalCapacity&AdjustmentValue=3")
	f.Add("DescribeScalingGroups", essVersion, "PageSize=50&PageNumber=9223372036854775807&Tag.1.Key=team")
	f.Add("DescribeScalingInstances", essVersion, "PageSize=100&PageNumber=4611686018427387904")
	f.Add("DescribeInstances", "2014-05-26", `InstanceIds=["i"]&NextToken=bmV4dDoxMDA=`)
	f.Add("DescribeSpotPriceHistory", "2014-05-26", "InstanceType=ecs.c7.2xlarge&StartTime=0001-01-01T00:00:00Z&Offset=999999999")
	f.Add("AssumeRole", "2015-04-01", "RoleArn=acs:ram::1:role/x&RoleSessionName=s&DurationSeconds=900")
	f.Add("ModifyScalingGroup", essVersion, "ScalingGroupId=asg-spot&DesiredCapacity=-1")
	f.Fuzz(func(t *testing.T, action, version, query string) {
		c := newCaller(t)
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		p := c.params(action, version)
		for name, value := range values {
			if _, protocol := p[name]; !protocol && name != "SecurityToken" && name != "Signature" {
				p[name] = value[0]
			}
		}
		w := c.get(signed(http.MethodGet, p, "sim-secret"))
		require.Less(t, w.Code, 500, w.Body.String())
		require.True(t, json.Valid(w.Body.Bytes()))
	})
}
