package nodegroups_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
)

func broken(apis ...string) func(*esssim.Simulator) {
	return func(s *esssim.Simulator) {
		for _, api := range apis {
			if err := s.InjectFault(esssim.Fault{API: api, Kind: esssim.FaultError, Code: "Forbidden.RAM", Status: 403}); err != nil {
				panic(err)
			}
		}
	}
}

var (
	start = time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)
	end   = start.Add(time.Hour)
)

func TestWhereAPriceComesFrom(t *testing.T) {
	free := plain.with("price: {perHour: 0, currency: CNY}")
	for name, test := range map[string]struct {
		group  pricedSpec
		fault  func(*esssim.Simulator)
		want   float64
		source string
		extra  string
	}{
		"the configuration":            {group: plain.with("price: {perHour: 1.2}"), want: 1.2, source: "configuration"},
		"a node that costs nothing":    {group: free, want: 0, source: "configuration"},
		"the account":                  {group: plain, want: 2, source: "ECS DescribePrice"},
		"the account's spot price":     {group: spotty, want: 0.25, source: "ECS DescribeSpotPriceHistory in cn-hangzhou-h"},
		"the table":                    {group: plain, fault: broken("DescribePrice"), want: 1.630796, source: "shipped table of 2024-12-31"},
		"spot without a history":       {group: spotty, fault: broken("DescribeSpotPriceHistory"), want: 0.3 * 1.630796, source: "assumption: 30% of the on-demand price (shipped table of 2024-12-31)"},
		"spot by a share of one's own": {group: spotty, fault: broken("DescribeSpotPriceHistory"), extra: "pricing: {assumedSpotShare: 0.125}\n", want: 0.125 * 1.630796, source: "assumption: 12.5% of the on-demand price (shipped table of 2024-12-31)"},
		"a type of no table":           {group: odd, want: 20, source: "ECS DescribePrice"},
	} {
		t.Run(name, func(t *testing.T) {
			priceWith(t, test.extra, []pricedSpec{test.group}, test.fault, func(w *world) {
				p, err := w.PricePerHour(test.group.name)
				require.NoError(w.t, err)
				assert.InDelta(w.t, test.want, p.PerHour, 1e-9)
				assert.Equal(w.t, test.source, p.Source)
				assert.Equal(w.t, "CNY", p.Currency)
				assert.Equal(w.t, strings.HasPrefix(test.source, "assumption"), p.Assumed)
			})
		})
	}
}

func TestASpotPriceIsAssumedFromTheAccountsListPriceOnceThatIsRead(t *testing.T) {
	price(t, []pricedSpec{spotty}, broken("DescribeSpotPriceHistory"), func(w *world) {
		assert.Equal(w.t, map[string]int{"DescribeSpotPriceHistory": 1}, w.priceCalls())
		w.settle(10 * time.Second) // now the list price is wanted
		assert.Equal(w.t, map[string]int{"DescribePrice": 1}, w.priceCalls())
		p, err := w.PricePerHour("spotty")
		require.NoError(w.t, err)
		assert.InDelta(w.t, 0.6, p.PerHour, 1e-9)
		assert.Equal(w.t, "assumption: 30% of the on-demand price (ECS DescribePrice)", p.Source)

		w.account.ClearFaults()
		w.settle(10 * time.Minute)
		p, err = w.PricePerHour("spotty")
		require.NoError(w.t, err)
		assert.InDelta(w.t, 0.25, p.PerHour, 1e-9)
	})
}

func TestAnUnknownPriceIsAnError(t *testing.T) {
	price(t, []pricedSpec{odd, plain}, broken("DescribePrice"), func(w *world) {
		_, err := w.PricePerHour("odd")
		require.ErrorIs(w.t, err, cloudprovider.ErrNoPrice)
		require.ErrorContains(w.t, err, "Forbidden.RAM", "the reason is told")
		_, err = w.NodePrice(cloudprovider.Node{Name: "template-node-for-odd-1"}, start, end)
		require.ErrorIs(w.t, err, cloudprovider.ErrNoPrice)
		_, err = w.PricePerHour("none")
		require.ErrorIs(w.t, err, cloudprovider.ErrGroupNotFound)
		assert.Equal(w.t, 2, strings.Count(w.log.String(), "price cannot be read"), "once per type: %s", w.log)
		w.settle(11 * time.Minute)
		assert.Equal(w.t, 2, strings.Count(w.log.String(), "price cannot be read"), "and not again")
	})
}

