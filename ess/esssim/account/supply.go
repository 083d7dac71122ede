package account

import (
	"slices"
	"time"
)

// TypeSupply is whether a type can be had in a zone now, and how its spot price has
// been over the last 30 days.
type TypeSupply struct {
	Type      string
	Available bool
	// MeanShare is the mean spot price as a share of the list price.
	MeanShare float64
	// AboveList is the share of hours in which spot cost as much as the list price.
	AboveList float64
}

// ZoneSupply is the supply of one zone.
type ZoneSupply struct {
	Zone  string
	Types []TypeSupply
}

// Supply lists what can be had per zone and type. An empty zone or list is all.
func (a *Account) Supply(zone string, types []string, charge Charge) []ZoneSupply {
	defer a.enter()()
	var supply []ZoneSupply
	seen := map[string]bool{}
	for _, v := range a.config.VSwitches {
		if seen[v.Zone] || (zone != "" && v.Zone != zone) {
			continue
		}
		seen[v.Zone] = true
		z := ZoneSupply{Zone: v.Zone}
		for _, t := range a.config.InstanceTypes {
			if len(types) > 0 && !slices.Contains(types, t.Name) {
				continue
			}
			one := TypeSupply{Type: t.Name, Available: a.stock.has(pool{zone: v.Zone, itype: &t, charge: charge})}
			if charge == Spot {
				one.MeanShare, one.AboveList = a.spotRecord(v.Zone, &t)
			}
			z.Types = append(z.Types, one)
		}
		supply = append(supply, z)
	}
	return supply
}

// spotRecord sums up the hourly spot prices of the last 30 days.
func (a *Account) spotRecord(zone string, t *InstanceType) (mean, above float64) {
	if t.PricePerHour == 0 {
		return 0, 0
	}
	const hours = int(spotHistory / time.Hour)
	for n := range hours {
		price := a.spotPrice(zone, t, a.now.Add(-time.Duration(n)*time.Hour))
		mean += price / t.PricePerHour / float64(hours)
		if price >= t.PricePerHour {
			above += 1 / float64(hours)
		}
	}
	return mean, above
}
