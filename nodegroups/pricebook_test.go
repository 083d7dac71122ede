package nodegroups

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func onDemand(perHour float64) map[string]cloudprovider.Price {
	return map[string]cloudprovider.Price{"": {PerHour: perHour, Currency: "CNY", Source: "ECS DescribePrice", AsOf: noon}}
}

// asked is a book that wants these keys and has had these outcomes at noon.
func asked(outcomes map[priceKey]error, prices map[string]cloudprovider.Price) *priceBook {
	b := &priceBook{}
	wanted := map[priceKey]bool{}
	for key := range outcomes {
		wanted[key] = true
	}
	b.due(wanted, noon)
	for key, err := range outcomes {
		b.record(key, noon, prices, err)
	}
	return b
}

func TestWhenAPriceIsReadAgain(t *testing.T) {
	passing := fmt.Errorf("read: %w", cloudprovider.ErrUnavailable)
	lasting := fmt.Errorf("read: %w", cloudprovider.ErrNoPrice)
	for name, test := range map[string]struct {
		spot  bool
		err   error
		every time.Duration
	}{
		"on demand":                   {false, nil, time.Hour},
		"on demand, not sold":         {false, lasting, time.Hour},
		"on demand, a passing reason": {false, passing, 10 * time.Minute},
		"spot":                        {true, nil, 10 * time.Minute},
		"spot, not sold":              {true, lasting, 10 * time.Minute},
		"spot, a passing reason":      {true, passing, 10 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			key := priceKey{"ecs.c7.2xlarge", test.spot}
			b := asked(map[priceKey]error{key: test.err}, onDemand(1))
			wanted := map[priceKey]bool{key: true}
			assert.Empty(t, b.due(wanted, noon.Add(test.every-time.Second)))
			assert.Equal(t, []priceKey{key}, b.due(wanted, noon.Add(test.every)))
		})
	}
}

func TestPricesAreReadAFewAtATimeTheOldestFirst(t *testing.T) {
	b, wanted := &priceBook{}, map[priceKey]bool{}
	for n := range 10 {
		wanted[priceKey{fmt.Sprintf("ecs.t%02d", n), false}] = true
	}
	seen := map[priceKey]int{}
	for round := range 3 {
		now := noon.Add(time.Duration(round) * 10 * time.Second)
		due := b.due(wanted, now)
		assert.Len(t, due, []int{4, 4, 2}[round])
		for _, key := range due {
			seen[key]++
			b.record(key, now, onDemand(1), nil)
		}
	}
	assert.Len(t, seen, 10)
	assert.Empty(t, b.due(wanted, noon.Add(time.Minute)))
	assert.Equal(t, "ecs.t00", b.due(wanted, noon.Add(2*time.Hour))[0].instanceType)
}

func TestTheBookHoldsWhatIsWantedAndNothingElse(t *testing.T) {
	old, kept := priceKey{"ecs.old", false}, priceKey{"ecs.kept", true}
	b := asked(map[priceKey]error{old: nil, kept: nil}, onDemand(1))
	b.due(map[priceKey]bool{kept: true}, noon)
	assert.Len(t, b.quotes, 1)
	// A reading that was under way when its type went out of use.
	assert.False(t, b.record(old, noon, onDemand(1), errors.New("late")))
	assert.Len(t, b.quotes, 1)
}

func TestAFailureIsToldOnce(t *testing.T) {
	key := priceKey{"ecs.c7.2xlarge", false}
	b := asked(map[priceKey]error{key: nil}, onDemand(1))
	failed := cloudprovider.ErrUnavailable
	assert.True(t, b.record(key, noon, nil, failed))
	assert.False(t, b.record(key, noon, nil, failed))
	assert.False(t, b.record(key, noon, onDemand(1), nil))
	assert.True(t, b.record(key, noon, nil, failed))
}

func TestTheLastGoodPriceIsKeptForADay(t *testing.T) {
	key := priceKey{"ecs.c7.2xlarge", false}
	b := asked(map[priceKey]error{key: nil}, onDemand(1.5))
	b.record(key, noon.Add(time.Hour), nil, cloudprovider.ErrUnavailable)
	goods := merchandise{region: "cn-hangzhou", instanceType: "ecs.c7.2xlarge"}
	p, err := b.price(goods, noon.Add(priceKept-time.Second))
	require.NoError(t, err)
	assert.Equal(t, "ECS DescribePrice", p.Source)
	p, err = b.price(goods, noon.Add(priceKept))
	require.NoError(t, err)
	assert.Equal(t, "shipped table of 2024-12-31", p.Source)
}

func TestSpotPriceByZone(t *testing.T) {
	key := priceKey{"ecs.c7.2xlarge", true}
	at := func(perHour float64) cloudprovider.Price {
		return cloudprovider.Price{PerHour: perHour, Currency: "CNY", Source: "ECS DescribeSpotPriceHistory", AsOf: noon}
	}
	b := asked(map[priceKey]error{key: nil}, map[string]cloudprovider.Price{"h": at(0.21), "i": at(0.19)})
	goods := merchandise{region: "cn-hangzhou", instanceType: "ecs.c7.2xlarge", spot: true, spotShare: 0.3}
	for _, test := range []struct {
		zones   []string
		want    float64
		source  string
		assumed bool
	}{
		{[]string{"h", "i"}, 0.21, "ECS DescribeSpotPriceHistory in h", false},
		{[]string{"i", "h"}, 0.19, "ECS DescribeSpotPriceHistory in i", false},
		{[]string{"g", "i"}, 0.19, "ECS DescribeSpotPriceHistory in i", false},
		{[]string{"g"}, 0.3 * 1.630796, "assumption: 30% of the on-demand price (shipped table of 2024-12-31)", true},
		{nil, 0.3 * 1.630796, "assumption: 30% of the on-demand price (shipped table of 2024-12-31)", true},
	} {
		goods.zones = test.zones
		p, err := b.price(goods, noon)
		require.NoError(t, err)
		assert.InDelta(t, test.want, p.PerHour, 1e-9)
		assert.Equal(t, test.source, p.Source)
		assert.Equal(t, test.assumed, p.Assumed)
	}
	b.due(map[priceKey]bool{key: true, {"ecs.c7.2xlarge", false}: true}, noon)
	b.record(priceKey{"ecs.c7.2xlarge", false}, noon, onDemand(2), nil)
	p, err := b.price(goods, noon)
	require.NoError(t, err)
	assert.InDelta(t, 0.6, p.PerHour, 1e-9)
	assert.Equal(t, "assumption: 30% of the on-demand price (ECS DescribePrice)", p.Source)
}

func TestAPriceNobodyKnowsSaysWhy(t *testing.T) {
	key := priceKey{"ecs.odd", false}
	b := asked(map[priceKey]error{key: fmt.Errorf("DescribePrice: %w", cloudprovider.ErrForbidden)}, nil)
	for _, spot := range []bool{false, true} {
		p, err := b.price(merchandise{region: "cn-hangzhou", instanceType: "ecs.odd", spot: spot, spotShare: 0.3}, noon)
		require.ErrorIs(t, err, cloudprovider.ErrNoPrice)
		require.ErrorContains(t, err, "ecs.odd in cn-hangzhou is not in the shipped table of 2024-12-31")
		require.ErrorContains(t, err, "DescribePrice: forbidden")
		assert.Zero(t, p)
	}
}
