package account

// startScaleIn begins an activity that removes these instances; o.number may be
// larger, when some that were asked for were invalid.
func (a *Account) startScaleIn(g *group, victims []*instance, o order) *activity {
	o.kind = RemoveInstances
	act := a.openActivity(g, o)
	act.pending = victims
	for _, i := range victims {
		i.enter(Removing)
	}
	a.after(a.delays.Remove, func() { a.finishScaleIn(act) })
	return act
}

func (a *Account) finishScaleIn(act *activity) {
	for _, i := range act.pending {
		act.done = append(act.done, i.id)
		// A spot reclaim may have been faster.
		if a.instances[i.id] == i {
			a.releaseInstance(i)
		}
	}
	switch {
	case len(act.errors) == 0:
		a.closeActivity(act, Successful)
	case len(act.done) > 0:
		a.closeActivity(act, Warning)
	default:
		a.closeActivity(act, Failed)
	}
	a.settle(act.group)
}

// chooseVictims picks up to n instances that ESS itself may remove: the oldest in
// service (policy OldestInstance). Protected and Standby instances are not among
// them, nor are those that have not come into service.
func (g *group) chooseVictims(n int) []*instance {
	var victims []*instance
	for _, i := range g.instances {
		if len(victims) == n {
			break
		}
		if i.state == InService {
			victims = append(victims, i)
		}
	}
	return victims
}
