package config

import "fmt"

// Pricing says what a price is taken to be where none is known.
type Pricing struct {
	// AssumedSpotShare is what a spot instance is taken to cost while no spot price of
	// its type is known, as a share of the on-demand price, 0.01 to 1. Default: 0.3.
	AssumedSpotShare *float64 `json:"assumedSpotShare,omitempty"`
}

// checkPricing looks at prices across groups.
func (d *decoder) checkPricing(cfg Config) {
	if at := "pricing.assumedSpotShare"; d.sound(at) && (*cfg.Pricing.AssumedSpotShare < 0.01 || *cfg.Pricing.AssumedSpotShare > 1) {
		d.complain(at, fmt.Sprintf("%v is no share of a price", *cfg.Pricing.AssumedSpotShare), "write a number from 0.01 to 1, such as 0.3")
	}
	first, owner := "", ""
	for i, g := range cfg.Groups {
		at := groupPath(i) + ".price.currency"
		if g.Price == nil || g.Price.Currency == "" || !d.sound(at) || !currencyForm.MatchString(g.Price.Currency) {
			continue
		}
		switch {
		case first == "":
			first, owner = g.Price.Currency, groupPath(i)
		case g.Price.Currency != first:
			d.complain(at, fmt.Sprintf("%s is another currency than %s of %s", quoted(g.Price.Currency), quoted(first), owner), "write all prices in one currency: only numbers of one can be compared")
		}
	}
}
