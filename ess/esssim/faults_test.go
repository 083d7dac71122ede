package esssim_test

import (
	"errors"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
)

type throttleOf = account.Throttle

const minute = account.Duration(time.Minute)

func TestFaultsAsTheSDKSeesThem(t *testing.T) {
	w := newWorld(t)
	read := func() error {
		_, err := w.ess().DescribeScalingGroups(ess.CreateDescribeScalingGroupsRequest())
		return err
	}
	inject := func(f esssim.Fault) {
		w.sim.ClearFaults()
		require.NoError(t, w.sim.InjectFault(f))
	}
	inject(esssim.Fault{API: "*", Kind: esssim.FaultThrottle})
	requireCode(t, read(), 400, "Throttling.User")
	inject(esssim.Fault{API: "DescribeScalingGroups", Kind: esssim.FaultError})
	requireCode(t, read(), 503, "ServiceUnavailable")
	inject(esssim.Fault{API: "DescribeScalingGroups", Kind: esssim.FaultError, Status: 500, Code: "InternalError"})
	requireCode(t, read(), 500, "InternalError")
	inject(esssim.Fault{API: "DescribeScalingGroups", Kind: esssim.FaultBadJSON})
	require.ErrorContains(t, read(), "502")
	inject(esssim.Fault{API: "DescribeScalingGroups", Kind: esssim.FaultDrop})
	require.ErrorContains(t, read(), "EOF")
	inject(esssim.Fault{API: "DescribeScalingGroups", Kind: esssim.FaultBadCode})
	assert.Panics(t, func() { _ = read() }, "the SDK's own defect, which its user must be ready for")
	inject(esssim.Fault{API: "ScaleWithAdjustment", Kind: esssim.FaultDrop})
	require.NoError(t, read(), "another API is not hit")

	kinds := map[esssim.FaultKind]int{}
	for _, call := range w.sim.Transcript() {
		kinds[call.Fault]++
	}
	assert.Equal(t, 1, kinds[esssim.FaultDrop], "a dropped call is in the transcript too")
	assert.Equal(t, 7, w.sim.Calls()["DescribeScalingGroups"])
}

func TestACountedFaultEnds(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.sim.InjectFault(esssim.Fault{API: "*", Kind: esssim.FaultError, Count: 2}))
	outcomes := []bool{}
	for range 3 {
		_, err := w.ess().DescribeScalingGroups(ess.CreateDescribeScalingGroupsRequest())
		outcomes = append(outcomes, err == nil)
	}
	assert.Equal(t, []bool{false, false, true}, outcomes)
}

func TestAFaultAfterTheEffect(t *testing.T) {
	w := newWorld(t)
	require.NoError(t, w.sim.InjectFault(esssim.Fault{API: "ScaleWithAdjustment", Kind: esssim.FaultDrop, Count: 1, AfterEffect: true}))
	_, err := w.scale("asg-spot", "TotalCapacity", "2")
	require.Error(t, err)
	assert.Equal(t, 2, w.group("asg-spot").DesiredCapacity)
	require.NoError(t, w.sim.InjectFault(esssim.Fault{API: "ScaleWithAdjustment", Kind: esssim.FaultDrop, Count: 1}))
	_, err = w.scale("asg-spot", "TotalCapacity", "3")
	require.Error(t, err)
	assert.Equal(t, 2, w.group("asg-spot").DesiredCapacity)
}

func TestARateHitsItsShare(t *testing.T) {
	c := newCaller(t)
	require.NoError(t, c.sim.InjectFault(esssim.Fault{API: "*", Kind: esssim.FaultError, Rate: 0.25}))
	failed := 0
	for range 1000 {
		if c.get(signed(http.MethodGet, c.params("DescribeScalingGroups", essVersion), "sim-secret")).Code != 200 {
			failed++
		}
	}
	assert.InDelta(t, 250, failed, 60)
}

func TestFaultsAreChecked(t *testing.T) {
	sim := newCaller(t).sim
	for _, f := range []esssim.Fault{
		{Kind: esssim.FaultDrop},
		{API: "NoSuchAction", Kind: esssim.FaultDrop},
		{API: "*", Kind: "odd"},
		{API: "*", Kind: esssim.FaultDrop, Rate: 1.1},
		{API: "*", Kind: esssim.FaultDrop, Count: -1},
		{API: "*", Kind: esssim.FaultError, Status: 200},
		{API: "*", Kind: esssim.FaultSlow, Delay: -1},
	} {
		assert.Error(t, sim.InjectFault(f), "%+v", f)
	}
}

// In virtual time the simulator is called without a network.
func TestTransportInVirtualTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg, err := esssim.Load("testdata/account.yaml")
		require.NoError(t, err)
		real := clock.RealClock{}
		sim, err := esssim.New(esssim.Options{Config: cfg, Clock: real, AuthClock: real})
		require.NoError(t, err)
		c := &caller{sim: sim}
		get := func() (time.Duration, error) {
			p := c.paramsAt(real.Now(), "DescribeScalingGroups", essVersion)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://ess/?"+signed(http.MethodGet, p, "sim-secret").Encode(), nil)
			require.NoError(t, err)
			before := real.Now()
			answer, err := sim.Transport().RoundTrip(r)
			if err == nil {
				_, err = io.Copy(io.Discard, answer.Body)
				assert.Equal(t, 200, answer.StatusCode)
			}
			return real.Since(before), err
		}
		took, err := get()
		require.NoError(t, err)
		assert.Zero(t, took)
		require.NoError(t, sim.InjectFault(esssim.Fault{API: "*", Kind: esssim.FaultSlow, Delay: account.Duration(3 * time.Second)}))
		took, err = get()
		require.NoError(t, err)
		assert.Equal(t, 3*time.Second, took)
		sim.ClearFaults()
		require.NoError(t, sim.InjectFault(esssim.Fault{API: "*", Kind: esssim.FaultDrop}))
		_, err = get()
		assert.True(t, errors.Is(err, io.ErrUnexpectedEOF))
	})
}
