package esssim_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/ess/esssim"
)

// largeAccount has as many groups, each with as many instances in service.
func largeAccount(t testing.TB, groups, instances int) esssim.Config {
	text := &strings.Builder{}
	text.WriteString(`apiVersion: buildpool/v1alpha1
kind: Account
region: cn-hangzhou
accessKeys: [{id: sim-access-key, secret: sim-secret}]
vSwitches: [{id: vsw-h, zone: cn-hangzhou-h}]
instanceTypes: [{name: ecs.c7.2xlarge, cpus: 8, memoryGiB: 16, pricePerHour: 1.6308}]
scalingGroups:
`)
	for n := range groups {
		fmt.Fprintf(text, `  - id: asg-%d
    max: 2000
    inService: %d
    expectedNumberMode: true
    vSwitchIds: [vsw-h]
    scalingConfiguration: {id: asc-%d, instanceTypes: [ecs.c7.2xlarge]}
`, n, instances, n)
	}
	cfg, err := esssim.Parse("large.yaml", []byte(text.String()))
	require.NoError(t, err)
	return cfg
}

func TestConcurrentClients(t *testing.T) {
	w := newWorldOf(t, largeAccount(t, 4, 10))
	var clients sync.WaitGroup
	for n := range 32 {
		clients.Go(func() {
			group := fmt.Sprintf("asg-%d", n%4)
			for round := range 5 {
				r := ess.CreateScaleWithAdjustmentRequest()
				r.ScalingGroupId, r.AdjustmentType, r.AdjustmentValue = group, "TotalCapacity", integer(fmt.Sprint(100+n+round))
				_, err := w.ess().ScaleWithAdjustment(r)
				if err != nil {
					assert.ErrorContains(t, err, "NoChange")
				}
				w.clock.SetTime(w.clock.Now().Add(time.Second))
				d := ess.CreateDescribeScalingInstancesRequest()
				d.ScalingGroupId = group
				_, err = w.ess().DescribeScalingInstances(d)
				assert.NoError(t, err)
				w.sim.State()
				w.sim.Transcript()
			}
		})
	}
	clients.Wait()
	assert.Equal(t, 160, w.sim.Calls()["DescribeScalingInstances"])
	// Each look moves the account on by one step of the slowest delay, after which
	// every group has what the last write asked for.
	for range 4 {
		w.pass(time.Minute)
		w.sim.State()
	}
	for _, g := range w.sim.State().Groups {
		assert.Equal(t, g.Desired, g.Counters.InService)
	}
}

func benchmarkedCaller(b *testing.B, groups, instances int) *caller {
	fake := clocktesting.NewFakeClock(start)
	sim, err := esssim.New(esssim.Options{Config: largeAccount(b, groups, instances), Clock: fake, AuthClock: fake})
	require.NoError(b, err)
	return &caller{sim: sim, clock: fake}
}

func (c *caller) benchmark(b *testing.B, action string, params map[string]string) {
	b.ReportAllocs()
	for b.Loop() {
		p := c.params(action, essVersion)
		for name, value := range params {
			p[name] = value
		}
		if w := c.get(signed(http.MethodGet, p, "sim-secret")); w.Code != 200 {
			b.Fatal(w.Body.String())
		}
	}
}

// 10,000 instances in 5 groups of 2,000: one page of 100 in the middle.
func BenchmarkDescribeScalingInstances(b *testing.B) {
	c := benchmarkedCaller(b, 5, 2000)
	c.benchmark(b, "DescribeScalingInstances", map[string]string{"ScalingGroupId": "asg-2", "PageSize": "100", "PageNumber": "10"})
}

// 200 groups of 50: the 20 groups that one call may name.
func BenchmarkDescribeScalingGroups(b *testing.B) {
	c := benchmarkedCaller(b, 200, 50)
	params := map[string]string{"PageSize": "50"}
	for n := range 20 {
		params[fmt.Sprintf("ScalingGroupId.%d", n+1)] = fmt.Sprintf("asg-%d", 5*n)
	}
	c.benchmark(b, "DescribeScalingGroups", params)
}
