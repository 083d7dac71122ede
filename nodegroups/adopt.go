package nodegroups

import (
	"maps"
	"slices"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

// observe takes a look at the cloud into account.
func (s groupState) observe(o observation, now time.Time) groupState {
	s.departed = remember(s.departed, o, now)
	s = s.settleDoubts(o)
	s.increases = s.pending(o, now)
	current := s.lastWrite.Before(o.began)
	if !o.group.ExpectedNumberMode && s.known {
		// Nothing but the failures tells such a group's missing instances from
		// instances that were never asked for.
		s = s.judge(o, now)
	}
	switch {
	case !s.known:
		s = s.recall(o, now)
	case !current:
	case o.group.ExpectedNumberMode:
		s = s.follow(o, now)
	default:
		s = s.count(o, now)
	}
	s.known = true
	return s.judge(o, now)
}

// looksLike reports whether CA would see no difference between two states over the
// same instances.
func (s groupState) looksLike(other groupState) bool {
	return s.target == other.target && slices.Equal(s.placeholders, other.placeholders) && s.health.Health == other.health.Health &&
		maps.Equal(s.departed, other.departed)
}

// follow takes the cloud's desired number over where it is not one that a write of
// ours replaced: somebody else has changed it.
func (s groupState) follow(o observation, now time.Time) groupState {
	shown := o.group.Desired
	if s.outdated(shown, now) && !latest(shown, o.activities, now) {
		return s
	}
	if shown == s.held && !s.ambiguous(shown, now) {
		s.settled, s.replaced = true, nil
	}
	if shown != s.held {
		s.held = shown
		s.doubts = slices.DeleteFunc(slices.Clone(s.doubts), func(d doubt) bool { return d.at.Before(o.began) })
	}
	if !s.owed {
		s.target = shown
		return s
	}
	// The cloud has yet to hear of our target. An instance that came all the same
	// exists and costs money: it is part of the target, not something to lose.
	s.target = max(s.target, s.there(o))
	if shown == s.target && !s.ambiguous(shown, now) {
		s = s.square()
	}
	return s
}

// count makes the target of a group that holds no number: what is there, and what
// failed and was not given up.
func (s groupState) count(o observation, now time.Time) groupState {
	switch there := s.there(o); {
	case s.owed:
		s.target = max(s.target, there)
	case len(s.increases) > 0, s.lagging(now):
	default:
		s.target = there + len(s.placeholders)
	}
	return s
}

// outdated reports whether a desired number that a reading shows is older than our
// last writes.
func (s groupState) outdated(shown int, now time.Time) bool {
	return shown != s.held && s.ambiguous(shown, now)
}

// latest reports whether a desired number is the one that the writes of late have come
// to, whoever made them: it may be one that a write of ours replaced, and another has set
// again.
func latest(shown int, activities []cloudprovider.Activity, now time.Time) bool {
	numbers := recentNumbers(activities, now)
	return len(numbers) > 0 && numbers[len(numbers)-1] == shown
}

// ambiguous reports whether a desired number may be one that a write of ours replaced
// just now.
func (s groupState) ambiguous(shown int, now time.Time) bool {
	return s.lagging(now) && slices.Contains(s.replaced, shown)
}

// lagging reports whether the cloud's lists may still show it as it was before our
// last write.
func (s groupState) lagging(now time.Time) bool {
	return !s.settled && !s.lastWrite.IsZero() && now.Sub(s.lastWrite) < settleTime
}

// there counts the group's instances that are there or on their way, but for those
// that have left and are listed still.
func (s groupState) there(o observation) int {
	named := s.removedLately(o)
	n := 0
	for _, i := range o.instances {
		if _, left := s.departed[i.ID]; !left && !named[i.ID] && live(i) {
			n++
		}
	}
	return n
}

// unlisted is what the list of instances does not show yet of running activities: how
// many they bring, and how many they take.
func (s groupState) unlisted(o observation) (coming, leaving int) {
	shown := 0
	named := s.removedLately(o)
	for _, i := range o.instances {
		_, left := s.departed[i.ID]
		left = left || i.Lifecycle == cloudprovider.Removing || i.Lifecycle == cloudprovider.RemovingWait
		if left && !named[i.ID] && !s.detached[i.ID] { // which a running removal takes
			shown++
		}
	}
	return s.coming(o), unseenRemovals(o.activities, shown)
}

// existing counts the instances that are there or on their way, although the list may
// lag. None is on its way beyond the cloud's number: what a running activity has created
// and another provider has removed before we saw it is not to come.
func (s groupState) existing(o observation) int {
	coming, leaving := s.unlisted(o)
	staying := max(0, s.there(o)-leaving)
	all := max(0, s.there(o)+coming-leaving)
	if !o.group.ExpectedNumberMode || s.outdated(o.group.Desired, o.began) {
		return all
	}
	return min(all, max(staying, o.group.Desired))
}

// pending drops the increases whose activity has ended, or can no longer be found.
func (s groupState) pending(o observation, now time.Time) []increase {
	ended := map[string]bool{}
	for _, a := range o.activities {
		if a.Status != cloudprovider.ActivityInProgress {
			ended[a.ID] = true
		}
	}
	whole := s.there(o) >= s.target
	var left []increase
	for _, i := range s.increases {
		done := ended[i.activity] || (whole && i.accepted.Before(o.began)) || now.Sub(i.accepted) > recallTime
		if !done {
			left = append(left, i)
		}
	}
	return left
}

// inProgress counts the instances that running activities are still to create and
// that are not listed yet. An activity names what it created only when it ends, so
// the listed instances tell.
func inProgress(activities []cloudprovider.Activity, listed []cloudprovider.Instance) int {
	n := 0
	for _, a := range activities {
		if a.Status != cloudprovider.ActivityInProgress {
			continue
		}
		there := 0
		for _, i := range listed {
			if i.ActivityID == a.ID {
				there++
			}
		}
		n += max(0, a.Requested-max(there, len(a.Created)))
	}
	return n
}
