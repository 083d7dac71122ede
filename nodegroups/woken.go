package nodegroups

import (
	"slices"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

// wakeTime is how long an instance that was started again may take until its node is
// back. After it, an old Node object counts as the node, or cluster-autoscaler would wait
// for ever for one that never comes. It is CA's --max-node-provision-time.
const wakeTime = defaultProvisionTime

// wake notes the instances that were stopped, in an earlier reading or by a removal of
// ours, and are there again: under the same ID a new life begins. before is the reading
// that is compared with, nothing at our start: then the activities tell.
func (s groupState) wake(before, o observation) groupState {
	stopped := map[string]bool{}
	for _, i := range before.instances {
		if i.Lifecycle == cloudprovider.Stopped {
			stopped[i.ID] = true
		}
	}
	if len(stopped) == 0 && len(s.woken) == 0 && !o.group.Recycles {
		return s
	}
	woken := map[string]time.Time{}
	for _, i := range o.instances {
		if i.Lifecycle == cloudprovider.Stopped {
			continue
		}
		at, known := s.woken[i.ID]
		left, departed := s.departed[i.ID]
		switch {
		case known:
			woken[i.ID] = at
		case !live(i):
		case stopped[i.ID], departed && o.began.Sub(left) > settleTime:
			woken[i.ID] = s.wakingTime(before, o)
		case !s.known:
			if at, ok := recallWaking(i, o.activities); ok {
				woken[i.ID] = at
			}
		}
	}
	s.woken = woken
	return s
}

// wakingTime is when an instance was started that was seen stopped before: at our
// scale-up if there was one since, else it is known to a reading.
func (s groupState) wakingTime(before, o observation) time.Time {
	if !s.raised.Before(before.began) && s.raised.Before(o.began) {
		return s.raised
	}
	return o.began
}

// recallWaking finds out whether an instance was started again before our start: by an
// activity that names it long after it was created, or while it is not in service by one
// that runs. The latest counts.
func recallWaking(i cloudprovider.Instance, activities []cloudprovider.Activity) (at time.Time, woken bool) {
	for _, a := range activities { // the newest first
		began := startOf(a)
		runs := a.Status == cloudprovider.ActivityInProgress && a.Requested > 0 && a.ID != i.ActivityID
		starting := i.Lifecycle == cloudprovider.Pending || i.Lifecycle == cloudprovider.PendingWait
		if began.Sub(i.Created) > activityTimeStep && (runs && starting || slices.Contains(a.Created, i.ID)) {
			return began, true
		}
	}
	return time.Time{}, false
}

// began is when the instance's present life did: when it was created, or last started
// again.
func (s groupState) began(i cloudprovider.Instance) time.Time {
	if at, woken := s.woken[i.ID]; woken {
		return at
	}
	return i.Created
}

// started counts the instances that running activities have started: they are listed,
// but under the activity that once created them.
func (s groupState) started(o observation) int {
	if len(s.woken) == 0 {
		return 0
	}
	var since time.Time // the first of the running ones began
	for _, a := range o.activities {
		if began := startOf(a); a.Status == cloudprovider.ActivityInProgress && a.Requested > 0 && (since.IsZero() || began.Before(since)) {
			since = began
		}
	}
	n := 0
	for _, i := range o.instances {
		at, woken := s.woken[i.ID]
		if woken && !since.IsZero() && !at.Before(since) && !mayRun(i.ActivityID, o.activities) && !startedBy(i.ID, at, o.activities) {
			n++
		}
	}
	return n
}

// startedBy reports whether an activity that has ended started the instance at that time.
func startedBy(id string, at time.Time, activities []cloudprovider.Activity) bool {
	return slices.ContainsFunc(activities, func(a cloudprovider.Activity) bool {
		return slices.Contains(a.Created, id) && a.Ended.Add(activityTimeStep).After(at)
	})
}
