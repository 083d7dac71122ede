package nodegroups_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// Steady state is one call per 20 groups and loop; prices add seven calls an hour per
// pair of an on-demand and a spot type, whatever the number of groups and loops.
func TestWhatPricesAddToAnHour(t *testing.T) {
	var groups []pricedSpec
	for n := range 20 {
		a, b := plain, spotty
		a.name, b.name = fmt.Sprintf("plain-%d", n), fmt.Sprintf("spotty-%d", n)
		groups = append(groups, a, b)
	}
	price(t, groups, nil, func(w *world) {
		w.account.ForgetCalls()
		const loops = 360
		for range loops {
			w.settle(10 * time.Second)
		}
		calls := w.account.Calls()
		assert.Equal(w.t, 2*loops, calls["DescribeScalingGroups"], "40 groups")
		assert.Equal(w.t, 1, calls["DescribePrice"], "after an hour")
		assert.Equal(w.t, 6, calls["DescribeSpotPriceHistory"], "every 10 minutes")
	})
}

// However many prices are due, one refresh reads four.
func TestPricesAreSpreadOverRefreshes(t *testing.T) {
	const all = "ecs.c7.2xlarge, ecs.c7.4xlarge, ecs.odd"
	groups := []pricedSpec{{name: "a", class: "normal", types: all}, {name: "b", class: "spot", types: all}, cards}
	price(t, groups, nil, func(w *world) {
		for round, want := range []int{4, 3, 0} {
			calls := w.priceCalls()
			assert.Equal(w.t, want, calls["DescribePrice"]+calls["DescribeSpotPriceHistory"], "round %d", round)
			w.settle(10 * time.Second)
		}
	})
}
