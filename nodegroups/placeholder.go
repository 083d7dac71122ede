package nodegroups

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

// placeholder stands for an instance that an activity failed to create. CA backs
// off a group only if it sees a failed instance it has not seen before, so the ID
// belongs to the attempt: the same after our restart, another for another failure.
type placeholder struct {
	id      string
	failure cloudprovider.Failure
}

const placeholderPrefix = "buildpool://failed/"

func placeholderID(groupID, activity string, n int) string {
	return fmt.Sprintf("%s%s/%s/%d", placeholderPrefix, groupID, activity, n)
}

func isPlaceholderID(id string) bool { return strings.HasPrefix(id, placeholderPrefix) }

// judge turns activities that failed to create instances into placeholders, and
// drops those placeholders whose instance came after all.
//
// Never more placeholders than instances are missing, not counting what running
// activities are still to bring: the cloud repeats failed creations by itself, and
// each repetition fails as a new activity for the same missing instances.
func (s groupState) judge(o observation, now time.Time) groupState {
	missing := max(0, s.target-o.liveCount())
	if len(s.placeholders) > missing {
		s.placeholders = slices.Clone(s.placeholders[:missing])
	}
	if o.activities == nil {
		return s
	}
	room := missing - len(s.placeholders) - s.awaited(o, now)
	judged := maps.Clone(s.judged)
	if judged == nil {
		judged = map[string]bool{}
	}
	placeholders := slices.Clone(s.placeholders)
	for _, a := range slices.Backward(o.activities) { // oldest first
		failed := s.failedCreations(a, now)
		if failed == 0 || judged[a.ID] {
			continue
		}
		judged[a.ID] = true
		for n := range failed {
			if room <= 0 {
				break
			}
			placeholders = append(placeholders, placeholder{
				id: placeholderID(o.group.ID, a.ID, n), failure: failureOf(a),
			})
			room--
		}
	}
	s.placeholders = placeholders
	s.judged = onlyListed(judged, o.activities)
	return s
}

// awaited counts the instances that are still on their way: what running activities
// are to create, and fresh increases of ours that the list does not show yet.
func (s groupState) awaited(o observation, now time.Time) int {
	n := s.coming(o)
	for _, i := range s.increases {
		shown := slices.ContainsFunc(o.activities, func(a cloudprovider.Activity) bool { return a.ID == i.activity })
		if !shown && now.Sub(i.accepted) < settleTime {
			n += i.delta
		}
	}
	return n
}

// failedCreations returns how many instances the activity was to create and did
// not. An activity that ended before our last scale-up began cannot explain what is
// missing now; without a scale-up of ours, an hour's history can.
func (s groupState) failedCreations(a cloudprovider.Activity, now time.Time) int {
	switch a.Status {
	case cloudprovider.ActivityFailed, cloudprovider.ActivityWarning, cloudprovider.ActivityRejected:
	default:
		return 0
	}
	if now.Sub(a.Started) > recallTime {
		return 0
	}
	if !a.Ended.IsZero() && a.Ended.Add(activityTimeStep).Before(s.raised.Add(-settleTime)) {
		return 0
	}
	return max(0, a.Requested-len(a.Created))
}

// activityTimeStep: ESS tells when an activity started and ended to the minute, cut off.
const activityTimeStep = time.Minute

func failureOf(a cloudprovider.Activity) cloudprovider.Failure {
	if a.Failure != nil {
		return *a.Failure
	}
	return cloudprovider.Failure{
		Class: cloudprovider.OtherFailure, Code: string(a.Status),
		Message: "scaling activity " + a.ID + " created fewer instances than asked for",
	}
}

// onlyListed forgets judged activities that the cloud no longer lists.
func onlyListed(judged map[string]bool, activities []cloudprovider.Activity) map[string]bool {
	kept := make(map[string]bool, len(judged))
	for _, a := range activities {
		if judged[a.ID] {
			kept[a.ID] = true
		}
	}
	return kept
}

// dropPlaceholders takes the named placeholders away and lowers the target by as
// many; IDs that are not there any more change nothing.
func (s groupState) dropPlaceholders(ids []string) (groupState, int) {
	kept := slices.DeleteFunc(slices.Clone(s.placeholders), func(p placeholder) bool { return slices.Contains(ids, p.id) })
	dropped := len(s.placeholders) - len(kept)
	if dropped == 0 {
		return s, 0
	}
	s.placeholders = kept
	return s.owes(s.target - dropped), dropped
}
