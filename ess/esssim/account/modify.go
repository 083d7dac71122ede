package account

import "fmt"

// Modification is a ModifyScalingGroup request; nil leaves a value as it is.
type Modification struct {
	GroupID               string
	Name                  string
	Min, Max, Desired     *int
	DisableExpectedNumber bool
}

// ModifyGroup changes a group's limits and expected number, whether it is Active
// or not. When the expected number is lowered, ESS chooses the instances to remove.
func (a *Account) ModifyGroup(m Modification) error {
	leave, err := a.enterToChange("ModifyScalingGroup", m)
	if err != nil {
		return err
	}
	defer leave()
	g, err := a.group(m.GroupID)
	if err != nil {
		return err
	}
	if g.lifecycle == Deleting {
		return errGroupStatus()
	}
	low, high, desired := g.min, g.max, g.desired
	for _, field := range []struct {
		name string
		from *int
		to   *int
	}{{"MinSize", m.Min, &low}, {"MaxSize", m.Max, &high}, {"DesiredCapacity", m.Desired, &desired}} {
		if field.from == nil {
			continue
		}
		if *field.from < 0 || *field.from > maxGroupSize {
			return ErrInvalid(field.name, fmt.Sprintf("%d is not between 0 and %d", *field.from, maxGroupSize))
		}
		*field.to = *field.from
	}
	switch {
	case low > high:
		return errConflicting("MinSize", "MaxSize")
	case m.Desired != nil && (!g.expected || m.DisableExpectedNumber):
		return ErrInvalid("DesiredCapacity", "the scaling group is not in expected-number mode")
	case g.expected && !m.DisableExpectedNumber && desired < low:
		return errConflicting("MinSize", "DesiredCapacity")
	case g.expected && !m.DisableExpectedNumber && desired > high:
		return errConflicting("MaxSize", "DesiredCapacity")
	case m.DisableExpectedNumber && g.running > 0:
		return errActivityInProgress()
	}
	g.min, g.max, g.desired, g.modified = low, high, desired, a.now
	g.expected = g.expected && !m.DisableExpectedNumber
	if m.Name != "" {
		g.name = m.Name
	}
	a.settle(g)
	return nil
}

// EnableGroup makes an Inactive group Active.
func (a *Account) EnableGroup(id string) error {
	leave, err := a.enterToChange("EnableScalingGroup", id)
	if err != nil {
		return err
	}
	defer leave()
	g, err := a.group(id)
	if err != nil {
		return err
	}
	if g.lifecycle != Inactive {
		return errGroupStatus()
	}
	if !g.launch.defined() {
		return &Error{400, "MissingActiveScalingConfiguration", "An active scaling configuration for the specified scaling group is not supplied."}
	}
	g.lifecycle, g.modified = Active, a.now
	a.settle(g)
	return nil
}

// DisableGroup makes an Active group Inactive. What is running runs to its end;
// nothing new begins.
func (a *Account) DisableGroup(id string) error {
	leave, err := a.enterToChange("DisableScalingGroup", id)
	if err != nil {
		return err
	}
	defer leave()
	g, err := a.activeGroup(id)
	if err != nil {
		return err
	}
	g.lifecycle, g.modified = Inactive, a.now
	return nil
}
