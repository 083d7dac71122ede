package nodegroups

import (
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// OfflinePrice is what a node of the group is taken to cost where there is no account
// to ask: by the configuration, else by the shipped table, and a spot node by the
// assumption on that. ErrNoPrice: the table does not list the type.
func OfflinePrice(cfg config.Config, group config.Group, launch cloudprovider.Launch, instanceType string) (cloudprovider.Price, error) {
	if set := group.Price; set != nil {
		return cloudprovider.Price{PerHour: set.PerHour, Currency: set.Currency, Source: sourceConfigured}, nil
	}
	share := AssumedSpotShare
	if set := cfg.Pricing.AssumedSpotShare; set != nil {
		share = *set
	}
	var unread priceBook
	return unread.price(merchandise{
		region: cfg.Region, instanceType: instanceType, zones: launch.Zones, spot: launch.Spot(), spotShare: share,
	}, time.Time{})
}
