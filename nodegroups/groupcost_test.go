package nodegroups_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
)

// out takes a type out of stock, so that a group of several adds its next one.
func out(instanceType string) func(*esssim.Simulator) {
	return func(s *esssim.Simulator) {
		for _, zone := range []string{"cn-hangzhou-h", "cn-hangzhou-i"} {
			for _, charge := range []account.Charge{account.Spot, account.OnDemand} {
				if err := s.SetStock(zone, instanceType, charge, 0); err != nil {
					panic(err)
				}
			}
		}
	}
}

func TestWhatAGroupCosts(t *testing.T) {
	mixed := pricedSpec{name: "mixed", class: "normal", types: "ecs.c7.2xlarge, ecs.c7.4xlarge"}
	for name, c := range map[string]struct {
		group   pricedSpec
		nodes   int
		prepare func(*esssim.Simulator)
		cost    float64
		source  string
		problem string
	}{
		"none runs":                   {group: plain, cost: 0, source: "ECS DescribePrice"},
		"on demand":                   {group: plain, nodes: 3, cost: 6, source: "ECS DescribePrice"},
		"spot":                        {group: spotty, nodes: 4, cost: 1, source: "ECS DescribeSpotPriceHistory in cn-hangzhou-h"},
		"each by its own type":        {group: mixed, nodes: 2, prepare: out("ecs.c7.2xlarge"), cost: 8, source: "ECS DescribePrice"},
		"configured":                  {group: plain.with("price: {perHour: 1.5, currency: CNY}"), nodes: 2, cost: 3, source: "configuration"},
		"configured, though not sold": {group: odd.with("price: {perHour: 7, currency: CNY}"), nodes: 1, prepare: noPrices, cost: 7, source: "configuration"},
		"not known":                   {group: odd, nodes: 1, prepare: noPrices, problem: "ecs.odd in cn-hangzhou is not in the"},
	} {
		t.Run(name, func(t *testing.T) {
			price(t, []pricedSpec{c.group}, c.prepare, func(w *world) {
				if c.nodes > 0 {
					w.grow(c.group.name, c.nodes)
				}
				g := w.Status().Groups[0]
				require.Equal(w.t, c.nodes, g.Running)
				if c.problem != "" {
					assert.Contains(w.t, g.CostProblem, c.problem)
					assert.Zero(w.t, g.Cost, "what is not known is not 0: it is nothing")
					return
				}
				assert.Empty(w.t, g.CostProblem)
				assert.InDelta(w.t, c.cost, g.Cost.PerHour, 1e-9)
				assert.Equal(w.t, c.source, g.Cost.Source)
				assert.Equal(w.t, "CNY", g.Cost.Currency)
			})
		})
	}
}

// noPrices makes the account refuse to tell prices.
func noPrices(s *esssim.Simulator) {
	for _, api := range []string{"DescribePrice", "DescribeSpotPriceHistory"} {
		if err := s.InjectFault(esssim.Fault{API: api, Kind: esssim.FaultError, Code: "Forbidden.RAM", Status: 403}); err != nil {
			panic(err)
		}
	}
}
