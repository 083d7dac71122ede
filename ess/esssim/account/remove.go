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
}

// RemoveInstances removes instances by ID, all or none unless told otherwise. It
// may remove Protected and Standby ones, and also Pending ones: the documentation
// is silent about those, and a machine that does not come up must be removable.
// It returns before the instances are gone.
func (a *Account) RemoveInstances(r Removal) (Result, error) {
	defer a.enter()()
	return a.once(r.Token, r, func() (Result, error) {
		if err := checkIDs(r.InstanceIDs); err != nil {
			return Result{}, err
		}
		g, err := a.activeGroup(r.GroupID)
		if err != nil {
			return Result{}, err
		}
		if r.Policy != "" && r.Policy != Release && (r.Policy != Recycle || g.scaling != Recycle) {
			return Result{}, ErrInvalid("RemovePolicy", "the specified group does not support it")
		}
		if !g.expected && g.running > 0 {
			return Result{}, errActivityInProgress()
		}
		return a.remove(g, r)
	})
}

func (a *Account) remove(g *group, r Removal) (Result, error) {
	victims, invalid := a.removable(g, r.InstanceIDs)
	if len(invalid) > 0 && !r.IgnoreInvalid {
		return Result{}, invalid[0]
	}
	left := g.counters.Live() - len(victims)
	if len(victims) > 0 && left < g.min {
		return Result{}, errBelowMin()
	}
	act := a.startScaleIn(g, victims, order{
		number:  len(victims) + len(invalid),
		cause:   fmt.Sprintf("A user requests to remove instances, changing the Total Capacity from \"%d\" to \"%d\".", left+len(victims), left),
		trigger: triggeredByAPI,
	})
	for _, err := range invalid {
		act.errors = append(act.errors, ActivityError{err.Code, err.Message})
	}
	if g.expected && !r.KeepDesired {
		g.desired = max(g.min, g.desired-len(victims))
	}
	a.settle(g)
	return Result{ActivityID: act.id}, nil
}

// removable sorts IDs into the group's instances and an error for each other one.
func (a *Account) removable(g *group, ids []string) (victims []*instance, invalid []*Error) {
	for _, id := range ids {
		i, ok := a.instances[id]
		switch {
		case !ok || i.group != g:
			invalid = append(invalid, errInstanceNotFound(id))
		case i.leaving():
			invalid = append(invalid, errInstanceStatus(id))
		case !slices.Contains(victims, i):
			victims = append(victims, i)
		}
	}
	return victims, invalid
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
	defer a.enter()()
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
