package nodegroups

import (
	"slices"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

// lose notes the instances that were listed before and are not in a newer list. The
// activity that created one may go on creating others, and names none before it ends:
// without the note, what it has created and has left would count as yet to come.
func (s groupState) lose(before []cloudprovider.Instance, o observation) groupState {
	if len(before) == 0 && len(s.vanished) == 0 {
		return s
	}
	listed := make(map[string]bool, len(o.instances))
	for _, i := range o.instances {
		listed[i.ID] = true
	}
	var vanished []cloudprovider.Instance
	for _, i := range slices.Concat(s.vanished, before) {
		if !listed[i.ID] && o.began.Sub(i.Created) < recallTime && mayRun(i.ActivityID, o.activities) {
			listed[i.ID] = true
			vanished = append(vanished, i)
		}
	}
	s.vanished = vanished
	return s
}

// mayRun reports whether an activity is in progress, as far as was read.
func mayRun(id string, activities []cloudprovider.Activity) bool {
	return id != "" && (activities == nil || slices.ContainsFunc(activities, func(a cloudprovider.Activity) bool {
		return a.ID == id && a.Status == cloudprovider.ActivityInProgress
	}))
}

// coming counts the instances that running activities are to create and that have not
// been listed.
func (s groupState) coming(o observation) int {
	known := slices.Concat(o.instances, s.vanished)
	return max(0, inProgress(o.activities, known)-s.started(o)-removedUnborn(o.activities, known))
}

// removedUnborn counts the instances that removals name which no activity names as
// created, and no list we have seen since our start shows: what made them runs on, so they
// were removed before it ended, and are not to come.
func removedUnborn(activities []cloudprovider.Activity, known []cloudprovider.Instance) int {
	born := map[string]bool{}
	for _, i := range known {
		born[i.ID] = true
	}
	var since time.Time // the first of the running ones began
	for _, a := range activities {
		for _, id := range a.Created {
			born[id] = true
		}
		if began := startOf(a); a.Status == cloudprovider.ActivityInProgress && a.Requested > 0 && (since.IsZero() || began.Before(since)) {
			since = began
		}
	}
	n := 0
	for _, a := range activities {
		for _, id := range a.Removed {
			if since.IsZero() || born[id] || a.Ended.Add(activityTimeStep).Before(since) {
				continue
			}
			born[id] = true
			n++
		}
	}
	return n
}
