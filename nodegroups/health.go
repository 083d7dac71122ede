package nodegroups

import (
	"errors"
	"maps"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/expander"
)

// health is what is remembered of a group's troubles: the last of each kind, and
// which removals were our own. Like groupState it is a value.
type health struct {
	expander.Health
	// asked are the instances whose removal we have asked for, with when: that they
	// vanish is no reclaim, whether the answer reached us or not. So are those with a
	// notice, whose reclaim is known already.
	asked map[string]time.Time
}

// diagnosed takes the troubles into account that a look shows. before is the look
// before it, for what has left since; the zero value compares nothing.
func (s groupState) diagnosed(before, o observation, now time.Time) groupState {
	h := s.health
	h.asked = younger(h.asked, now)
	if reclaimed(before, o, h.asked) {
		h.Reclaimed = expander.Incident{At: now}
	}
	for _, a := range o.activities {
		h = h.told(a, now)
	}
	h.OutOfStock = overcome(h.OutOfStock, o.instances)
	h.Failed = overcome(h.Failed, o.instances)
	s.health = h
	return s
}

// told takes an activity into account that created fewer instances than it was to.
// Activities outlive us: a stock-out is remembered across our restart.
func (h health) told(a cloudprovider.Activity, now time.Time) health {
	switch a.Status {
	case cloudprovider.ActivityFailed, cloudprovider.ActivityWarning, cloudprovider.ActivityRejected:
	default:
		return h
	}
	if a.Requested <= len(a.Created) {
		return h
	}
	at := a.Ended
	if at.IsZero() || at.After(now) { // the cloud's clock is not ours
		at = now
	}
	f := failureOf(a)
	incident := expander.Incident{At: at, Code: f.Code}
	if f.Class == cloudprovider.OutOfResources {
		h.OutOfStock = later(h.OutOfStock, incident)
	} else {
		h.Failed = later(h.Failed, incident)
	}
	return h
}

func later(a, b expander.Incident) expander.Incident {
	if b.At.After(a.At) {
		return b
	}
	return a
}

// overcome forgets a failure once an instance was created after it: not in the minute
// that the failure's time was cut off to, in which a part of the same scale-up came.
func overcome(failure expander.Incident, instances []cloudprovider.Instance) expander.Incident {
	if failure.At.IsZero() {
		return failure
	}
	for _, i := range instances {
		if live(i) && i.AutoCreated && i.Created.After(failure.At.Add(activityTimeStep)) {
			return expander.Incident{}
		}
	}
	return failure
}

// reclaimed reports whether a spot instance has left, or is leaving, without our
// asking. The cloud does not say who removed an instance: one that somebody removed
// by hand counts too.
func reclaimed(before, o observation, asked map[string]time.Time) bool {
	var staying map[string]bool
	for _, i := range before.instances {
		if _, ours := asked[i.ID]; ours || !i.Spot || !live(i) {
			continue
		}
		if staying == nil {
			staying = liveIDs(o.instances)
		}
		if !staying[i.ID] {
			return true
		}
	}
	return false
}

func liveIDs(instances []cloudprovider.Instance) map[string]bool {
	ids := make(map[string]bool, len(instances))
	for _, i := range instances {
		if live(i) || i.Lifecycle == cloudprovider.Stopped { // kept for later, not lost
			ids[i.ID] = true
		}
	}
	return ids
}

// younger keeps what is not older than departedTime.
func younger(asked map[string]time.Time, now time.Time) map[string]time.Time {
	kept := make(map[string]time.Time, len(asked))
	for id, at := range asked {
		if now.Sub(at) <= departedTime {
			kept[id] = at
		}
	}
	return kept
}

// asking records instances whose removal is about to be asked for. It comes before
// the call, so that no refresh can see them leave without knowing why.
func (s groupState) asking(ids []string, now time.Time) groupState {
	asked := make(map[string]time.Time, len(s.health.asked)+len(ids))
	maps.Copy(asked, s.health.asked)
	for _, id := range ids {
		asked[id] = now
	}
	s.health.asked = asked
	return s
}

// refused records why a scale-up was not accepted.
func (s groupState) refused(err error, now time.Time) groupState {
	incident := expander.Incident{At: now}
	var cloudErr *cloudprovider.CloudError
	if errors.As(err, &cloudErr) {
		incident.Code = cloudErr.Code
	}
	switch {
	case errors.Is(err, cloudprovider.ErrThrottled):
		s.health.Throttled = incident
	case errors.Is(err, cloudprovider.ErrOutOfStock), errors.Is(err, cloudprovider.ErrQuotaExceeded):
		s.health.OutOfStock = incident
	}
	return s
}

// unthrottled forgets a rate limit that a scale-up has passed.
func (s groupState) unthrottled() groupState {
	s.health.Throttled = expander.Incident{}
	return s
}

// refused records and publishes why a scale-up was not accepted.
func (p *Provider) refused(m *member, err error) {
	now := p.Clock.Now()
	p.change(m, func(s groupState) groupState { return s.refused(err, now) })
}

// asking records a removal that is about to be asked for. CA sees no difference, so
// nothing is published.
func (p *Provider) asking(m *member, ids []string) {
	now := p.Clock.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	m.state = m.state.asking(ids, now)
}
