package account

import (
	"fmt"
	"time"
)

// settle plans a check of a group whose number of instances is not what it is to
// be. It is called after everything that may have changed either.
func (a *Account) settle(g *group) {
	missing, surplus := g.deviation()
	if missing > 0 || surplus > 0 {
		a.planCheck(g, a.delays.Check)
	}
}

// deviation returns how many instances a group lacks or has too many. In
// expected-number mode the expected number counts; otherwise only min and max do.
func (g *group) deviation() (missing, surplus int) {
	low, high := g.min, g.max
	if g.expected {
		low, high = g.desired, g.desired
	}
	// Instances on the way count as there, or each check would create them anew;
	// but only stable ones can be too many: the others may yet fail.
	return max(0, low-g.capacity.Live()-g.missing), max(0, g.capacity.Stable()-high)
}

// planCheck makes ESS look at the group after a delay, unless it does so earlier.
func (a *Account) planCheck(g *group, delay time.Duration) {
	at := a.now.Add(delay)
	if !g.nextCheck.IsZero() && !g.nextCheck.After(at) {
		return
	}
	g.nextCheck = at
	a.after(delay, func() {
		if g.nextCheck.Equal(at) {
			g.nextCheck = time.Time{}
			a.check(g)
		}
	})
}

// check brings a group to the number of instances it is to have. A group that is
// not Active is left alone until it is enabled again; so is one that another
// activity holds, which settles it when it ends.
func (a *Account) check(g *group) {
	if g.lifecycle != Active || g.exclusive != nil || (!g.expected && g.running > 0) || !g.allows(systemProcess) {
		return
	}
	missing, surplus := g.deviation()
	if !g.allows("ScaleOut") {
		missing = 0
	}
	if !g.allows("ScaleIn") {
		surplus = 0
	}
	total := g.capacity.Live()
	cause := func(to int) string {
		return fmt.Sprintf("Auto Scaling checks the number of instances of the scaling group and changes the Total Capacity from \"%d\" to \"%d\".", total, to)
	}
	for missing > 0 {
		n := min(missing, maxPerActivity)
		a.startScaleOut(g, order{number: n, cause: cause(total + n), trigger: triggeredByESS})
		missing -= n
		if !g.expected {
			return
		}
	}
	victims := g.chooseVictims(min(surplus, maxPerActivity))
	if len(victims) > 0 {
		a.startScaleIn(g, victims, order{number: len(victims), cause: cause(total - live(victims)), trigger: triggeredByESS, policy: g.scaling})
		a.settle(g)
	}
}
