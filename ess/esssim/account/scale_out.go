package account

// startScaleOut begins an activity that adds o.number instances, at most
// maxPerActivity. What stock allows is Pending from now on; the rest is known to
// be missing only when the activity ends.
func (a *Account) startScaleOut(g *group, o order) *activity {
	o.kind = AddInstances
	act := a.openActivity(g, o)
	for _, p := range a.place(g, o.number) {
		act.pending = append(act.pending, a.createInstance(g, p, act.id))
	}
	act.missing = o.number - len(act.pending)
	g.missing += act.missing
	delay := a.delays.Create
	if len(act.pending) == 0 {
		delay = a.delays.Fail
	}
	a.after(delay, func() { a.finishScaleOut(act) })
	return act
}

func (a *Account) finishScaleOut(act *activity) {
	g := act.group
	for _, i := range act.pending {
		act.done = append(act.done, i.id)
		// One that was removed or reclaimed while Pending was created all the same.
		if i.state == Pending && a.instances[i.id] == i {
			i.enterService(a.now)
		}
	}
	g.missing -= act.missing
	if act.missing == 0 {
		a.closeActivity(act, Successful)
		a.settle(g)
		return
	}
	act.errors = append(act.errors, noStock)
	if len(act.done) > 0 {
		a.closeActivity(act, Warning)
	} else {
		a.closeActivity(act, Failed)
	}
	a.planCheck(g, a.delays.Retry)
}
