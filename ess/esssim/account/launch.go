package account

// launch is what a group's instances are made from: its scaling configuration or
// the version of a launch template, with the types looked up.
type launch struct {
	configuration   string
	template        string
	templateVersion string
	overrides       []string
	types           []*InstanceType
	spot            SpotStrategy
	systemDiskGiB   int
	userData        string
	tags            map[string]string
	weights         map[string]int
	priceLimits     map[string]float64
}

// weight is how much of the group's capacity an instance of a type is.
func (l *launch) weight(itype *InstanceType) int { return max(1, l.weights[itype.Name]) }

// launchOf resolves a group's launch settings; it returns an empty launch for a
// group that has none yet.
func (c *Config) launchOf(g ScalingGroup, types map[string]*InstanceType) (*launch, error) {
	l := &launch{}
	var names []string
	switch {
	case g.ScalingConfiguration != nil:
		s := g.ScalingConfiguration
		names = s.InstanceTypes
		l.configuration, l.spot, l.systemDiskGiB, l.userData, l.tags = s.ID, s.SpotStrategy, s.SystemDiskGiB, s.UserData, s.Tags
		l.weights, l.priceLimits = s.Weights, s.SpotPriceLimits
	case g.LaunchTemplate != nil:
		t, err := c.resolveTemplate(*g.LaunchTemplate)
		if err != nil {
			return nil, err
		}
		names = t.InstanceTypes
		l.template, l.templateVersion = t.ID, g.LaunchTemplate.Version
		l.spot, l.systemDiskGiB, l.userData, l.tags = t.SpotStrategy, t.SystemDiskGiB, t.UserData, t.Tags
		l.weights, l.priceLimits = g.LaunchTemplate.Weights, t.SpotPriceLimits
		if len(g.LaunchTemplate.Overrides) > 0 {
			names = g.LaunchTemplate.Overrides
		}
		if len(g.LaunchTemplate.Overrides) > 0 || len(names) > 1 {
			l.overrides = names
		}
	}
	for _, name := range names {
		l.types = append(l.types, types[name])
	}
	return l, nil
}

// spotOf is the spot strategy of an instance that is paid in this way.
func (l *launch) spotOf(charge Charge) SpotStrategy {
	if charge == OnDemand {
		return NoSpot
	}
	return l.spot
}

func (l *launch) defined() bool { return len(l.types) > 0 }
