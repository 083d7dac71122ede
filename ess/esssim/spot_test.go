package esssim_test

import (
	"testing"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
)

const (
	zoneH = "cn-hangzhou-h"
	small = "ecs.c7.2xlarge"
	large = "ecs.c7.4xlarge"
)

func (w *world) price(zone, name string, price float64) {
	w.t.Helper()
	require.NoError(w.t, w.sim.Account().SetSpotPrice(account.MarketPrice{Zone: zone, Type: name, Price: price}))
}

func (w *world) locked(id string) bool {
	w.t.Helper()
	r := ecs.CreateDescribeInstancesRequest()
	r.InstanceIds = `["` + id + `"]`
	answer, err := w.ecs().DescribeInstances(r)
	require.NoError(w.t, err)
	require.Len(w.t, answer.Instances.Instance, 1)
	return len(answer.Instances.Instance[0].OperationLocks.LockReason) > 0
}

// Source: official docs, InvalidSpotPriceLimit.LowerThanPublicPrice among the codes of
// failed activities.
func TestAPriceLimitBelowTheMarketCreatesNothing(t *testing.T) {
	w := newFeatures(t)
	w.price(zoneH, small, 0.31)
	_, err := w.scale("asg-limit", "TotalCapacity", "2")
	require.NoError(t, err)
	w.pass(time.Second)
	w.pass(time.Second)
	act := w.activities("asg-limit")[0]
	assert.Equal(t, []string{"Failed", "InvalidSpotPriceLimit.LowerThanPublicPrice"}, []string{act.StatusCode, act.ErrorCode})
	w.price(zoneH, small, 0.3)
	w.pass(time.Minute)
	assert.Equal(t, 2, w.group("asg-limit").PendingCapacity, "at the limit exactly they can be had")
}

// Source: ECS docs on preemptible instances: one hour of protection, a check every
// five minutes, a notice of five minutes (OperationLocks "Recycling").
func TestTheMarketTakesBackWhatItsPriceOutgrew(t *testing.T) {
	w := newFeatures(t)
	_, err := w.scale("asg-limit", "TotalCapacity", "1")
	require.NoError(t, err)
	w.pass(time.Second)
	w.pass(20 * time.Second)
	id := w.ids("asg-limit", "InService")[0]
	w.price(zoneH, small, 0.31)
	w.pass(time.Hour - time.Nanosecond)
	assert.False(t, w.locked(id), "the first hour is safe")
	w.pass(time.Nanosecond)
	assert.True(t, w.locked(id))
	assert.Equal(t, 1, w.group("asg-limit").ActiveCapacity)
	w.pass(5*time.Minute - time.Nanosecond)
	assert.Len(t, w.instances("asg-limit"), 1)
	w.pass(time.Nanosecond)
	assert.Empty(t, w.instances("asg-limit"))
	assert.Equal(t, 1, w.group("asg-limit").DesiredCapacity)
}

func TestTheMarketLooksEveryFiveMinutes(t *testing.T) {
	w := newFeatures(t)
	id := w.run("asg-limit", "1")[0]
	w.pass(time.Hour)
	w.price(zoneH, small, 0.31)
	w.pass(time.Minute)
	w.price(zoneH, small, 0.2)
	w.pass(5 * time.Minute)
	assert.False(t, w.locked(id), "a peak between two looks passes by")
	w.price(zoneH, small, 0.31)
	w.pass(5 * time.Minute)
	assert.True(t, w.locked(id))
}

// Source: the same, for a capacity that the market wants back.
func TestTheMarketTakesBackWhatIsBeyondStock(t *testing.T) {
	w := newFeatures(t, func(c *esssim.Config) { c.SpotMarket.ReclaimBeyondStock = true })
	ids := w.run("asg-limit", "3")
	require.NoError(t, w.sim.SetStock(zoneH, small, account.Spot, 2))
	w.pass(time.Hour)
	locked := 0
	for _, id := range ids {
		if w.locked(id) {
			locked++
		}
	}
	assert.Equal(t, 1, locked, "as many as are too many")
}

