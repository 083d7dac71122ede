package account

// startScaleOut begins an activity that adds o.number instances, at most
// maxPerActivity: stopped ones first, then new ones. What quotas and stock allow is
// Pending from now on; the rest is known to be missing only when the activity ends.
func (a *Account) startScaleOut(g *group, o order) *activity {
	o.kind = AddInstances
	act := a.openActivity(g, o)
	starting, left := a.startStopped(g, o.number)
	var created []*instance
	placed, lack := a.place(g, left)
	for _, p := range placed {
		created = append(created, a.createInstance(g, p, act.id))
		left -= g.launch.weight(p.itype)
	}
	act.pending = append(starting, created...)
	act.missing = max(0, left)
	act.lack = lack
	g.missing += act.missing
	if len(starting) > 0 {
		act.parts++
		a.after(a.delays.Start, func() { a.arrive(act, starting, &act.restarted) })
	}
	switch {
	case len(created) > 0:
		act.parts++
		a.after(a.delays.Create, func() { a.arrive(act, created, &act.done) })
	case len(starting) == 0:
		act.parts++
		a.after(a.delays.Fail, func() { a.arrive(act, nil, &act.done) })
	}
	return act
}

// startStopped starts stopped instances, oldest first, as far as quotas and stock
// allow it, and returns how much of n is left.
func (a *Account) startStopped(g *group, n int) (starting []*instance, left int) {
	left = n
	if g.counters.Stopped == 0 {
		return nil, left
	}
	for _, i := range g.instances {
		if left <= 0 {
			break
		}
		if i.state != Stopped || a.refusal(g, i.pool()) != nil {
			continue
		}
		a.stock.take(i.pool())
		i.enter(Pending)
		starting = append(starting, i)
		left -= i.weight
	}
	return starting, left
}

// arrive is the end of one part of a scale-out: its instances are there, and wait
// for the group's hooks if it has any.
func (a *Account) arrive(act *activity, instances []*instance, done *[]string) {
	var there []*instance
	for _, i := range instances {
		// One that was removed or reclaimed while Pending was created all the same.
		*done = append(*done, i.id)
		if i.state == Pending && a.instances[i.id] == i {
			there = append(there, i)
		}
	}
	a.hold(act, ScaleOutTransition, there, func(result LifecycleResult) {
		for _, i := range there {
			if (i.state != Pending && i.state != PendingWait) || a.instances[i.id] != i {
				continue
			}
			if result == Abandon {
				a.rollBack(act, i, done)
				continue
			}
			i.enterService(a.now)
			a.watch(i)
		}
		act.parts--
		if act.parts == 0 {
			a.finishScaleOut(act)
		}
	})
}

// rollBack releases an instance whose hook said no. It counts as missing until the
// activity ends, so that nobody replaces it at once.
func (a *Account) rollBack(act *activity, i *instance, done *[]string) {
	*done = without(*done, i.id)
	act.missing += i.weight
	act.group.missing += i.weight
	act.lack = addReasons(act.lack, []ActivityError{hookAbandoned})
	a.releaseInstance(i)
}

func (a *Account) finishScaleOut(act *activity) {
	g := act.group
	if act.replaces != nil {
		a.finishRemedy(act)
	}
	g.missing -= act.missing
	if act.missing == 0 {
		g.failingSince = noFailure
		a.closeActivity(act, Successful)
		a.settle(g)
		return
	}
	act.errors = append(act.errors, act.lack...)
	if len(act.done)+len(act.restarted) > 0 {
		g.failingSince = noFailure
		a.closeActivity(act, Warning)
	} else {
		a.closeActivity(act, Failed)
		a.noteFailure(g)
	}
	a.planCheck(g, a.delays.Retry)
}
