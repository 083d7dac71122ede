package nodegroups

import (
	"context"
	"fmt"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

// priceTimeout bounds the reading of one price.
const priceTimeout = 30 * time.Second

// readPrices reads the prices that are due in the background: no RPC waits for them,
// and one round of readings runs at a time. Every round ends by itself, or with Close.
func (p *Provider) readPrices() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pricing || p.lifetime.Err() != nil {
		return
	}
	due := p.prices.due(p.pricesWanted(), p.Clock.Now())
	if len(due) == 0 {
		return
	}
	p.pricing = true
	p.background.Add(1)
	go func() {
		defer p.background.Done()
		for _, key := range due {
			p.readPrice(key)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		p.pricing = false
		p.reprice()
	}()
}

// ReadPrices reads every price that is due and returns when that is done: for those who
// ask once, and cannot wait for refreshes to come. It must not run beside a Refresh.
func (p *Provider) ReadPrices(ctx context.Context) error {
	for {
		p.background.Wait()
		p.readPrices()
		p.mu.Lock()
		reading := p.pricing
		p.mu.Unlock()
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("read prices: %w", err)
		}
		if !reading {
			return nil
		}
	}
}

// pricesWanted are the readings that the groups without a price of their own depend
// on. A spot group needs the on-demand price only while spot prices are lacking. The
// caller holds mu.
func (p *Provider) pricesWanted() map[priceKey]bool {
	now := p.Clock.Now()
	wanted := map[priceKey]bool{}
	for _, m := range p.members {
		if m.config.Price != nil || m.problem != "" {
			continue
		}
		for _, t := range m.launch.types {
			if !m.launch.launch.Spot() {
				wanted[priceKey{t.Name, false}] = true
				continue
			}
			spot := priceKey{t.Name, true}
			wanted[spot] = true
			if q := p.prices.quote(spot); !q.asked.IsZero() && !q.coversOne(m.launch.launch.Zones, now) {
				wanted[priceKey{t.Name, false}] = true
			}
		}
	}
	return wanted
}

// coversOne reports whether there is a price for one of the zones.
func (q quote) coversOne(zones []string, now time.Time) bool {
	for _, zone := range zones {
		if _, ok := q.byZone[zone]; ok {
			return q.good(now)
		}
	}
	return false
}

// readPrice asks the cloud for one price and remembers the outcome.
func (p *Provider) readPrice(key priceKey) {
	ctx, cancel := context.WithTimeout(p.lifetime, priceTimeout)
	defer cancel()
	began := p.Clock.Now()
	byZone, err := p.askPrice(ctx, key)
	if p.lifetime.Err() != nil {
		return // Close is why it failed
	}
	if p.prices.record(key, began, byZone, err) {
		p.Log.Warn("price cannot be read, another source is used", "instance_type", key.instanceType, "spot", key.spot, "error", err)
	}
}

func (p *Provider) askPrice(ctx context.Context, key priceKey) (map[string]cloudprovider.Price, error) {
	if key.spot {
		return p.Cloud.SpotPrices(ctx, key.instanceType)
	}
	price, err := p.Cloud.OnDemandPrice(ctx, key.instanceType)
	if err != nil {
		return nil, err
	}
	return map[string]cloudprovider.Price{"": price}, nil
}

// reprice publishes the prices that are known now. Of each group's view nothing else
// changes. The caller holds mu.
func (p *Provider) reprice() {
	for _, m := range p.members {
		if m.view == nil {
			continue
		}
		v := *m.view
		v.price, v.priceErr = p.priceOf(&v)
		m.view = &v
	}
	p.publish()
}
