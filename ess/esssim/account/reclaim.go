package account

import (
	"fmt"
	"time"
)

// ReclaimNotice is how long before its release a spot instance is told.
const ReclaimNotice = 5 * time.Minute

// Reclaim makes the spot market take an instance back: its ECS instance is locked
// ("Recycling") at once and gone after the notice. The group's expected number
// stays, so in expected-number mode ESS replaces the instance.
func (a *Account) Reclaim(instanceID string, notice time.Duration) error {
	defer a.enter()()
	i, ok := a.instances[instanceID]
	if !ok {
		return errInstanceNotFound(instanceID)
	}
	if i.spot == NoSpot {
		return ErrInvalid("instanceId", "it is not a spot instance")
	}
	i.reclaiming = true
	a.after(notice, func() { a.reclaimed(i) })
	a.advance()
	return nil
}

// reclaimed is ESS finding, by its health check, that an instance is gone.
func (a *Account) reclaimed(i *instance) {
	if a.instances[i.id] != i {
		return
	}
	g := i.group
	total := g.counters.Live()
	act := a.openActivity(g, order{
		kind:    RemoveInstances,
		number:  1,
		cause:   fmt.Sprintf("An unhealthy instance is removed from the scaling group, changing the Total Capacity from \"%d\" to \"%d\".", total, total-1),
		trigger: triggeredByESS,
	})
	act.done = append(act.done, i.id)
	a.releaseInstance(i)
	a.closeActivity(act, Successful)
	a.settle(g)
}
