package account

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// HealthCheckType is how a group finds unhealthy instances.
type HealthCheckType string

// The health checks of the simulated account; it has no load balancers.
const (
	HealthCheckECS  HealthCheckType = "ECS"
	HealthCheckNone HealthCheckType = "NONE"
)

// Quotas bound the whole account. Nil is unlimited.
type Quotas struct {
	// OnDemandVCPUs and SpotVCPUs bound the vCPUs that run at once; what is beyond
	// fails with QuotaExceed.ElasticQuota.
	OnDemandVCPUs *int `yaml:"onDemandVCPUs" json:"onDemandVCPUs"`
	SpotVCPUs     *int `yaml:"spotVCPUs" json:"spotVCPUs"`
	// Instances bounds the pay-as-you-go instances that run at once, spot ones among
	// them; what is beyond fails with QuotaExceed.AfterpayInstance.
	Instances *int `yaml:"instances" json:"instances"`
	// Broke: the balance is used up, and creations fail with InsufficientBalance.
	Broke bool `yaml:"insufficientBalance" json:"insufficientBalance"`
}

func (q Quotas) validate(p *problems) {
	for _, field := range []struct {
		name  string
		value *int
	}{{"onDemandVCPUs", q.OnDemandVCPUs}, {"spotVCPUs", q.SpotVCPUs}, {"instances", q.Instances}} {
		if field.value != nil && *field.value < 0 {
			p.add("quotas."+field.name, "%d is negative", *field.value)
		}
	}
}

// SpotMarket is how spot prices move and when the market takes instances back. The
// shape of the price process is an assumption; protection, period of the check and
// notice are documented.
type SpotMarket struct {
	// Amplitude is how far a price strays from its mean, as a share of it: 0.5 is
	// between half and one and a half. 0, the default: prices do not move. A price
	// never exceeds the list price.
	Amplitude float64 `yaml:"amplitude"`
	// Period is how long a price takes from one turn to the next. Default: 1h.
	Period Duration `yaml:"period"`
	// Protection is how long an instance is safe. ECS and default: 1h.
	Protection *Duration `yaml:"protection"`
	// Check is how often the market looks at an instance. ECS and default: 5m.
	Check Duration `yaml:"check"`
	// Notice is how long an instance has after it was told. ECS and default: 5m.
	Notice *Duration `yaml:"notice"`
	// ReclaimBeyondStock also takes back what runs beyond a stock that was lowered.
	ReclaimBeyondStock bool `yaml:"reclaimBeyondStock"`
}

func (m *SpotMarket) fillDefaults() {
	setDefault(&m.Period, Duration(time.Hour))
	setDefault(&m.Check, Duration(5*time.Minute))
	if m.Protection == nil {
		hour := Duration(time.Hour)
		m.Protection = &hour
	}
	if m.Notice == nil {
		notice := Duration(ReclaimNotice)
		m.Notice = &notice
	}
}

func (m SpotMarket) validate(p *problems) {
	if m.Amplitude < 0 || m.Amplitude > 10 {
		p.add("spotMarket.amplitude", "%v is not between 0 and 10", m.Amplitude)
	}
	for _, field := range []struct {
		name         string
		value, least Duration
	}{
		{"period", m.Period, Duration(time.Minute)},
		{"check", m.Check, Duration(time.Second)},
		{"protection", *m.Protection, 0},
		{"notice", *m.Notice, 0},
	} {
		if field.value < field.least {
			p.add("spotMarket."+field.name, "%v is less than %v", time.Duration(field.value), time.Duration(field.least))
		}
	}
}

// Machine is an ECS instance that belongs to no scaling group.
type Machine struct {
	ID           string       `yaml:"id"`
	Type         string       `yaml:"type"`
	VSwitchID    string       `yaml:"vSwitchId"`
	SpotStrategy SpotStrategy `yaml:"spotStrategy"`
}

func (c *Config) validateMachines(p *problems, types map[string]bool) {
	seen := map[string]bool{}
	for i, m := range c.Machines {
		path := fmt.Sprintf("machines[%d]", i)
		p.unique(seen, path+".id", m.ID)
		if !types[m.Type] {
			p.add(path+".type", "%q is not among instanceTypes", m.Type)
		}
		if !slices.ContainsFunc(c.VSwitches, func(v VSwitch) bool { return v.ID == m.VSwitchID }) {
			p.add(path+".vSwitchId", "%q is not among vSwitches", m.VSwitchID)
		}
		oneOf(p, path+".spotStrategy", m.SpotStrategy, "", NoSpot, SpotAsPriceGo, SpotWithPriceLimit)
	}
}

// maxWeight is ESS's largest WeightedCapacity.
const maxWeight = 500

func validateWeights(p *problems, path string, weights map[string]int, types map[string]bool) {
	for _, name := range slices.Sorted(maps.Keys(weights)) {
		if !types[name] {
			p.add(path, "%q is not among instanceTypes", name)
		}
		if w := weights[name]; w < 1 || w > maxWeight {
			p.add(path+"."+name, "%d is not between 1 and %d", w, maxWeight)
		}
	}
}

func validateLimits(p *problems, path string, limits map[string]float64, types map[string]bool) {
	for _, name := range slices.Sorted(maps.Keys(limits)) {
		if !types[name] {
			p.add(path, "%q is not among instanceTypes", name)
		}
		if limits[name] <= 0 {
			p.add(path+"."+name, "%v is not a price", limits[name])
		}
	}
}

// validateMixture checks what only groups that choose by cost have.
func validateMixture(p *problems, path string, g *ScalingGroup) {
	const maxOnDemandBase = 1000
	if g.OnDemandBase < 0 || g.OnDemandBase > maxOnDemandBase {
		p.add(path+".onDemandBase", "%d is not between 0 and %d", g.OnDemandBase, maxOnDemandBase)
	}
	if g.OnDemandPercentAboveBase < 0 || g.OnDemandPercentAboveBase > 100 {
		p.add(path+".onDemandPercentAboveBase", "%d is not between 0 and 100", g.OnDemandPercentAboveBase)
	}
	mixed := g.OnDemandBase > 0 || g.OnDemandPercentAboveBase > 0 || g.CompensateWithOnDemand || g.SpotInstanceRemedy
	if mixed && g.MultiAZPolicy != CostOptimized && g.MultiAZPolicy != Composable {
		p.add(path+".multiAZPolicy", "onDemandBase, onDemandPercentAboveBase, compensateWithOnDemand and spotInstanceRemedy need %s or %s", CostOptimized, Composable)
	}
}
