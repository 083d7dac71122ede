package nodegroups

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
)

func TestTheLongestNameOfAGroupCounts(t *testing.T) {
	s := &snapshot{}
	for _, id := range []string{"a-1", "a", "a-1-2"} {
		s.order = append(s.order, &view{group: cloudprovider.NodeGroup{ID: id}})
	}
	for name, want := range map[string]string{
		"template-node-for-a-8812345678901234567":            "a",
		"template-node-for-a-1-8812345678901234567":          "a-1",
		"template-node-for-a-1-2-8812345678901234567-up-0":   "a-1-2",
		"template-node-for-a-13-8812345678901234567-other":   "a",
		"template-node-for-a-1-23-8812345678901234567-other": "a-1",
	} {
		got := s.groupOfPriced(cloudprovider.Node{Name: name})
		require.NotNil(t, got, name)
		assert.Equal(t, want, got.group.ID, name)
	}
	assert.Nil(t, s.groupOfPriced(cloudprovider.Node{Name: "template-node-for-ab-88"}))
}

func TestANodeOfAnotherZoneOrTypeIsPricedAsWhatItIs(t *testing.T) {
	at := func(perHour float64) cloudprovider.Price {
		return cloudprovider.Price{PerHour: perHour, Currency: "CNY"}
	}
	p := &Provider{Settings: Settings{Clock: clocktesting.NewFakeClock(noon)}}
	small, large := priceKey{"ecs.c7.2xlarge", true}, priceKey{"ecs.c7.4xlarge", true}
	p.prices.due(map[priceKey]bool{small: true, large: true}, noon)
	p.prices.record(small, noon, map[string]cloudprovider.Price{"h": at(0.2), "i": at(0.3)}, nil)
	p.prices.record(large, noon, map[string]cloudprovider.Price{"h": at(0.5)}, nil)
	goods := merchandise{region: "cn-hangzhou", instanceType: "ecs.c7.2xlarge", zones: []string{"h", "i"}, spot: true, spotShare: 0.3}
	configured := &view{goods: goods, config: config.Group{Price: &config.Price{PerHour: 1}}, price: at(1)}
	market := &view{goods: goods, price: at(0.2)}
	labels := func(instanceType, zone string) cloudprovider.Node {
		return cloudprovider.Node{Labels: map[string]string{corev1.LabelInstanceTypeStable: instanceType, corev1.LabelTopologyZone: zone}}
	}
	for _, test := range []struct {
		view *view
		node cloudprovider.Node
		want float64
	}{
		{market, cloudprovider.Node{}, 0.2},
		{market, labels("ecs.c7.2xlarge", "h"), 0.2},
		{market, labels("ecs.c7.2xlarge", "i"), 0.3},
		{market, labels("ecs.c7.4xlarge", ""), 0.5},
		{market, labels("ecs.c7.4xlarge", "i"), 0.5},
		{configured, labels("ecs.c7.4xlarge", "i"), 1},
	} {
		got, err := p.priceOfNode(test.view, test.node)
		require.NoError(t, err)
		assert.InDelta(t, test.want, got.PerHour, 1e-12, "%v", test.node.Labels)
	}
	assert.Equal(t, []string{"h", "i"}, market.goods.zones, "the view is left as it was")
	_, err := p.priceOfNode(market, labels("ecs.unheard-of", "h"))
	require.ErrorIs(t, err, cloudprovider.ErrNoPrice, "another type's price is not its price")
}

func TestAnOldSpotPriceDoesNotSaveTheOnDemandReading(t *testing.T) {
	q := quote{asked: noon, read: noon, byZone: map[string]cloudprovider.Price{"h": {PerHour: 0.2}}}
	assert.True(t, q.coversOne([]string{"g", "h"}, noon.Add(priceKept-time.Second)))
	assert.False(t, q.coversOne([]string{"g", "h"}, noon.Add(priceKept)))
	assert.False(t, q.coversOne([]string{"g"}, noon))
}
