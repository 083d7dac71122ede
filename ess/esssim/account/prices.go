package account

import (
	"fmt"
	"slices"
	"time"
)

// Price is an instance type's price per hour, in CNY.
type Price struct{ List, Trade float64 }

// Price returns what an instance costs: the list price, and what is paid with the
// given spot strategy in a zone now. Without a zone, it is the mean of the spot price.
func (a *Account) Price(typeName, zone string, spot SpotStrategy) (Price, error) {
	t, ok := a.types[typeName]
	if !ok {
		return Price{}, errTypeNotFound()
	}
	defer a.enter()()
	price := Price{List: t.PricePerHour, Trade: t.PricePerHour}
	switch {
	case spot == "" || spot == NoSpot:
	case zone == "":
		price.Trade = t.SpotPricePerHour
	default:
		price.Trade = a.spotPrice(zone, t, a.now)
	}
	return price, nil
}

func errTypeNotFound() error {
	return &Error{404, "InvalidInstanceType.ValueNotSupported", "The specified InstanceType does not exist or beyond the permitted range."}
}

// SpotPrice is one entry of the spot price history.
type SpotPrice struct {
	Zone, Type string
	At         time.Time
	Spot, List float64
}

const (
	spotHistory     = 30 * 24 * time.Hour
	spotHistoryPage = 1000
)

// SpotPriceHistory lists the hourly spot prices of a type between two instants, at
// most the last 30 days, zone by zone; empty instants mean the last day. It
// returns the offset of the next page, or 0.
func (a *Account) SpotPriceHistory(typeName, zone string, from, to time.Time, offset int) (prices []SpotPrice, next int, err error) {
	defer a.enter()()
	t, ok := a.types[typeName]
	if !ok {
		return nil, 0, errTypeNotFound()
	}
	if offset < 0 {
		return nil, 0, ErrInvalid("Offset", fmt.Sprintf("%d is negative", offset))
	}
	if to.IsZero() || to.After(a.now) {
		to = a.now
	}
	if from.IsZero() {
		from = to.Add(-24 * time.Hour)
	}
	if oldest := a.now.Add(-spotHistory); from.Before(oldest) {
		from = oldest
	}
	var zones []string
	for _, v := range a.config.VSwitches {
		if (zone == "" || v.Zone == zone) && !slices.Contains(zones, v.Zone) {
			zones = append(zones, v.Zone)
		}
	}
	for _, z := range zones {
		for at := from.Truncate(time.Hour); !at.After(to); at = at.Add(time.Hour) {
			if at.Before(from) {
				continue
			}
			prices = append(prices, SpotPrice{Zone: z, Type: t.Name, At: at, Spot: a.spotPrice(z, t, at), List: t.PricePerHour})
		}
	}
	first := min(offset, len(prices))
	last := min(first+spotHistoryPage, len(prices))
	if last < len(prices) {
		next = last
	}
	return prices[first:last], next, nil
}
