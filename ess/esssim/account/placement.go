package account

import (
	"cmp"
	"slices"
)

// mixture is how a group that chooses by cost mixes spot and on demand.
type mixture struct {
	base, percent      int
	compensate, remedy bool
}

// place reserves stock for n instances of a group by its policy and returns where
// they go. If that is less than n, it also says why, each reason once. In a weighted
// group n is capacity, and the last instance may go beyond it.
func (a *Account) place(g *group, n int) (placed []pool, lack []ActivityError) {
	if n <= 0 {
		return nil, nil
	}
	onDemand := g.onDemandShare(n)
	spot := n - onDemand
	left := n
	if onDemand > 0 {
		some, why := a.fill(g, OnDemand, onDemand, nil)
		placed, lack = some, why
		left -= g.launch.capacityOf(some)
	}
	if spot > 0 && left > 0 {
		some, why := a.fill(g, Spot, min(spot, left), placed)
		placed, lack = append(placed, some...), addReasons(lack, why)
		left -= g.launch.capacityOf(some)
		if g.mixture.compensate && left > 0 {
			some, why = a.fill(g, OnDemand, left, placed)
			placed, lack = append(placed, some...), addReasons(lack, why)
			left -= g.launch.capacityOf(some)
		}
	}
	if left <= 0 {
		lack = nil
	}
	return placed, lack
}

// onDemandShare is how much of n more is to be created on demand: what the base
// lacks, and the percentage of the rest, rounded up.
func (g *group) onDemandShare(n int) int {
	if g.launch.spot.charge() == OnDemand {
		return n
	}
	if g.mixture.base == 0 && g.mixture.percent == 0 {
		return 0
	}
	has, live := 0, g.capacity.Live()
	for _, i := range g.instances {
		if i.spot == NoSpot && i.state.live() {
			has += i.weight
		}
	}
	above := max(0, live+n-g.mixture.base)
	wanted := min(live+n, g.mixture.base) + (above*g.mixture.percent+99)/100
	return min(n, max(0, wanted-has))
}

func (l *launch) capacityOf(placed []pool) int {
	n := 0
	for _, p := range placed {
		n += l.weight(p.itype)
	}
	return n
}

// fill reserves n of one charge by the group's policy, beside what is placed already.
func (a *Account) fill(g *group, charge Charge, n int, beside []pool) (placed []pool, lack []ActivityError) {
	pools := a.pools(g, charge)
	switch g.policy {
	case Balance:
		return a.fillBalanced(g, pools, n, beside)
	case CostOptimized:
		slices.SortStableFunc(pools, func(x, y pool) int { return cmp.Compare(a.pricePerCPU(x), a.pricePerCPU(y)) })
	}
	for _, p := range pools {
		for n > 0 {
			if refused := a.reserve(g, p); refused != nil {
				lack = addReasons(lack, []ActivityError{*refused})
				break
			}
			placed = append(placed, p)
			n -= g.launch.weight(p.itype)
		}
	}
	return placed, lack
}

// pools lists a group's places by priority: its vSwitches in order, and in each of
// them its types in order.
func (a *Account) pools(g *group, charge Charge) []pool {
	var pools []pool
	for _, v := range g.vSwitches {
		for _, t := range g.launch.types {
			pools = append(pools, pool{vSwitch: v, zone: a.zones[v], itype: t, charge: charge})
		}
	}
	return pools
}

// fillBalanced gives each instance to the zone that has the fewest of the group.
func (a *Account) fillBalanced(g *group, pools []pool, n int, beside []pool) (placed []pool, lack []ActivityError) {
	inZone := map[string]int{}
	for _, i := range g.instances {
		if !i.leaving() && i.state != Stopped {
			inZone[i.zone]++
		}
	}
	for _, p := range beside {
		inZone[p.zone]++
	}
	for n > 0 && len(pools) > 0 {
		best := 0
		for at, p := range pools {
			if inZone[p.zone] < inZone[pools[best].zone] {
				best = at
			}
		}
		p := pools[best]
		if refused := a.reserve(g, p); refused != nil {
			lack = addReasons(lack, []ActivityError{*refused})
			pools = slices.Delete(pools, best, best+1)
			continue
		}
		inZone[p.zone]++
		placed = append(placed, p)
		n -= g.launch.weight(p.itype)
	}
	return placed, lack
}

func (a *Account) pricePerCPU(p pool) float64 {
	price := p.itype.PricePerHour
	if p.charge == Spot {
		price = a.spotPrice(p.zone, p.itype, a.now)
	}
	return price / float64(p.itype.CPUs)
}
