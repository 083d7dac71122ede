package account

import (
	"cmp"
	"slices"
)

// place reserves stock for n instances of a group by its policy and returns where
// they go: fewer than n if there is no more.
func (a *Account) place(g *group, n int) []pool {
	pools := a.pools(g)
	switch g.policy {
	case Balance:
		return a.placeBalanced(g, pools, n)
	case CostOptimized:
		slices.SortStableFunc(pools, func(x, y pool) int { return cmp.Compare(pricePerCPU(x), pricePerCPU(y)) })
	}
	var placed []pool
	for _, p := range pools {
		for range a.stock.take(p, n-len(placed)) {
			placed = append(placed, p)
		}
	}
	return placed
}

// pools lists a group's places by priority: its vSwitches in order, and in each of
// them its types in order.
func (a *Account) pools(g *group) []pool {
	var pools []pool
	for _, v := range g.vSwitches {
		for _, t := range g.launch.types {
			pools = append(pools, pool{vSwitch: v, zone: a.zones[v], itype: t, charge: g.launch.spot.charge()})
		}
	}
	return pools
}

// placeBalanced gives each instance to the zone that has the fewest of the group.
func (a *Account) placeBalanced(g *group, pools []pool, n int) []pool {
	inZone := map[string]int{}
	for _, i := range g.instances {
		if !i.leaving() {
			inZone[i.zone]++
		}
	}
	var placed []pool
	for range n {
		best := -1
		for at, p := range pools {
			if a.stock.has(p) && (best < 0 || inZone[p.zone] < inZone[pools[best].zone]) {
				best = at
			}
		}
		if best < 0 {
			break
		}
		a.stock.take(pools[best], 1)
		inZone[pools[best].zone]++
		placed = append(placed, pools[best])
	}
	return placed
}

func pricePerCPU(p pool) float64 {
	price := p.itype.PricePerHour
	if p.charge == Spot {
		price = p.itype.SpotPricePerHour
	}
	return price / float64(p.itype.CPUs)
}
