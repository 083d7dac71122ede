package cloudprovider

import (
	"context"
	"time"
)

// Price is what an instance costs, and how that is known.
type Price struct {
	// PerHour is the price of one instance for one hour, without disks and traffic.
	PerHour float64
	// Currency is an ISO 4217 code. Prices in different currencies are not compared.
	Currency string
	// Source says for people where the price comes from ("ECS DescribePrice").
	Source string
	// AsOf is when the price held or was read; zero when the source does not say.
	AsOf time.Time
	// Assumed: no source knows the price, it was worked out from another one.
	Assumed bool
}

// For returns what the instance costs in a period.
func (p Price) For(period time.Duration) float64 { return p.PerHour * period.Hours() }

// Pricer reads what instances cost in the region of the account. Prices are above 0:
// an answer without one is ErrNoPrice.
type Pricer interface {
	// OnDemandPrice returns the pay-as-you-go price of an instance of the type as the
	// account would pay it. ErrNoPrice: the region has no such type, or no price for it.
	OnDemandPrice(ctx context.Context, instanceType string) (Price, error)

	// SpotPrices returns the latest spot price of the type in each zone that has one.
	// ErrNoPrice: no zone has.
	SpotPrices(ctx context.Context, instanceType string) (byZone map[string]Price, err error)
}
