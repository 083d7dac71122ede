package config

import (
	"context"
	"fmt"

	"github.com/buildpool/buildpool/cloudprovider"
)

// Comparing a file with the account needs no prices, so this account knows none.

func (a *account) OnDemandPrice(_ context.Context, instanceType string) (cloudprovider.Price, error) {
	return cloudprovider.Price{}, fmt.Errorf("price of %s: %w", instanceType, cloudprovider.ErrNoPrice)
}

func (a *account) SpotPrices(_ context.Context, instanceType string) (map[string]cloudprovider.Price, error) {
	return nil, fmt.Errorf("spot prices of %s: %w", instanceType, cloudprovider.ErrNoPrice)
}
