package account

import "fmt"

// SetHealth says that an instance is healthy or not, as SetInstanceHealth does and
// as ESS finds by itself when a machine stops running. ESS removes an unhealthy
// instance even below MinSize and leaves the expected number, so that in
// expected-number mode another takes its place.
func (a *Account) SetHealth(instanceID, status string) error {
	leave, err := a.enterToChange("SetHealth", healthChange{instanceID, status})
	if err != nil {
		return err
	}
	defer leave()
	if status != Healthy && status != Unhealthy {
		return ErrInvalid("HealthStatus", "it is neither Healthy nor Unhealthy")
	}
	i, ok := a.instances[instanceID]
	if !ok || i.group == nil {
		return errInstanceNotFound(instanceID)
	}
	if i.unhealthy == (status == Unhealthy) {
		return nil
	}
	i.unhealthy = status == Unhealthy
	i.group.revision++
	if i.unhealthy {
		a.planHealthCheck(i)
	}
	return nil
}

func (a *Account) planHealthCheck(i *instance) {
	a.after(a.delays.Health, func() { a.checkHealth(i) })
}

// checkHealth removes an unhealthy instance, or looks again later when it may not.
// Protected and Standby instances are left alone.
func (a *Account) checkHealth(i *instance) {
	g := i.group
	if a.instances[i.id] != i || g == nil || !i.unhealthy || i.leaving() || i.state == Stopped {
		return
	}
	busy := g.exclusive != nil || (!g.expected && g.running > 0)
	if i.state != InService || busy || g.lifecycle != Active || g.health == HealthCheckNone ||
		!g.allows("HealthCheck") || !g.allows(systemProcess) {
		a.planHealthCheck(i)
		return
	}
	total := g.capacity.Live()
	a.startScaleIn(g, []*instance{i}, order{number: 1, cause: unhealthyCause(total, total-i.weight), trigger: triggeredByESS, policy: Release})
	a.settle(g)
}

// EnterStandby puts instances in service on standby: they count as stable, and ESS
// neither checks nor removes them.
func (a *Account) EnterStandby(groupID string, ids []string) error {
	return a.changeStandby(standbyChange{groupID, ids, InService, Standby})
}

// ExitStandby puts instances back into service.
func (a *Account) ExitStandby(groupID string, ids []string) error {
	return a.changeStandby(standbyChange{groupID, ids, Standby, InService})
}

func (a *Account) changeStandby(s standbyChange) error {
	leave, err := a.enterToChange("ChangeStandby", s)
	if err != nil {
		return err
	}
	defer leave()
	if err := checkIDs(s.InstanceIDs); err != nil {
		return err
	}
	g, err := a.activeGroup(s.GroupID)
	if err != nil {
		return err
	}
	for _, id := range s.InstanceIDs {
		i, ok := a.instances[id]
		switch {
		case !ok || i.group != g:
			return errInstanceNotFound(id)
		case i.state != s.From:
			return errInstanceStatus(id)
		}
	}
	for _, id := range s.InstanceIDs {
		a.instances[id].enter(s.To)
	}
	a.settle(g)
	return nil
}

// processes are what can be suspended; systemProcess is all of them, by ESS itself.
var processes = []string{"ScaleIn", "ScaleOut", "HealthCheck", "AlarmNotification", "ScheduledAction"}

const systemProcess = "System"

// SuspendProcesses suspends processes of a group, or resumes them. Resuming also
// ends ESS's own suspension.
func (a *Account) SuspendProcesses(groupID string, names []string, suspend bool) error {
	leave, err := a.enterToChange("SuspendProcesses", suspension{groupID, names, suspend})
	if err != nil {
		return err
	}
	defer leave()
	g, err := a.group(groupID)
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return ErrMissing("Process.1")
	}
	p := &problems{}
	for _, name := range names {
		oneOf(p, "Process", name, processes...)
	}
	if len(p.errs) > 0 {
		return ErrInvalid("Process", fmt.Sprintf("it is none of %v", processes))
	}
	kept := []string{}
	for _, name := range g.suspended {
		if suspend || name != systemProcess {
			kept = append(kept, name)
		}
	}
	for _, name := range names {
		kept = without(kept, name)
		if suspend {
			kept = append(kept, name)
		}
	}
	g.suspended = kept
	if !suspend {
		g.failingSince = noFailure
	}
	a.settle(g)
	return nil
}

// noteFailure suspends a group whose creations have failed for too long without any
// success between.
func (a *Account) noteFailure(g *group) {
	switch {
	case g.failingSince.IsZero():
		g.failingSince = a.now
	case g.allows(systemProcess) && a.now.Sub(g.failingSince) > a.delays.SystemSuspend:
		g.suspended = append(without(append([]string{}, g.suspended...), systemProcess), systemProcess)
	}
}
