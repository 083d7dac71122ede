package esssim

import (
	"math"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

type spotAdviceReply struct {
	answered
	RegionID           string `json:"RegionId"`
	AvailableSpotZones struct{ AvailableSpotZone []wireSpotZone }
}

type wireSpotZone struct {
	ZoneID                 string `json:"ZoneId"`
	AvailableSpotResources struct{ AvailableSpotResource []wireSpotAdvice }
}

type wireSpotAdvice struct {
	InstanceType string
	// AverageSpotDiscount is the mean price as a percentage of the list price.
	AverageSpotDiscount int
	InterruptionRate    float64
	InterruptRateDesc   string
}

func (s *Simulator) describeSpotAdvice(p parameters) (reply, error) {
	answer := &spotAdviceReply{RegionID: s.account.Region()}
	answer.AvailableSpotZones.AvailableSpotZone = []wireSpotZone{}
	for _, zone := range s.account.Supply(p["ZoneId"], p.list("InstanceTypes"), account.Spot) {
		w := wireSpotZone{ZoneID: zone.Zone}
		for _, one := range zone.Types {
			if !one.Available {
				continue
			}
			rate, name := interruptRate(one.AboveList)
			w.AvailableSpotResources.AvailableSpotResource = append(w.AvailableSpotResources.AvailableSpotResource, wireSpotAdvice{
				InstanceType:        one.Type,
				AverageSpotDiscount: int(math.Round(one.MeanShare * 100)),
				InterruptionRate:    rate,
				InterruptRateDesc:   name,
			})
		}
		if len(w.AvailableSpotResources.AvailableSpotResource) > 0 {
			answer.AvailableSpotZones.AvailableSpotZone = append(answer.AvailableSpotZones.AvailableSpotZone, w)
		}
	}
	return answer, nil
}

// interruptRate puts a share of interruptions into one of ECS's classes.
func interruptRate(share float64) (rate float64, class string) {
	percent := share * 100
	for _, c := range []struct {
		below float64
		class string
	}{{0.5, "0-0.5%"}, {1, "0.5-1%"}, {2, "1-2%"}, {3, "2-3%"}, {5, "3-5%"}, {10, "5-10%"}} {
		if percent < c.below {
			return percent, c.class
		}
	}
	return percent, "10-100%"
}

type availableReply struct {
	answered
	AvailableZones struct{ AvailableZone []wireAvailableZone }
}

type wireAvailableZone struct {
	RegionID           string `json:"RegionId"`
	ZoneID             string `json:"ZoneId"`
	Status             string
	StatusCategory     string
	AvailableResources struct{ AvailableResource []wireAvailable }
}

type wireAvailable struct {
	Type               string
	SupportedResources struct{ SupportedResource []wireSupported }
}

type wireSupported struct{ Value, Status, StatusCategory string }

// stockStatus is ECS's words for whether something can be had.
func stockStatus(available bool) (status, category string) {
	if available {
		return "Available", "WithStock"
	}
	return "SoldOut", "WithoutStock"
}

func (s *Simulator) describeAvailableResource(p parameters) (reply, error) {
	wanted, err := p.required("DestinationResource")
	if err != nil {
		return nil, err
	}
	if wanted != "InstanceType" {
		return nil, account.ErrInvalid("DestinationResource", "the simulated account only knows InstanceType")
	}
	charge := account.OnDemand
	if strategy := account.SpotStrategy(p["SpotStrategy"]); strategy != "" && strategy != account.NoSpot {
		charge = account.Spot
	}
	var types []string
	if one := p["InstanceType"]; one != "" {
		types = []string{one}
	}
	answer := &availableReply{}
	answer.AvailableZones.AvailableZone = []wireAvailableZone{}
	for _, zone := range s.account.Supply(p["ZoneId"], types, charge) {
		w := wireAvailableZone{RegionID: s.account.Region(), ZoneID: zone.Zone}
		kinds := wireAvailable{Type: "InstanceType"}
		some := false
		for _, one := range zone.Types {
			some = some || one.Available
			status, category := stockStatus(one.Available)
			kinds.SupportedResources.SupportedResource = append(kinds.SupportedResources.SupportedResource, wireSupported{one.Type, status, category})
		}
		w.Status, w.StatusCategory = stockStatus(some)
		w.AvailableResources.AvailableResource = []wireAvailable{kinds}
		answer.AvailableZones.AvailableZone = append(answer.AvailableZones.AvailableZone, w)
	}
	return answer, nil
}