func TestHowOftenPricesAreRead(t *testing.T) {
	price(t, []pricedSpec{plain, spotty, plain.with("price: {perHour: 1}")}[:2], nil, func(w *world) {
		assert.Equal(w.t, map[string]int{"DescribePrice": 1, "DescribeSpotPriceHistory": 1}, w.priceCalls())
		w.settle(10*time.Minute - time.Second)
		assert.Empty(w.t, w.priceCalls())
		w.settle(time.Second)
		assert.Equal(w.t, map[string]int{"DescribeSpotPriceHistory": 1}, w.priceCalls())
		w.settle(50*time.Minute - time.Second)
		assert.Equal(w.t, map[string]int{"DescribeSpotPriceHistory": 1}, w.priceCalls())
		w.settle(time.Second)
		assert.Equal(w.t, map[string]int{"DescribePrice": 1}, w.priceCalls(), "an hour to the second")
	})
}

func TestAGroupWithAPriceOfItsOwnCostsNoCalls(t *testing.T) {
	price(t, []pricedSpec{plain.with("price: {perHour: 1}")}, nil, func(w *world) {
		assert.Empty(w.t, w.priceCalls())
	})
}

func TestAFailureIsRememberedToo(t *testing.T) {
	price(t, []pricedSpec{plain}, broken("DescribePrice"), func(w *world) {
		assert.Equal(w.t, map[string]int{"DescribePrice": 1}, w.priceCalls())
		for range 59 {
			w.settle(10 * time.Second)
		}
		assert.Empty(w.t, w.priceCalls(), "9 minutes 50")
		w.account.ClearFaults()
		w.settle(10 * time.Second)
		assert.Equal(w.t, map[string]int{"DescribePrice": 1}, w.priceCalls())
		p, err := w.PricePerHour("plain")
		require.NoError(w.t, err)
		assert.Equal(w.t, "ECS DescribePrice", p.Source)

		broken("DescribePrice")(w.account)
		w.settle(time.Hour)
		p, err = w.PricePerHour("plain")
		require.NoError(w.t, err)
		assert.Equal(w.t, "ECS DescribePrice", p.Source, "yesterday's price is better than a table of years ago")
	})
}

// Nothing of a refresh waits for a price, and Close does not wait for one either.
func TestNobodyWaitsForAPrice(t *testing.T) {
	slow := func(s *esssim.Simulator) {
		if err := s.InjectFault(esssim.Fault{API: "DescribePrice", Kind: esssim.FaultSlow, Delay: account.Duration(5 * time.Second)}); err != nil {
			panic(err)
		}
	}
	began := time.Time{}
	price(t, []pricedSpec{plain}, func(s *esssim.Simulator) { slow(s); began = now() }, func(w *world) {
		assert.Equal(w.t, began, now())
		p, err := w.PricePerHour("plain")
		require.NoError(w.t, err)
		assert.Equal(w.t, "shipped table of 2024-12-31", p.Source, "in the meantime")
		require.NoError(w.t, w.Refresh(w.t.Context()))
		w.settle(5 * time.Second)
		assert.Equal(w.t, 1, w.priceCalls()["DescribePrice"], "one round at a time")
		p, err = w.PricePerHour("plain")
		require.NoError(w.t, err)
		assert.Equal(w.t, "ECS DescribePrice", p.Source)

		w.settle(time.Hour)
		began = now()
		w.Close()
		assert.Equal(w.t, began, now(), "Close ends the reading")
		assert.NotContains(w.t, w.log.String(), "price cannot be read", "and that is no failure")
		require.ErrorIs(w.t, w.Refresh(w.t.Context()), cloudprovider.ErrUnavailable, "and none begins after it")
	})
}