// Source: assumption; the process has a mean and an amplitude and stays below list.
func TestSpotPricesMoveWithTheSeed(t *testing.T) {
	moving := func(c *esssim.Config) { c.SpotMarket.Amplitude = 0.5 }
	history := func(w *world) []float64 {
		r := ecs.CreateDescribeSpotPriceHistoryRequest()
		r.InstanceType, r.ZoneId = small, zoneH
		answer, err := w.ecs().DescribeSpotPriceHistory(r)
		require.NoError(t, err)
		var prices []float64
		for _, p := range answer.SpotPrices.SpotPriceType {
			prices = append(prices, p.SpotPrice)
		}
		return prices
	}
	w := newFeatures(t, moving)
	first := history(w)
	require.Len(t, first, 25)
	for _, price := range first {
		assert.InDelta(t, 0.2, price, 0.1, "the mean, and half of it")
	}
	assert.NotEqual(t, first[0], first[1])
	assert.Equal(t, first, history(newFeatures(t, moving)))
	r := ecs.CreateDescribePriceRequest()
	r.InstanceType, r.SpotStrategy, r.ZoneId = small, "SpotAsPriceGo", zoneH
	answer, err := w.ecs().DescribePrice(r)
	require.NoError(t, err)
	assert.InDelta(t, first[24], answer.PriceInfo.Price.TradePrice, 1e-9, "the newest of the history is the price now")

	w.price(zoneH, small, 1.5)
	w.pass(2 * time.Hour)
	w.price(zoneH, small, 0)
	now := history(w)
	assert.InDelta(t, 1.5, now[23], 1e-9, "the operator's price is in the history")
	assert.InDelta(t, 0.2, now[24], 0.1, "and the process goes on after it")
}

// Source: API 2022, OnDemandBaseCapacity, OnDemandPercentageAboveBaseCapacity,
// MultiAZPolicy COST_OPTIMIZED.
func TestAMixedGroupHasItsShareOnDemand(t *testing.T) {
	w := newFeatures(t)
	w.run("asg-cost", "10")
	g := w.group("asg-cost")
	assert.Equal(t, []int{10, 6}, []int{g.ActiveCapacity, g.SpotCapacity}, "two on demand, and a quarter of the other eight")
	assert.Equal(t, []int{2, 25}, []int{g.OnDemandBaseCapacity, g.OnDemandPercentageAboveBaseCapacity})
	for _, i := range w.instances("asg-cost") {
		wanted := map[string]string{"SpotAsPriceGo": small, "NoSpot": large}[i.SpotStrategy]
		assert.Equal(t, wanted, i.InstanceType, "the cheaper vCPU; where they cost the same, the first type")
	}
}

// Source: API 2022, CompensateWithOnDemand.
func TestSpotStockOutIsCompensatedOnDemand(t *testing.T) {
	w := newFeatures(t)
	for _, zone := range []string{zoneH, "cn-hangzhou-i"} {
		for _, name := range []string{small, large} {
			require.NoError(t, w.sim.SetStock(zone, name, account.Spot, 0))
		}
	}
	w.run("asg-cost", "4")
	g := w.group("asg-cost")
	assert.Equal(t, []int{4, 0}, []int{g.ActiveCapacity, g.SpotCapacity})
	assert.Equal(t, "Successful", w.activities("asg-cost")[0].StatusCode)
	assert.True(t, g.CompensateWithOnDemand)
}

// Source: API 2022, SpotInstanceRemedy: a replacement is made before the interruption.
func TestSpotInstanceRemedyReplacesBeforeTheInterruption(t *testing.T) {
	w := newFeatures(t)
	w.run("asg-cost", "6")
	spot := ""
	for _, i := range w.instances("asg-cost") {
		if i.SpotStrategy == "SpotAsPriceGo" {
			spot = i.InstanceId
		}
	}
	require.NoError(t, w.sim.Reclaim(spot, account.ReclaimNotice))
	assert.Equal(t, []int{6, 1}, []int{w.group("asg-cost").ActiveCapacity, w.group("asg-cost").PendingCapacity})
	_, err := w.scale("asg-cost", "TotalCapacity", "8")
	requireCode(t, err, 400, "ScalingActivityInProgress")
	w.pass(20 * time.Second)
	assert.Equal(t, []int{6, 1}, []int{w.group("asg-cost").ActiveCapacity, w.group("asg-cost").RemovingCapacity})
	assert.Equal(t, []string{spot}, w.ids("asg-cost", "Removing"))
	w.pass(10 * time.Second)
	w.pass(time.Hour)
	assert.Equal(t, []int{6, 6}, []int{w.group("asg-cost").ActiveCapacity, w.group("asg-cost").TotalInstanceCount})
}

