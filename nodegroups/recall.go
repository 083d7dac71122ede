package nodegroups

import (
	"slices"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

// unheardTime is how long after its end a failure may not have been given up by CA:
// some of its loops, and the minute to which the end is told.
const unheardTime = 2 * time.Minute

// recall makes the state of a group that is looked at for the first time: at our start,
// maybe in the middle of what another process of ours did. The lists may lag behind
// that; the activities tell.
func (s groupState) recall(o observation, now time.Time) groupState {
	s = s.recallIncreases(o, now).recallTimes(o.activities)
	if o.group.ExpectedNumberMode {
		return s.recallNumber(o, now)
	}
	coming, leaving := s.unlisted(o)
	s.target = max(0, s.there(o)+coming-leaving)
	if leaving > 0 {
		// In a list that shows those leaving, what failed is not missing: CA would have
		// nothing to give up, and the next scale-up would create it.
		s.lastWrite = now
		return s
	}
	s.target += unheard(o.activities, now)
	return s
}

// recallNumber takes over the cloud's desired number; where a write of ours may be too
// young to be shown, the number that it and the removals after it make.
func (s groupState) recallNumber(o observation, now time.Time) groupState {
	shown := o.group.Desired
	numbers := recentNumbers(o.activities, now)
	if len(numbers) == 0 {
		// What a removal took may still be in the group's counters and its number.
		leaving := min(countersLive(o.group)-s.existing(o), recentRemovals(o.activities, now))
		if leaving > 0 {
			for n := shown; n >= shown-leaving; n-- { // one by one, or at once
				numbers = append(numbers, n)
			}
			s.lastWrite = now
		}
	}
	s.target, s.held = shown, shown
	// A number that none of these writes made or replaced is somebody else's, and newer.
	if n := len(numbers); n > 0 && slices.Contains(numbers, shown) {
		s.target, s.held = max(0, numbers[n-1]), max(0, numbers[n-1])
		s.replaced = numbers[: n-1 : n-1]
		if endsInRemoval(o.activities, now) {
			s.lastWrite = now // when it was is told to the minute only
		}
	}
	return s
}

// recallIncreases notes the scale-ups under way and when the last write of ours was. A
// failure older than the last scale-up was given up long since.
func (s groupState) recallIncreases(o observation, now time.Time) groupState {
	var raise bool
	judged := map[string]bool{}
	for _, a := range o.activities { // the newest first
		signed, ours := signatureOf(a)
		if raise {
			judged[a.ID] = true
		}
		if ours && a.Status != cloudprovider.ActivityRejected {
			if s.lastWrite.Before(signed.At) && now.Sub(signed.At) < settleTime {
				s.lastWrite = signed.At
			}
			if signed.Total > signed.From && !raise {
				raise = true
				s.raised = signed.At
			}
		}
		if a.Requested < 0 {
			s = s.removing(a.ID) // whoever asked for it, it answers no doubt of ours
		}
		if a.Status == cloudprovider.ActivityInProgress && a.Requested > 0 {
			s.increases = append(s.increases, increase{activity: a.ID, delta: a.Requested, accepted: startOf(a)})
		}
	}
	s.judged = judged
	return s
}

// recallTimes takes the times of scale-ups and scale-downs before our start from the
// account's activities, so that a cooldown goes on after a restart.
func (s groupState) recallTimes(activities []cloudprovider.Activity) groupState {
	for _, a := range activities {
		at := startOf(a)
		switch {
		case a.Status == cloudprovider.ActivityRejected, a.Status == cloudprovider.ActivityFailed:
		case a.Requested > 0 && at.After(s.grew):
			s.grew = at
		case a.Requested < 0 && at.After(s.shrank):
			s.shrank = at
		}
	}
	return s
}

// recentNumbers are the desired numbers that our writes of the last settleTime and the
// removals around them have made, in their order; none if there was no such write.
func recentNumbers(activities []cloudprovider.Activity, now time.Time) []int {
	var numbers, earlier []int
	for _, a := range slices.Backward(activities) { // the oldest first
		signed, ours := signatureOf(a)
		switch {
		case a.Status == cloudprovider.ActivityRejected, a.Status == cloudprovider.ActivityFailed && a.Requested < 0:
		case ours && now.Sub(signed.At) < settleTime:
			before := signed.From
			for _, removed := range slices.Backward(earlier) {
				before += removed
				numbers = append(numbers, before)
			}
			numbers, earlier = append(numbers, signed.From, signed.Total), nil
		case removedLately(a, now) && len(numbers) == 0:
			earlier = append(earlier, -a.Requested)
		case removedLately(a, now):
			numbers = append(numbers, numbers[len(numbers)-1]+a.Requested)
		}
	}
	return numbers
}

// endsInRemoval reports whether the last of recentNumbers is what a removal has made.
func endsInRemoval(activities []cloudprovider.Activity, now time.Time) bool {
	for _, a := range activities { // the newest first
		signed, ours := signatureOf(a)
		switch {
		case a.Status == cloudprovider.ActivityRejected, a.Status == cloudprovider.ActivityFailed && a.Requested < 0:
		case ours && now.Sub(signed.At) < settleTime:
			return false
		case removedLately(a, now):
			return true
		}
	}
	return false
}

// removedLately reports whether an activity removes or has just removed instances that
// somebody named.
func removedLately(a cloudprovider.Activity, now time.Time) bool {
	return a.Requested < 0 && a.Asked && !a.Detaches && (a.Ended.IsZero() || now.Sub(a.Ended) < settleTime+activityTimeStep)
}

// removedLately are the instances that activities which have ended name as removed, so
// lately that the list may show them still. An instance that was started again since is
// there, also while the activity that starts it has not ended.
func (s groupState) removedLately(o observation) map[string]bool {
	var named map[string]bool
	for _, a := range slices.Backward(o.activities) { // the oldest first
		if a.Ended.IsZero() || o.began.Sub(a.Ended) >= settleTime+activityTimeStep {
			continue
		}
		for _, id := range a.Created {
			delete(named, id)
		}
		for _, id := range a.Removed {
			if at, woken := s.woken[id]; woken && !at.Before(a.Ended) {
				continue
			}
			if named == nil {
				named = map[string]bool{}
			}
			named[id] = true
		}
	}
	return named
}

// unseenRemovals counts the instances that running removals take, beyond those that a
// list shows to be leaving.
func unseenRemovals(activities []cloudprovider.Activity, shown int) int {
	n := 0
	for _, a := range activities {
		if a.Status == cloudprovider.ActivityInProgress && a.Requested < 0 && a.Asked {
			n -= a.Requested
		}
	}
	return max(0, n-shown)
}

// recentRemovals counts the instances that removals of late have taken or are taking.
func recentRemovals(activities []cloudprovider.Activity, now time.Time) int {
	n := 0
	for _, a := range activities {
		if removedLately(a, now) {
			n -= a.Requested
		}
	}
	return n
}

// unheard counts the instances that the last scale-up of ours failed to create so
// lately that CA may not have given them up. A group without a number of its own does
// not tell what was given up.
func unheard(activities []cloudprovider.Activity, now time.Time) int {
	for _, a := range activities { // the newest first
		signed, ours := signatureOf(a)
		if !ours || signed.Total <= signed.From {
			continue
		}
		failed := groupState{}.failedCreations(a, now)
		if now.Sub(a.Ended) >= unheardTime {
			return 0
		}
		return failed
	}
	return 0
}
