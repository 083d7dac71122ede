package account

import (
	"fmt"
	"time"
)

// Exclusive is an activity that runs beside no other: an alarm-triggered rule, a
// rebalance, or the supplement of spot instances.
type Exclusive struct {
	GroupID string `json:"groupId"`
	// Kind is alarm or rebalance.
	Kind string `json:"kind"`
	// Lasts is how long it holds the group.
	Lasts Duration `json:"lasts"`
}

// errHeld is returned while an activity that runs alone holds a group, and to such
// an activity while another runs.
func errHeld() error { return errActivityInProgress() }

// freeGroup returns an active group that takes one more activity.
func (a *Account) freeGroup(id string) (*group, error) {
	g, err := a.activeGroup(id)
	if err != nil {
		return nil, err
	}
	if g.exclusive != nil || (!g.expected && g.running > 0) {
		return nil, errHeld()
	}
	return g, nil
}

// StartExclusive is the operator's: it makes an activity that nothing may run beside
// hold a group for a while. If another runs, the activity is Rejected, as ESS's own
// would be.
func (a *Account) StartExclusive(e Exclusive) (string, error) {
	leave, err := a.enterToChange("StartExclusive", e)
	if err != nil {
		return "", err
	}
	defer leave()
	g, err := a.activeGroup(e.GroupID)
	if err != nil {
		return "", fmt.Errorf("start exclusive activity: %w", err)
	}
	causes := map[string]string{
		"alarm":     "An alarm task triggers a scaling rule.",
		"rebalance": "Auto Scaling rebalances the instances of the scaling group over its zones.",
	}
	cause, known := causes[e.Kind]
	switch {
	case !known:
		return "", fmt.Errorf("start exclusive activity: kind: %q is neither alarm nor rebalance", e.Kind)
	case e.Lasts <= 0:
		return "", fmt.Errorf("start exclusive activity: lasts: %v is not positive", time.Duration(e.Lasts))
	case e.Kind == "alarm" && !g.allows("AlarmNotification"):
		return "", fmt.Errorf("start exclusive activity: AlarmNotification is suspended")
	}
	act := a.openActivity(g, order{kind: CapacityChange, cause: cause, trigger: triggeredByESS})
	if g.running > 1 {
		act.errors = append(act.errors, ActivityError{Code: "ScalingActivityInProgress", Message: "Another scaling activity is in progress."})
		a.closeActivity(act, Rejected)
		return act.id, nil
	}
	g.exclusive = act
	a.after(time.Duration(e.Lasts), func() {
		a.release(act)
		a.closeActivity(act, Successful)
		a.settle(g)
	})
	return act.id, nil
}

// release ends an activity's hold on its group.
func (a *Account) release(act *activity) {
	if act.group.exclusive == act {
		act.group.exclusive = nil
	}
}

// remedy makes ESS replace a spot instance that the market takes back, before it is
// gone: SpotInstanceRemedy. The supplement runs alone; beside another activity, it
// does not run, and the instance is replaced after its end like any other.
func (a *Account) remedy(i *instance) {
	g := i.group
	if !g.mixture.remedy || g.lifecycle != Active || g.running > 0 || i.state != InService || !g.allows("ScaleOut") {
		return
	}
	total := g.capacity.Live()
	act := a.startScaleOut(g, order{
		number:  i.weight,
		cause:   fmt.Sprintf("Auto Scaling supplements spot instances before they are interrupted, changing the Total Capacity from \"%d\" to \"%d\".", total, total+i.weight),
		trigger: triggeredByESS,
	})
	g.exclusive = act
	act.replaces = i
}

// finishRemedy removes the instance that the activity has replaced.
func (a *Account) finishRemedy(act *activity) {
	i := act.replaces
	a.release(act)
	if len(act.done)+len(act.restarted) == 0 || a.instances[i.id] != i || i.group != act.group || i.state != InService {
		return
	}
	total := act.group.capacity.Live()
	a.startScaleIn(act.group, []*instance{i}, order{number: 1, cause: unhealthyCause(total, total-i.weight), trigger: triggeredByESS, policy: Release})
}
