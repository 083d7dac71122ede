package nodegroups

import (
	"fmt"
	"slices"
	"strings"

	"github.com/buildpool/buildpool/cloudprovider"
)

// kind is what decides the price of an instance within its group.
type kind struct {
	instanceType, zone string
	spot               bool
}

// costOf is what the instances of a group that run cost together: each by its own type,
// zone and charge type, which need not be the template's. Prices without a currency are
// in the account's. What one of them costs has to be known: a sum without it would look
// like a saving. The caller holds mu.
func (p *Provider) costOf(m *member, v *view, currency string) (cloudprovider.Price, error) {
	running := map[kind]int{}
	for _, i := range m.seen.instances {
		state, ok := stateOf(i.Lifecycle)
		if _, leaving := m.state.departed[i.ID]; ok && state == cloudprovider.Running && !leaving {
			running[kind{i.Type, i.Zone, i.Spot}]++
		}
	}
	total := v.price
	total.PerHour = 0
	if len(running) == 0 || v.config.Price != nil {
		if v.priceErr != nil {
			return cloudprovider.Price{}, v.priceErr
		}
		for _, n := range running {
			total.PerHour += float64(n) * v.price.PerHour
		}
		return inCurrency(total, currency), nil
	}
	var sources []string
	for k, n := range running {
		price, err := p.priceOfKind(v, k)
		if err != nil {
			return cloudprovider.Price{}, err
		}
		price = inCurrency(price, currency)
		if len(sources) > 0 && price.Currency != total.Currency {
			return cloudprovider.Price{}, fmt.Errorf("%w in one currency: %s and %s", cloudprovider.ErrNoPrice, total.Currency, price.Currency)
		}
		if len(sources) == 0 {
			total = cloudprovider.Price{Currency: price.Currency, AsOf: price.AsOf}
		}
		total.PerHour += float64(n) * price.PerHour
		total.Assumed = total.Assumed || price.Assumed
		if price.AsOf.Before(total.AsOf) {
			total.AsOf = price.AsOf
		}
		sources = append(sources, price.Source)
	}
	slices.Sort(sources)
	total.Source = strings.Join(slices.Compact(sources), "; ")
	return total, nil
}

// priceOfKind is what one such instance of the group costs.
func (p *Provider) priceOfKind(v *view, k kind) (cloudprovider.Price, error) {
	goods := v.goods
	goods.spot = k.spot
	if k.instanceType != "" {
		goods.instanceType = k.instanceType
	}
	if k.zone != "" {
		goods.zones = append([]string{k.zone}, goods.zones...)
	}
	return p.prices.price(goods, p.Clock.Now())
}

func inCurrency(price cloudprovider.Price, currency string) cloudprovider.Price {
	if price.Currency == "" {
		price.Currency = currency
	}
	return price
}