func TestNodePrice(t *testing.T) {
	groups := []pricedSpec{plain, {name: "plain-2", class: "normal", types: "ecs.c7.2xlarge, ecs.c7.4xlarge", more: "labels: {team: two}"}, spotty, cards, odd}
	price(t, groups, nil, func(w *world) {
		w.settle(10 * time.Second) // more types than one round reads
		ids := w.grow("spotty", 1)
		for name, test := range map[string]struct {
			node cloudprovider.Node
			want float64
		}{
			"CA's copy of a template":           {cloudprovider.Node{Name: "template-node-for-plain-8812345678901234567"}, 2},
			"of a group with a longer name":     {cloudprovider.Node{Name: "template-node-for-plain-2-8812345678901234567"}, 2},
			"CA's copy of a real node":          {cloudprovider.Node{Name: "template-node-for-cards-88-upcoming-0", ProviderID: ids[0]}, 9},
			"of another type than the template": {cloudprovider.Node{Name: "template-node-for-plain-2-88", Labels: map[string]string{corev1.LabelInstanceTypeStable: "ecs.c7.4xlarge"}}, 4},
			"a spot node in the other zone":     {cloudprovider.Node{Name: "template-node-for-spotty-88", Labels: map[string]string{corev1.LabelTopologyZone: "cn-hangzhou-i"}}, 0.25},
			"a real node":                       {cloudprovider.Node{Name: "cn-hangzhou.10.0.0.1", ProviderID: ids[0]}, 0.25},
			"our template, by its labels":       {cloudprovider.Node{Name: "template-cards", Labels: w.templateLabels("cards")}, 9},
			"labels of two groups: the dearest": {cloudprovider.Node{Name: "x", Labels: map[string]string{cloudprovider.LabelClass: "normal", "team": "two", "size": "odd"}}, 20},
		} {
			got, err := w.NodePrice(test.node, start, end)
			require.NoError(w.t, err, name)
			assert.InDelta(w.t, test.want, got, 1e-9, name)
			half, err := w.NodePrice(test.node, start, start.Add(30*time.Minute))
			require.NoError(w.t, err, name)
			assert.InDelta(w.t, test.want/2, half, 1e-9, name)
		}
		for name, node := range map[string]cloudprovider.Node{
			"a foreign node":         {Name: "x", ProviderID: "cn-hangzhou.i-foreign"},
			"another cloud's":        {Name: "x", ProviderID: "aws:///x"},
			"no name and no labels":  {},
			"another group's name":   {Name: "template-node-for-other-88"},
			"a class and other type": {Name: "x", Labels: map[string]string{cloudprovider.LabelClass: "gpu", corev1.LabelInstanceTypeStable: "ecs.c7.2xlarge"}},
		} {
			_, err := w.NodePrice(node, start, end)
			require.ErrorIs(w.t, err, cloudprovider.ErrNotManaged, name)
		}
		for name, period := range map[string][2]time.Time{
			"empty": {start, start}, "backwards": {end, start}, "no start": {{}, end}, "no end": {start, {}},
		} {
			_, err := w.NodePrice(cloudprovider.Node{Name: "template-node-for-plain-88"}, period[0], period[1])
			require.ErrorIs(w.t, err, cloudprovider.ErrInvalidArgument, name)
			_, err = w.PodPrice(requests("cpu", "1"), period[0], period[1])
			require.ErrorIs(w.t, err, cloudprovider.ErrInvalidArgument, name)
		}
	})
}

func (w *world) templateLabels(group string) map[string]string {
	w.t.Helper()
	template, err := w.TemplateNode(group)
	require.NoError(w.t, err)
	return template.Labels
}

// A table in CNY says nothing about an account that is billed in dollars.
func TestPricesOfTwoCurrenciesAreNotCompared(t *testing.T) {
	dollars := plain.with("price: {perHour: 0.3, currency: USD}")
	price(t, []pricedSpec{dollars, cards}, nil, func(w *world) {
		got, err := w.NodePrice(cloudprovider.Node{Name: "template-node-for-plain-1"}, start, end)
		require.NoError(w.t, err)
		assert.InDelta(w.t, 0.3, got, 1e-9)
		_, err = w.NodePrice(cloudprovider.Node{Name: "template-node-for-cards-1"}, start, end)
		require.ErrorIs(w.t, err, cloudprovider.ErrNoPrice)
		require.ErrorContains(w.t, err, "CNY")
		p, err := w.PricePerHour("cards")
		require.NoError(w.t, err, "with its currency it is a price")
		assert.Equal(w.t, "CNY", p.Currency)
		_, err = w.PodPrice(requests("nvidia.com/gpu", "1"), start, end)
		require.ErrorIs(w.t, err, cloudprovider.ErrNoPrice)
	})
}

func TestBeforeTheFirstRefreshNothingHasAPrice(t *testing.T) {
	play(t, []groupSpec{{name: "a", max: 1}}, func(w *world) {
		w.restart()
		_, err := w.NodePrice(node("template-node-for-a-1"), start, end)
		require.ErrorIs(w.t, err, cloudprovider.ErrNotReady)
		_, err = w.PodPrice(requests("cpu", "1"), start, end)
		require.ErrorIs(w.t, err, cloudprovider.ErrNotReady)
		_, err = w.PricePerHour("a")
		require.ErrorIs(w.t, err, cloudprovider.ErrNotReady)
	})
}
