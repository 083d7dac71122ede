package account

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// market is the spot market. A price is a function of seed, zone, type and time, not
// a state, so that its history is there without anybody having looked.
type market struct {
	SpotMarket
	seed uint64
	// set are the prices that the operator has set, oldest first.
	set map[stockKey][]setPrice
}

type setPrice struct {
	since time.Time
	price float64 // 0: back to the process
}

func newMarket(cfg SpotMarket, seed uint64) *market {
	return &market{SpotMarket: cfg, seed: seed, set: map[stockKey][]setPrice{}}
}

// noise is a smooth random function of time between -1 and 1: random values at the
// turns of a period, and a cosine between them.
func (m *market) noise(zone, itype string, at time.Time) float64 {
	period := int64(m.Period)
	step := at.UnixNano() / period
	part := float64(at.UnixNano()%period) / float64(period)
	blend := (1 - math.Cos(part*math.Pi)) / 2
	return m.turn(zone, itype, step)*(1-blend) + m.turn(zone, itype, step+1)*blend
}

func (m *market) turn(zone, itype string, step int64) float64 {
	h := fnv.New64a()
	// Writing to a hash never fails.
	_, _ = fmt.Fprintf(h, "%s/%s/%d", zone, itype, step)
	return rand.New(rand.NewPCG(m.seed, h.Sum64())).Float64()*2 - 1
}

// spotPrice is what a spot instance costs per hour at an instant.
func (a *Account) spotPrice(zone string, t *InstanceType, at time.Time) float64 {
	m := a.market
	history := m.set[stockKey{zone, t.Name, Spot}]
	for n := len(history) - 1; n >= 0; n-- {
		if at.Before(history[n].since) {
			continue
		}
		if price := history[n].price; price > 0 {
			return price
		}
		break
	}
	if m.Amplitude == 0 {
		return t.SpotPricePerHour
	}
	price := t.SpotPricePerHour * (1 + m.Amplitude*m.noise(zone, t.Name, at))
	return min(max(price, t.SpotPricePerHour/100), max(t.PricePerHour, t.SpotPricePerHour))
}

// MarketPrice is a spot price that the operator sets.
type MarketPrice struct {
	Zone string `json:"zone"`
	Type string `json:"type"`
	// Price per hour; 0 gives the price back to the process.
	Price float64 `json:"price"`
}

// SetSpotPrice sets a spot price from now on.
func (a *Account) SetSpotPrice(p MarketPrice) error {
	leave, err := a.enterToChange("SetSpotPrice", p)
	if err != nil {
		return err
	}
	defer leave()
	switch {
	case a.types[p.Type] == nil:
		return fmt.Errorf("set spot price: type: %q is not among instanceTypes", p.Type)
	case !slices.ContainsFunc(a.config.VSwitches, func(v VSwitch) bool { return v.Zone == p.Zone }):
		return fmt.Errorf("set spot price: zone: no vSwitch is in %q", p.Zone)
	case p.Price < 0:
		return fmt.Errorf("set spot price: price: %v is negative", p.Price)
	}
	key := stockKey{p.Zone, p.Type, Spot}
	a.market.set[key] = append(a.market.set[key], setPrice{a.now, p.Price})
	return nil
}

// priceLimit is the most an instance of a pool may cost, if there is a limit.
func (l *launch) priceLimit(p pool) (float64, bool) {
	if p.charge != Spot || l.spot != SpotWithPriceLimit {
		return 0, false
	}
	limit, ok := l.priceLimits[p.itype.Name]
	return limit, ok
}

// watch makes the market look at a spot instance when its protection ends, and then
// again and again (ECS: one hour, and every five minutes). An instance that the
// market can never want is not looked at.
func (a *Account) watch(i *instance) {
	_, limited := i.launch.priceLimit(i.pool())
	if i.spot == NoSpot || (!limited && !a.market.ReclaimBeyondStock) {
		return
	}
	since := i.inService
	delay := max(0, since.Add(time.Duration(*a.market.Protection)).Sub(a.now))
	var look func()
	look = func() {
		if a.instances[i.id] != i || i.inService != since || i.reclaiming {
			return
		}
		if a.wanted(i) {
			a.announce(i, time.Duration(*a.market.Notice))
			return
		}
		a.after(time.Duration(a.market.Check), look)
	}
	a.after(delay, look)
}

// wanted reports whether the market takes an instance back.
func (a *Account) wanted(i *instance) bool {
	limit, limited := i.launch.priceLimit(i.pool())
	if limited && a.spotPrice(i.zone, i.itype, a.now) > limit {
		return true
	}
	key := i.pool().key()
	bound, bounded := a.stock.limits[key]
	if !a.market.ReclaimBeyondStock || !bounded {
		return false
	}
	// Those that are told already go first; the rest may stay.
	leaving := 0
	for _, other := range a.instances {
		if other.reclaiming && other.pool().key() == key {
			leaving++
		}
	}
	return a.stock.used[key]-leaving > bound
}
