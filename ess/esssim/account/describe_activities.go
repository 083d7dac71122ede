package account

import (
	"slices"
	"time"
)

// Activity is a scaling activity as DescribeScalingActivities shows it.
type Activity struct {
	ID       string
	GroupID  string
	Kind     ActivityKind
	Status   ActivityStatus
	Started  time.Time
	Ended    time.Time // zero while in progress
	Progress int
	// Number is how many instances it set out to add or remove.
	Number  int
	Created []string
	Removed []string
	// Restarted and Stopped are those of the economical mode; Attached and Detached
	// joined or left without being made or released.
	Restarted, Stopped, Attached, Detached []string
	Errors                                 []ActivityError
	Total                                  int // capacity of the group now
	// AttachedTotal is how many of the group's instances were attached by hand.
	AttachedTotal int
	Cause         string
	Trigger       string
	Metadata      string
	// Description and Message are ESS's sentences about it.
	Description, Message string
}

// ActivityQuery selects activities of a group or by ID; one of the two is needed.
type ActivityQuery struct {
	GroupID string
	IDs     []string
	Status  ActivityStatus
	Paging
}

const maxActivityPage = 50

// Activities lists scaling activities, newest first.
func (a *Account) Activities(q ActivityQuery) (Page[Activity], error) {
	defer a.enter()()
	if q.GroupID == "" && len(q.IDs) == 0 {
		return Page[Activity]{}, ErrMissing("ScalingGroupId")
	}
	if len(q.IDs) > maxIDs {
		return Page[Activity]{}, ErrInvalid("ScalingActivityId", "more than 20")
	}
	if q.Status != "" && !slices.Contains([]ActivityStatus{InProgress, Successful, Warning, Failed, Rejected}, q.Status) {
		return Page[Activity]{}, ErrInvalid("StatusCode", "it is no status of an activity")
	}
	paging, err := q.page(maxActivityPage)
	if err != nil {
		return Page[Activity]{}, err
	}
	found := a.selectActivities(q)
	last := len(found) - 1
	return pageOf(paging, len(found), func(i int) Activity { return found[last-i].view() }), nil
}

// selectActivities returns the activities a query asks for, oldest first.
func (a *Account) selectActivities(q ActivityQuery) []*activity {
	var found []*activity
	matches := func(act *activity) bool { return q.Status == "" || act.status == q.Status }
	if len(q.IDs) > 0 {
		for _, id := range q.IDs {
			act, ok := a.activities[id]
			if ok && matches(act) && (q.GroupID == "" || act.group.id == q.GroupID) && !slices.Contains(found, act) {
				found = append(found, act)
			}
		}
		slices.SortStableFunc(found, func(x, y *activity) int { return x.started.Compare(y.started) })
		return found
	}
	g, ok := a.groupsByID[q.GroupID]
	if !ok {
		return nil
	}
	if q.Status == "" {
		return g.activities
	}
	for _, act := range g.activities {
		if matches(act) {
			found = append(found, act)
		}
	}
	return found
}

func (act *activity) view() Activity {
	v := Activity{
		ID:          act.id,
		GroupID:     act.group.id,
		Kind:        act.kind,
		Status:      act.status,
		Started:     act.started,
		Ended:       act.ended,
		Progress:    act.progress(),
		Number:      act.number,
		Errors:      slices.Clone(act.errors),
		Total:       act.group.capacity.Total(),
		Cause:       act.cause,
		Trigger:     act.trigger,
		Metadata:    act.metadata,
		Description: act.description(),
		Message:     act.statusMessage(),
	}
	v.Restarted, v.Stopped, v.Detached = slices.Clone(act.restarted), slices.Clone(act.stopped), slices.Clone(act.detached)
	for _, i := range act.group.instances {
		if i.attached {
			v.AttachedTotal++
		}
	}
	switch act.kind {
	case AddInstances:
		v.Created = slices.Clone(act.done)
	case AttachedInstances:
		v.Attached = slices.Clone(act.done)
	case RemoveInstances:
		v.Removed = slices.Clone(act.done)
	}
	return v
}
