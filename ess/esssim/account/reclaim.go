package account

import (
	"fmt"
	"time"
)

// ReclaimNotice is how long before its release a spot instance is told.
const ReclaimNotice = 5 * time.Minute

// Reclaim makes the spot market take an instance back: its ECS instance is locked
// ("Recycling") at once and gone after the notice. The group's expected number
// stays, so in expected-number mode ESS replaces the instance. The operator is not
// bound by the protection of the first hour.
func (a *Account) Reclaim(instanceID string, notice time.Duration) error {
	leave, err := a.enterToChange("Reclaim", reclamation{instanceID, notice})
	if err != nil {
		return err
	}
	defer leave()
	i, ok := a.instances[instanceID]
	if !ok {
		return errInstanceNotFound(instanceID)
	}
	if i.spot == NoSpot {
		return ErrInvalid("instanceId", "it is not a spot instance")
	}
	a.announce(i, notice)
	a.advance()
	return nil
}

// announce locks a spot instance and plans its end.
func (a *Account) announce(i *instance, notice time.Duration) {
	i.reclaiming = true
	a.after(notice, func() { a.reclaimed(i) })
	if i.group != nil {
		i.group.revision++
		a.remedy(i)
	}
}

// reclaimed is ESS finding, by its health check, that an instance is gone.
func (a *Account) reclaimed(i *instance) {
	if a.instances[i.id] != i {
		return
	}
	g := i.group
	if g == nil {
		a.releaseInstance(i)
		return
	}
	total := g.capacity.Live()
	act := a.openActivity(g, order{
		kind:    RemoveInstances,
		number:  1,
		cause:   unhealthyCause(total, total-i.weight),
		trigger: triggeredByESS,
	})
	act.done = append(act.done, i.id)
	a.releaseInstance(i)
	a.closeActivity(act, Successful)
	a.settle(g)
}

func unhealthyCause(from, to int) string {
	return fmt.Sprintf("An unhealthy instance is removed from the scaling group, changing the Total Capacity from \"%d\" to \"%d\".", from, to)
}
