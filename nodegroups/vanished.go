package nodegroups

import (
	"slices"

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
	return max(0, inProgress(o.activities, slices.Concat(o.instances, s.vanished))-s.started(o))
}
