package demo

import (
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
)

// SimulatedAccount looks behind a simulator's API, for what kubelets would know and
// what the spot market would do. It implements Account.
type SimulatedAccount struct {
	*esssim.Simulator
	Config esssim.Config
}

var _ Account = SimulatedAccount{}

// Instances implements Account.
func (a SimulatedAccount) Instances() []Instance {
	var out []Instance
	for _, g := range a.State().Groups {
		for _, i := range g.Instances {
			out = append(out, Instance{ID: i.ID, Group: g.Tags["buildpool"], InService: !i.InService.IsZero(), Since: i.InService})
		}
	}
	return out
}

// SpotStockOut implements Account.
func (a SimulatedAccount) SpotStockOut() error {
	for _, v := range a.Config.VSwitches {
		for _, t := range a.Config.InstanceTypes {
			if err := a.SetStock(v.Zone, t.Name, account.Spot, 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// CostPerHour implements Account.
func (a SimulatedAccount) CostPerHour() float64 {
	sum := 0.0
	for _, g := range a.State().Groups {
		for _, i := range g.Instances {
			if i.SpotStrategy == account.NoSpot {
				sum += i.Type.PricePerHour
			} else {
				sum += i.Type.SpotPricePerHour
			}
		}
	}
	return sum
}
