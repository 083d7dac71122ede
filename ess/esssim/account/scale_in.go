package account

import "slices"

// startScaleIn begins an activity that removes these instances; o.number may be
// larger, when some that were asked for were invalid. What becomes of an instance is
// up to o.policy: it is stopped, released or, if it was attached by hand, detached.
func (a *Account) startScaleIn(g *group, victims []*instance, o order) *activity {
	o.kind = RemoveInstances
	act := a.openActivity(g, o)
	act.pending = victims
	for _, i := range victims {
		act.lowered += i.lowers(o)
		i.before = i.state
		i.enter(Removing)
	}
	a.hold(act, ScaleInTransition, victims, func(result LifecycleResult) {
		if result == Rollback {
			a.keep(act)
			return
		}
		for _, i := range victims {
			if i.state == RemovingWait && a.instances[i.id] == i {
				i.enter(Removing)
			}
		}
		a.after(a.delays.Remove, func() { a.finishScaleIn(act) })
	})
	return act
}

// lowers is how much of the expected number goes with an instance.
func (i *instance) lowers(o order) int {
	if !o.lowers || !i.state.live() {
		return 0
	}
	return i.weight
}

// keep ends a scale-in whose hook said that the instances are to stay: they are what
// they were, and so is the expected number. (The documentation only says that the
// removal is rejected and rolled back.)
func (a *Account) keep(act *activity) {
	g := act.group
	for _, i := range act.pending {
		if a.instances[i.id] == i && i.leaving() {
			i.enter(i.before)
		}
	}
	g.desired = min(g.max, g.desired+act.lowered)
	act.errors = append(act.errors, hookRolledBack)
	a.closeActivity(act, Failed)
	a.planCheck(g, a.delays.Retry)
}

func (a *Account) finishScaleIn(act *activity) {
	for _, i := range act.pending {
		// A spot reclaim may have been faster.
		here := a.instances[i.id] == i && i.group == act.group
		switch {
		case act.detaches(i):
			act.detached = append(act.detached, i.id)
			if here {
				a.loosen(i)
			}
		case act.stops(i):
			act.stopped = append(act.stopped, i.id)
			if here {
				a.stopInstance(i)
			}
		default:
			act.done = append(act.done, i.id)
			if here {
				a.releaseInstance(i)
			}
		}
	}
	switch {
	case len(act.errors) == 0:
		a.closeActivity(act, Successful)
	case len(act.done)+len(act.stopped)+len(act.detached) > 0:
		a.closeActivity(act, Warning)
	default:
		a.closeActivity(act, Failed)
	}
	a.settle(act.group)
}

// detaches: what a person made and did not entrust to ESS is never released by it.
func (act *activity) detaches(i *instance) bool {
	return act.detachAll || (i.attached && !i.entrusted)
}

// stops: only a sound machine is worth starting again, and a stopped one that is
// removed is to go.
func (act *activity) stops(i *instance) bool {
	return act.policy.recycles() && !i.unhealthy && !i.reclaiming && i.before != Stopped
}

// stopInstance makes an instance Stopped: it keeps its disk and address and gives
// its stock back.
func (a *Account) stopInstance(i *instance) {
	i.enter(Stopped)
	a.stock.release(i.pool())
	i.inService, i.joined = neverInService, false
}

// chooseVictims picks instances of up to n capacity that ESS itself may remove: the
// oldest in service (policy OldestInstance). Protected and Standby instances are not
// among them, nor are those that have not come into service.
func (g *group) chooseVictims(n int) []*instance {
	var victims []*instance
	for _, i := range g.instances {
		if n <= 0 {
			break
		}
		if i.state == InService && i.weight <= n {
			victims = append(victims, i)
			n -= i.weight
		}
	}
	return victims
}

func without(ids []string, id string) []string {
	return slices.DeleteFunc(ids, func(x string) bool { return x == id })
}
