package ess

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	sdkecs "github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"

	"github.com/buildpool/buildpool/cloudprovider"
)

// The sources of a price, for people.
const (
	sourceOnDemand = "ECS DescribePrice"
	sourceSpot     = "ECS DescribeSpotPriceHistory"
)

// systemDisks are the categories to ask a price with. The newest types take ESSD
// only, the oldest do not take it; empty is the API's own default. The disk's price
// is not part of ours.
var systemDisks = []string{"cloud_essd", ""}

// OnDemandPrice implements cloudprovider.Pricer in one call, or in two for a type
// that takes no ESSD.
func (c *Cloud) OnDemandPrice(ctx context.Context, instanceType string) (cloudprovider.Price, error) {
	var answer *sdkecs.DescribePriceResponse
	var err error
	for _, disk := range systemDisks {
		answer, err = read(ctx, c, func() *sdkecs.DescribePriceRequest {
			request := sdkecs.CreateDescribePriceRequest()
			request.ResourceType = "instance"
			request.InstanceType = instanceType
			request.InstanceNetworkType = "vpc"
			request.SystemDiskCategory = disk
			request.PriceUnit = "Hour"
			return request
		}, sdkecs.CreateDescribePriceResponse)
		if !errors.Is(err, cloudprovider.ErrInvalidArgument) {
			break
		}
	}
	if err != nil {
		return cloudprovider.Price{}, fmt.Errorf("read the price of %s: %w", instanceType, notSold(err))
	}
	price := toPrice(answer, c.clock.Now())
	if !sound(price.PerHour) {
		return cloudprovider.Price{}, fmt.Errorf("read the price of %s: the answer has none: %w", instanceType, cloudprovider.ErrNoPrice)
	}
	return price, nil
}

// toPrice takes the instance's own part of the answer: the whole holds its system
// disk as well. What is paid counts, not the list price.
func toPrice(answer *sdkecs.DescribePriceResponse, now time.Time) cloudprovider.Price {
	all := answer.PriceInfo.Price
	price := cloudprovider.Price{PerHour: all.TradePrice, Currency: all.Currency, Source: sourceOnDemand, AsOf: now}
	for _, part := range all.DetailInfos.DetailInfo {
		if part.Resource == "instanceType" && sound(part.TradePrice) {
			price.PerHour = part.TradePrice
		}
	}
	return price
}

const (
	// spotWindow is how far back the price history is read: long enough to hold a
	// price of every zone, short enough for one page.
	spotWindow = 24 * time.Hour
	// maxSpotPages bounds one reading; a page has up to 1,000 prices.
	maxSpotPages = 5
)

// SpotPrices implements cloudprovider.Pricer in one call for all zones.
func (c *Cloud) SpotPrices(ctx context.Context, instanceType string) (map[string]cloudprovider.Price, error) {
	since := c.clock.Now().Add(-spotWindow).UTC().Format(time.RFC3339)
	latest := map[string]cloudprovider.Price{}
	for page, offset := 0, 0; page < maxSpotPages; page++ {
		answer, err := read(ctx, c, func() *sdkecs.DescribeSpotPriceHistoryRequest {
			request := sdkecs.CreateDescribeSpotPriceHistoryRequest()
			request.InstanceType = instanceType
			request.NetworkType = "vpc"
			request.StartTime = since
			request.Offset = requests.NewInteger(offset)
			return request
		}, sdkecs.CreateDescribeSpotPriceHistoryResponse)
		if err != nil {
			return nil, fmt.Errorf("read the spot prices of %s: %w", instanceType, notSold(err))
		}
		keepLatest(latest, answer)
		if answer.NextOffset <= offset || len(answer.SpotPrices.SpotPriceType) == 0 {
			break
		}
		offset = answer.NextOffset
	}
	if len(latest) == 0 {
		return nil, fmt.Errorf("read the spot prices of %s: no zone has one: %w", instanceType, cloudprovider.ErrNoPrice)
	}
	return latest, nil
}

// keepLatest takes a page's prices over where they are newer than those known.
func keepLatest(latest map[string]cloudprovider.Price, answer *sdkecs.DescribeSpotPriceHistoryResponse) {
	for _, entry := range answer.SpotPrices.SpotPriceType {
		at, err := time.Parse(time.RFC3339, entry.Timestamp)
		if err != nil || entry.ZoneId == "" || !sound(entry.SpotPrice) {
			continue // no price that anything could be done with
		}
		if known, ok := latest[entry.ZoneId]; ok && at.Before(known.AsOf) {
			continue
		}
		latest[entry.ZoneId] = cloudprovider.Price{
			PerHour: entry.SpotPrice, Currency: answer.Currency, Source: sourceSpot, AsOf: at,
		}
	}
}

// sound reports whether a number is a price: missing ones read as 0.
func sound(perHour float64) bool { return perHour > 0 }

// notSold turns "the region has no such type" into the vocabulary's word for prices.
func notSold(err error) error {
	if errors.Is(err, cloudprovider.ErrOutOfStock) || errors.Is(err, cloudprovider.ErrInvalidArgument) {
		return fmt.Errorf("%w: %w", cloudprovider.ErrNoPrice, err)
	}
	return err
}