// Source: API 2022, WeightedCapacity: the capacity may exceed the expected number by
// less than the largest weight.
func TestWeightedGroups(t *testing.T) {
	w := newFeatures(t)
	w.run("asg-weights", "10")
	g := w.group("asg-weights")
	assert.True(t, g.Weighted)
	assert.Equal(t, []int{12, 3, 3}, []int{g.TotalCapacity, g.TotalInstanceCount, g.ActiveCapacity})
	assert.Equal(t, 4, w.instances("asg-weights")[0].WeightedCapacity)
	assert.Equal(t, 4, g.LaunchTemplateOverrides.LaunchTemplateOverride[0].WeightedCapacity)
	w.pass(time.Hour)
	assert.Equal(t, 3, w.group("asg-weights").TotalInstanceCount, "two beyond are less than one instance")
	_, err := w.remove("asg-weights", nil, w.ids("asg-weights", "InService")[0])
	require.NoError(t, err)
	assert.Equal(t, 6, w.group("asg-weights").DesiredCapacity)
}

func number(n int) *int { return &n }

// Source: codes of failed activities: QuotaExceed.ElasticQuota,
// QuotaExceed.AfterpayInstance, QuotaExceeded.PrivateIpAddress, InsufficientBalance.
func TestQuotas(t *testing.T) {
	for code, test := range map[string]struct {
		group   string
		quotas  account.Quotas
		created int
	}{
		"QuotaExceed.ElasticQuota":         {"asg-plain", account.Quotas{OnDemandVCPUs: number(8*7 + 15)}, 1},
		"QuotaExceed.AfterpayInstance":     {"asg-plain", account.Quotas{Instances: number(9)}, 2},
		"InsufficientBalance":              {"asg-plain", account.Quotas{Broke: true}, 0},
		"QuotaExceeded.PrivateIpAddress":   {"asg-tiny", account.Quotas{}, 2},
		"QuotaExceed.ElasticQuota of spot": {"asg-limit", account.Quotas{SpotVCPUs: number(8), OnDemandVCPUs: number(0)}, 1},
	} {
		t.Run(code, func(t *testing.T) {
			w := newFeatures(t)
			require.NoError(t, w.sim.Account().SetQuotas(test.quotas))
			before := w.group(test.group).TotalInstanceCount
			_, err := w.scale(test.group, "TotalCapacity", "8")
			require.NoError(t, err)
			w.pass(time.Second)
			w.pass(20 * time.Second)
			assert.Equal(t, before+test.created, w.group(test.group).TotalInstanceCount)
			act := w.activities(test.group)[0]
			assert.Contains(t, code, act.ErrorCode)
			assert.NotEmpty(t, act.ErrorCode)
		})
	}
}

// Source: ECS docs, DescribeSpotAdvice and DescribeAvailableResource.
func TestSupply(t *testing.T) {
	w := newFeatures(t)
	require.NoError(t, w.sim.SetStock(zoneH, small, account.Spot, 0))
	advice := ecs.CreateDescribeSpotAdviceRequest()
	advice.ZoneId = zoneH
	advised, err := w.ecs().DescribeSpotAdvice(advice)
	require.NoError(t, err)
	require.Len(t, advised.AvailableSpotZones.AvailableSpotZone, 1)
	resources := advised.AvailableSpotZones.AvailableSpotZone[0].AvailableSpotResources.AvailableSpotResource
	require.Len(t, resources, 1, "what is out of stock is not advised")
	assert.Equal(t, large, resources[0].InstanceType)
	assert.Equal(t, 16, resources[0].AverageSpotDiscount, "0.5 of 3.2")
	assert.Equal(t, "0-0.5%", resources[0].InterruptRateDesc)

	status := func(strategy string) string {
		r := ecs.CreateDescribeAvailableResourceRequest()
		r.DestinationResource, r.ZoneId, r.InstanceType, r.SpotStrategy = "InstanceType", zoneH, small, strategy
		answer, err := w.ecs().DescribeAvailableResource(r)
		require.NoError(t, err)
		require.Len(t, answer.AvailableZones.AvailableZone, 1)
		require.Len(t, answer.AvailableZones.AvailableZone[0].AvailableResources.AvailableResource, 1)
		return answer.AvailableZones.AvailableZone[0].AvailableResources.AvailableResource[0].SupportedResources.SupportedResource[0].StatusCategory
	}
	assert.Equal(t, "WithoutStock", status("SpotAsPriceGo"))
	assert.Equal(t, "WithStock", status(""))
	r := ecs.CreateDescribeAvailableResourceRequest()
	_, err = w.ecs().DescribeAvailableResource(r)
	requireCode(t, err, 400, "MissingParameter")
}
