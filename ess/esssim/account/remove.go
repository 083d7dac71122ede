package account

import (
	"fmt"
	"slices"
)

// maxIDs is the most instance or group IDs one ESS call takes.
const maxIDs = 20

// Removal is a RemoveInstances request.
type Removal struct {
	GroupID     string
	InstanceIDs []string
	// KeepDesired leaves the expected number as it is, so that ESS replaces what
	// was removed (DecreaseDesiredCapacity=false).
	KeepDesired bool
	// IgnoreInvalid removes the valid ones although others are invalid.
	IgnoreInvalid bool
	// Policy is release or recycle; empty is release.
	Policy ScalingPolicy
	Token  string
	// SkipHooks lets instances pass the group's hooks.
	SkipHooks HookExemption
}

// RemoveInstances removes instances by ID, all or none unless told otherwise. It
// may remove Protected and Standby ones, and also Pending ones: the documentation
// is silent about those, and a machine that does not come up must be removable.
// It returns before the instances are gone.
func (a *Account) RemoveInstances(r Removal) (Result, error) {
	leave, err := a.enterToChange("RemoveInstances", r)
	if err != nil {
		return Result{}, err
	}
	defer leave()
	return a.once(r.Token, r, func() (Result, error) {
		if err := checkIDs(r.InstanceIDs); err != nil {
			return Result{}, err
		}
		g, err := a.activeGroup(r.GroupID)
		if err != nil {
			return Result{}, err
		}
		if r.Policy != "" && r.Policy != Release && r.Policy != ForceRelease && (!r.Policy.recycles() || !g.scaling.recycles()) {
			return Result{}, ErrInvalid("RemovePolicy", "the specified group does not support it")
		}
		if g, err = a.freeGroup(r.GroupID); err != nil {
			return Result{}, err
		}
		return a.remove(g, r)
	})
}

func (a *Account) remove(g *group, r Removal) (Result, error) {
	victims, invalid := a.removable(g, r.InstanceIDs, r.Policy)
	if len(invalid) > 0 && !r.IgnoreInvalid {
		return Result{}, invalid[0]
	}
	leaving := live(victims)
	left := g.capacity.Live() - leaving
	if leaving > 0 && left < g.min {
		return Result{}, errBelowMin()
	}
	act := a.startScaleIn(g, victims, order{
		number:  len(victims) + len(invalid),
		cause:   fmt.Sprintf("A user requests to remove instances, changing the Total Capacity from \"%d\" to \"%d\".", left+leaving, left),
		trigger: triggeredByAPI,

		policy:    r.Policy,
		lowers:    g.expected && !r.KeepDesired,
		skipHooks: r.SkipHooks,
	})
	for _, err := range invalid {
		act.errors = append(act.errors, ActivityError{Code: err.Code, Message: err.Message})
	}
	if g.expected && !r.KeepDesired {
		g.desired = max(g.min, g.desired-leaving)
	}
	a.settle(g)
	return Result{ActivityID: act.id}, nil
}

// removable sorts IDs into the group's instances and an error for each other one.
func (a *Account) removable(g *group, ids []string, policy ScalingPolicy) (victims []*instance, invalid []*Error) {
	for _, id := range ids {
		i, ok := a.instances[id]
		switch {
		case !ok || i.group != g:
			invalid = append(invalid, errInstanceNotFound(id))
		case i.leaving() || (i.state == Stopped && policy.recycles()):
			invalid = append(invalid, errInstanceStatus(id))
		case !slices.Contains(victims, i):
			victims = append(victims, i)
		}
	}
	return victims, invalid
}

// live is how much of a group's capacity these instances are.
func live(instances []*instance) int {
	n := 0
	for _, i := range instances {
		if i.state.live() {
			n += i.weight
		}
	}
	return n
}

func checkIDs(ids []string) error {
	if len(ids) == 0 {
		return ErrMissing("InstanceId.1")
	}
	if len(ids) > maxIDs {
		return ErrInvalid("InstanceId", fmt.Sprintf("%d are more than %d", len(ids), maxIDs))
	}
	return nil
}

// Protection is a SetInstancesProtection request.
type Protection struct {
	GroupID     string
	InstanceIDs []string
	Protected   bool
}

// SetProtection shields instances in service from removal by ESS, or no longer.
func (a *Account) SetProtection(p Protection) error {
	leave, err := a.enterToChange("SetProtection", p)
	if err != nil {
		return err
	}
	defer leave()
	if err := checkIDs(p.InstanceIDs); err != nil {
		return err
	}
	g, err := a.activeGroup(p.GroupID)
	if err != nil {
		return err
	}
	for _, id := range p.InstanceIDs {
		i, ok := a.instances[id]
		if !ok || i.group != g {
			return errInstanceNotFound(id)
		}
		if i.state != InService && i.state != Protected {
			return errInstanceStatus(id)
		}
	}
	to := InService
	if p.Protected {
		to = Protected
	}
	for _, id := range p.InstanceIDs {
		a.instances[id].enter(to)
	}
	a.settle(g)
	return nil
}
