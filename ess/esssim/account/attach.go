package account

import (
	"fmt"
	"slices"
	"time"
)

// addMachines creates the ECS instances that belong to no group.
func (a *Account) addMachines(machines []Machine) error {
	for _, m := range machines {
		a.sequence++
		i := &instance{
			id:       m.ID,
			sequence: a.sequence,
			launch:   &launch{},
			vSwitch:  m.VSwitchID,
			zone:     a.zones[m.VSwitchID],
			itype:    a.types[m.Type],
			spot:     m.SpotStrategy,
			weight:   1,
			address:  a.address(),
			created:  a.now.Add(-time.Hour),
		}
		setDefault(&i.spot, NoSpot)
		if _, there := a.instances[i.id]; there {
			return fmt.Errorf("make machine %s: an instance of that ID exists", i.id)
		}
		a.stock.take(i.pool())
		a.stock.addresses[i.vSwitch]++
		a.instances[i.id] = i
		a.loose = append(a.loose, i)
	}
	return nil
}

// loosen takes an instance out of its group and leaves it running.
func (a *Account) loosen(i *instance) {
	i.group.forget(i)
	i.group, i.attached, i.entrusted, i.unhealthy = nil, false, false, false
	i.activity, i.state = "", ""
	a.loose = append(a.loose, i)
}

// Attachment is an AttachInstances request.
type Attachment struct {
	GroupID     string
	InstanceIDs []string
	// Entrusted lets ESS release the instances when it removes them.
	Entrusted     bool
	IgnoreInvalid bool
	Token         string
}

// AttachInstances takes ECS instances of no group into a group. They are in service
// at once, and the expected number grows with them.
func (a *Account) AttachInstances(r Attachment) (Result, error) {
	leave, err := a.enterToChange("AttachInstances", r)
	if err != nil {
		return Result{}, err
	}
	defer leave()
	return a.once(r.Token, r, func() (Result, error) {
		if err := checkIDs(r.InstanceIDs); err != nil {
			return Result{}, err
		}
		g, err := a.freeGroup(r.GroupID)
		if err != nil {
			return Result{}, err
		}
		var joining []*instance
		var invalid []*Error
		for _, id := range r.InstanceIDs {
			i, ok := a.instances[id]
			switch {
			case !ok:
				invalid = append(invalid, errInstanceNotFound(id))
			case i.group != nil:
				invalid = append(invalid, &Error{400, "InvalidInstanceId.InUse", fmt.Sprintf("Instance %q is already attached to another scaling group.", id)})
			case !slices.Contains(joining, i):
				joining = append(joining, i)
			}
		}
		if len(invalid) > 0 && !r.IgnoreInvalid {
			return Result{}, invalid[0]
		}
		return a.attach(g, joining, invalid, r.Entrusted)
	})
}

func (a *Account) attach(g *group, joining []*instance, invalid []*Error, entrusted bool) (Result, error) {
	total := g.capacity.Live()
	if total+len(joining) > g.max {
		return Result{}, &Error{400, "IncorrectCapacity.MaxSize", "To attach the instances, the total capacity will be greater than the MaxSize."}
	}
	act := a.openActivity(g, order{
		kind:    AttachedInstances,
		number:  len(joining) + len(invalid),
		cause:   fmt.Sprintf("A user requests to attach instances, changing the Total Capacity from \"%d\" to \"%d\".", total, total+len(joining)),
		trigger: triggeredByAPI,
	})
	for _, i := range joining {
		a.loose = slices.DeleteFunc(a.loose, func(x *instance) bool { return x == i })
		a.sequence++
		i.sequence, i.group, i.activity = a.sequence, g, act.id
		i.attached, i.entrusted = true, entrusted
		i.state, i.inService = InService, a.now
		g.instances = append(g.instances, i)
		g.count(i, 1)
		if i.spot != NoSpot {
			g.spot++
		}
		act.done = append(act.done, i.id)
	}
	if g.expected {
		g.desired = min(g.max, g.desired+len(joining))
	}
	a.closeWith(act, invalid)
	a.settle(g)
	return Result{ActivityID: act.id}, nil
}

// closeWith ends an activity that did what it could beside invalid instances.
func (a *Account) closeWith(act *activity, invalid []*Error) {
	for _, err := range invalid {
		act.errors = append(act.errors, ActivityError{Code: err.Code, Message: err.Message})
	}
	switch {
	case len(invalid) == 0:
		a.closeActivity(act, Successful)
	case len(act.done)+len(act.detached) > 0:
		a.closeActivity(act, Warning)
	default:
		a.closeActivity(act, Failed)
	}
}

// DetachInstances takes instances out of their group at once and leaves them
// running.
func (a *Account) DetachInstances(r Removal) (Result, error) {
	leave, err := a.enterToChange("DetachInstances", r)
	if err != nil {
		return Result{}, err
	}
	defer leave()
	return a.once(r.Token, struct {
		Removal
		Detach bool
	}{r, true}, func() (Result, error) {
		if err := checkIDs(r.InstanceIDs); err != nil {
			return Result{}, err
		}
		g, err := a.freeGroup(r.GroupID)
		if err != nil {
			return Result{}, err
		}
		// As for recycling, stopped instances are not among those that can go: they
		// do not run on.
		victims, invalid := a.removable(g, r.InstanceIDs, Recycle)
		if len(invalid) > 0 && !r.IgnoreInvalid {
			return Result{}, invalid[0]
		}
		total, leaving := g.capacity.Live(), live(victims)
		if leaving > 0 && total-leaving < g.min {
			return Result{}, errBelowMin()
		}
		act := a.openActivity(g, order{
			kind:    RemoveInstances,
			number:  len(victims) + len(invalid),
			cause:   fmt.Sprintf("A user requests to detach instances, changing the Total Capacity from \"%d\" to \"%d\".", total, total-leaving),
			trigger: triggeredByAPI,
		})
		for _, i := range victims {
			act.detached = append(act.detached, i.id)
			a.loosen(i)
		}
		if g.expected && !r.KeepDesired {
			g.desired = max(g.min, g.desired-leaving)
		}
		a.closeWith(act, invalid)
		a.settle(g)
		return Result{ActivityID: act.id}, nil
	})
}
