package ess

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/cloudprovider/cloudtest"
)

func priced(price string) reply {
	return answer(200, `{"RequestId":"R-4","PriceInfo":{"Price":`+price+`}}`)
}

func TestThePriceIsTheInstancesAndWhatIsPaid(t *testing.T) {
	c, s := scripted(t, nil, priced(`{"OriginalPrice":2.1,"DiscountPrice":0.4,"TradePrice":1.7,"Currency":"USD","DetailInfos":{"DetailInfo":[
		{"Resource":"instanceType","OriginalPrice":2,"TradePrice":1.6},{"Resource":"systemDisk","OriginalPrice":0.1,"TradePrice":0.1}]}}`))
	p, err := c.OnDemandPrice(t.Context(), "ecs.c7.2xlarge")
	require.NoError(t, err)
	assert.InDelta(t, 1.6, p.PerHour, 1e-12, "without its disk, with its discount")
	assert.Equal(t, "USD", p.Currency)
	assertAsked(t, s.asked[0], map[string]string{
		"Action": "DescribePrice", "ResourceType": "instance", "InstanceType": "ecs.c7.2xlarge", "PriceUnit": "Hour", "SystemDisk.Category": "cloud_essd",
	})
	assert.Equal(t, 1, s.attempts())
}

func TestATypeThatTakesNoESSDIsAskedAgain(t *testing.T) {
	c, s := scripted(t, nil, errorAnswer(400, "InvalidSystemDiskCategory.ValueNotSupported"), priced(`{"TradePrice":1.2,"Currency":"CNY"}`))
	p, err := c.OnDemandPrice(t.Context(), "ecs.n4.large")
	require.NoError(t, err)
	assert.InDelta(t, 1.2, p.PerHour, 1e-12)
	assert.Equal(t, 2, s.attempts())
	assert.Empty(t, s.asked[1].URL.Query().Get("SystemDisk.Category"))
}

func TestNoPriceIsNoPriceOfZero(t *testing.T) {
	for name, reply := range map[string]reply{
		"zero":      priced(`{"TradePrice":0,"Currency":"CNY"}`),
		"negative":  priced(`{"TradePrice":-1}`),
		"missing":   answer(200, `{"RequestId":"R-4"}`),
		"not sold":  errorAnswer(404, "InvalidInstanceType.ValueNotSupported"),
		"no params": errorAnswer(400, "InvalidParameter"),
	} {
		c, _ := scripted(t, nil, reply)
		_, err := c.OnDemandPrice(t.Context(), "ecs.c7.2xlarge")
		require.ErrorIs(t, err, cloudprovider.ErrNoPrice, name)
		leakless(t, err)
	}
	c, s := scripted(t, nil, errorAnswer(403, "Forbidden.RAM"))
	_, err := c.OnDemandPrice(t.Context(), "ecs.c7.2xlarge")
	require.ErrorIs(t, err, cloudprovider.ErrForbidden)
	require.NotErrorIs(t, err, cloudprovider.ErrNoPrice)
	assert.Equal(t, 1, s.attempts())
}

func history(next int, entries ...string) reply {
	return answer(200, fmt.Sprintf(`{"RequestId":"R-5","Currency":"CNY","NextOffset":%d,"SpotPrices":{"SpotPriceType":[%s]}}`, next, strings.Join(entries, ",")))
}

func entry(zone, at string, price float64) string {
	return fmt.Sprintf(`{"ZoneId":%q,"Timestamp":%q,"SpotPrice":%v,"OriginPrice":2}`, zone, at, price)
}

func TestTheLatestSpotPriceOfEachZone(t *testing.T) {
	c, s := scripted(t, nil,
		history(3, entry("h", "2026-11-23T14:00:00Z", 0.25), entry("h", "2026-11-23T13:00:00Z", 0.2), entry("i", "2026-11-23T13:00:00Z", 0.3)),
		history(0, entry("i", "2026-11-23T15:00:00Z", 0.35), entry("j", "soon", 0.1), entry("k", "2026-11-23T15:00:00Z", 0), entry("", "2026-11-23T15:00:00Z", 1)))
	prices, err := c.SpotPrices(t.Context(), "ecs.c7.2xlarge")
	require.NoError(t, err)
	require.Len(t, prices, 2, "what cannot be read is left out")
	assert.InDelta(t, 0.25, prices["h"].PerHour, 1e-12)
	assert.InDelta(t, 0.35, prices["i"].PerHour, 1e-12)
	assert.Equal(t, time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC), prices["i"].AsOf)
	require.Equal(t, 2, s.attempts())
	assertAsked(t, s.asked[1], map[string]string{"Action": "DescribeSpotPriceHistory", "NetworkType": "vpc", "Offset": "3"})
}

func TestTheReadingOfAPriceHistoryIsBounded(t *testing.T) {
	n := 0
	c, s := scripted(t, nil, history(1, entry("h", "2026-11-23T14:00:00Z", 0.25)))
	prices, err := c.SpotPrices(t.Context(), "ecs.c7.2xlarge") // the offset does not move
	require.NoError(t, err)
	assert.Len(t, prices, 1)
	assert.Equal(t, 2, s.attempts())

	var endless []reply
	for range 20 {
		n++
		endless = append(endless, history(n, entry("h", "2026-11-23T14:00:00Z", 0.25)))
	}
	c, s = scripted(t, nil, endless...)
	_, err = c.SpotPrices(t.Context(), "ecs.c7.2xlarge")
	require.NoError(t, err)
	assert.Equal(t, maxSpotPages, s.attempts())

	c, _ = scripted(t, nil, history(0))
	_, err = c.SpotPrices(t.Context(), "ecs.c7.2xlarge")
	require.ErrorIs(t, err, cloudprovider.ErrNoPrice)
}

func TestWhatPricesCost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		groups, _ := groupIDs(1, 0)
		s := simulate(t, groups, clock.RealClock{}, inProcess)
		_, err := s.cloud.OnDemandPrice(t.Context(), cloudtest.InstanceType)
		require.NoError(t, err)
		prices, err := s.cloud.SpotPrices(t.Context(), cloudtest.InstanceType)
		require.NoError(t, err)
		assert.Contains(t, prices, cloudtest.Zone)
		assert.Equal(t, map[string]int{"DescribePrice": 1, "DescribeSpotPriceHistory": 1}, s.sim.Calls())
	})
}
