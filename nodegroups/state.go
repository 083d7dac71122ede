package nodegroups

import (
	"maps"
	"slices"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

const (
	// settleTime is how long a write of ours outranks what the cloud's lists say:
	// they lag behind writes, and a stale counter taken for the truth doubled
	// scale-ups elsewhere (kubernetes/autoscaler#6659).
	settleTime = 30 * time.Second

	// recallTime is how old a failed activity may be to count after our restart.
	recallTime = time.Hour

	// departedTime is how long a removed instance is remembered, so that deleting it
	// again is recognised as done. Longer than any retry of CA's.
	departedTime = time.Hour
)

// groupState is what we remember of a group between two looks at the cloud. It is
// a value: every transition returns a new one and leaves the old one as it was.
type groupState struct {
	// target is how many nodes the group is to have, as CA reads it.
	target int
	// owed: the cloud's desired number still has to be made equal to target. more: by
	// raising it, because a scale-up had to wait; a debt of any other kind creates
	// nothing.
	owed, more bool
	// increases are accepted scale-ups whose activity has not been seen to end.
	increases []increase
	// placeholders stand for instances that the cloud failed to create.
	placeholders []placeholder
	// judged are the failed activities that placeholders have been made for.
	judged map[string]bool
	// departed are the instances that have left, with when we learned of it.
	departed map[string]time.Time
	// lastWrite is when the cloud accepted our last write; zero: none since start.
	lastWrite time.Time
	// raised is when the cloud accepted our last scale-up.
	raised time.Time
	// grew and shrank are when the group last did by our writes or, before our start, by
	// the account's activities.
	grew, shrank time.Time
	// settled: the cloud has shown our target since lastWrite.
	settled bool
	// doubted is when a write got no answer; a look that begins later is believed at
	// once. Zero: there is no doubt.
	doubted time.Time
	// known: the group has been looked at.
	known bool
	// health is what went wrong of late.
	health health
}

// increase is a scale-up the cloud accepted.
type increase struct {
	activity string
	delta    int
	accepted time.Time
}

// observation is one look at a group.
type observation struct {
	group     cloudprovider.ScalingGroup
	instances []cloudprovider.Instance
	// activities are read only of groups that are missing instances; nil otherwise.
	activities []cloudprovider.Activity
	// began is when the reading began: a write accepted later is not in it.
	began time.Time
}

// live reports whether the instance counts towards the target.
func live(i cloudprovider.Instance) bool {
	switch i.Lifecycle {
	case cloudprovider.Removing, cloudprovider.RemovingWait, cloudprovider.Stopped:
		return false
	}
	return true
}

// liveCount counts the instances that are there or on their way.
func (o observation) liveCount() int {
	n := 0
	for _, i := range o.instances {
		if live(i) {
			n++
		}
	}
	return n
}

// countersLive is the same number by the cloud's own counters, which cost no
// reading of instances.
func countersLive(g cloudprovider.ScalingGroup) int {
	c := g.Counters
	return c.Active + c.Pending + c.PendingWait + c.Protected + c.Standby
}

// observe takes a look at the cloud into account.
func (s groupState) observe(o observation, now time.Time) groupState {
	s.departed = remember(s.departed, o, now)
	s.increases = s.pending(o, now)
	current := s.lastWrite.Before(o.began)
	if !o.group.ExpectedNumberMode && s.known {
		// Nothing but the failures tells such a group's missing instances from
		// instances that were never asked for.
		s = s.judge(o, now)
	}
	if current {
		s = s.adopt(o, now)
	}
	if !s.known {
		s = s.recallTimes(o.activities)
	}
	s.known = true
	return s.judge(o, now)
}

// recallTimes takes the times of scale-ups and scale-downs before our start from the
// account's activities, so that a cooldown goes on after a restart.
func (s groupState) recallTimes(activities []cloudprovider.Activity) groupState {
	for _, a := range activities {
		switch {
		case a.Status == cloudprovider.ActivityRejected, a.Status == cloudprovider.ActivityFailed:
		case a.Requested > 0 && a.Started.After(s.grew):
			s.grew = a.Started
		case a.Requested < 0 && a.Started.After(s.shrank):
			s.shrank = a.Started
		}
	}
	return s
}

// looksLike reports whether CA would see no difference between two states over the
// same instances.
func (s groupState) looksLike(other groupState) bool {
	return s.target == other.target && slices.Equal(s.placeholders, other.placeholders) && s.health.Health == other.health.Health
}

// adopt follows the cloud where the cloud knows better: at start, after a change
// by hand, and after a write whose outcome is unknown.
func (s groupState) adopt(o observation, now time.Time) groupState {
	alive := o.liveCount()
	doubtful := !s.doubted.IsZero() && s.doubted.Before(o.began)
	if s.owed && s.known && !doubtful {
		// The cloud has yet to hear of our target. An instance that came all the same
		// exists and costs money: it is part of the target, not something to lose.
		s.target = max(s.target, alive)
		if o.group.ExpectedNumberMode && o.group.Desired == s.target {
			s.owed = false
		}
		return s
	}
	want := o.group.Desired
	if !o.group.ExpectedNumberMode {
		if len(s.increases) > 0 && s.known {
			return s
		}
		want = alive + len(s.placeholders)
		if !s.known {
			want += inProgress(o.activities, o.instances)
		}
	}
	switch {
	case want == s.target:
		s.settled = true
	case s.lagging(now) && !doubtful:
		return s
	}
	s.target = want
	if doubtful {
		s.doubted = time.Time{}
	}
	return s
}

// lagging reports whether the cloud's lists may still show it as it was before our
// last write.
func (s groupState) lagging(now time.Time) bool {
	return !s.settled && !s.lastWrite.IsZero() && now.Sub(s.lastWrite) < settleTime
}

// pending drops the increases whose activity has ended, or can no longer be found.
func (s groupState) pending(o observation, now time.Time) []increase {
	ended := map[string]bool{}
	for _, a := range o.activities {
		if a.Status != cloudprovider.ActivityInProgress {
			ended[a.ID] = true
		}
	}
	whole := o.liveCount() >= s.target
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

// increased records an accepted scale-up to the given target.
func (s groupState) increased(activity string, target int, now time.Time) groupState {
	s = s.expecting(activity, target-s.target, now)
	s.target, s.lastWrite, s.raised, s.settled = target, now, now, false
	s.grew = now
	s.owed, s.more, s.doubted = false, false, time.Time{}
	return s
}

// owes records a lower target that the cloud has yet to be told. What is left of a
// scale-up that waits goes on waiting.
func (s groupState) owes(target int) groupState {
	s.more = s.owed && s.more
	s.target, s.owed = target, true
	return s
}

// owesMore records a scale-up that has to wait.
func (s groupState) owesMore(target int) groupState {
	s.target, s.owed, s.more = target, true, true
	return s
}

// decreased records that CA gave up instances: the target falls, and with it go the
// placeholders beyond it, or deleting those would lower the target once more
// (kubernetes/autoscaler#6795).
func (s groupState) decreased(target, alive int) groupState {
	s = s.owes(target)
	if missing := max(0, target-alive); len(s.placeholders) > missing {
		s.placeholders = slices.Clone(s.placeholders[:missing])
	}
	return s
}

// paid records that the cloud accepted the target that was owed.
func (s groupState) paid(now time.Time) groupState {
	s.owed, s.more, s.lastWrite, s.settled = false, false, now, false
	return s
}

// repaid records that the cloud accepted a raise that had to wait.
func (s groupState) repaid(activity string, delta int, now time.Time) groupState {
	s = s.paid(now).expecting(activity, delta, now)
	s.raised, s.grew = now, now
	return s
}

// expecting notes an activity that is to bring instances. There is none when the
// cloud had the number already.
func (s groupState) expecting(activity string, delta int, now time.Time) groupState {
	if activity != "" {
		s.increases = append(slices.Clip(s.increases), increase{activity: activity, delta: delta, accepted: now})
	}
	return s
}

// removed records instances whose removal the cloud accepted.
func (s groupState) removed(ids []string, now time.Time) groupState {
	s = s.gone(ids, now)
	s.target, s.shrank = max(0, s.target-len(ids)), now
	s.lastWrite, s.settled = now, false
	return s
}

// gone remembers instances that have left without lowering the target.
func (s groupState) gone(ids []string, now time.Time) groupState {
	s.departed = maps.Clone(s.departed)
	if s.departed == nil {
		s.departed = map[string]time.Time{}
	}
	for _, id := range ids {
		s.departed[id] = now
	}
	return s
}

// unanswered records a write that may or may not have happened.
func (s groupState) unanswered(now time.Time) groupState {
	s.doubted = now
	return s
}

// remember keeps the departed that are still gone: an instance that is back under
// its old ID (economical mode starts stopped ones again) is an instance like any
// other, once the list cannot be lagging any more.
func remember(departed map[string]time.Time, o observation, now time.Time) map[string]time.Time {
	kept := make(map[string]time.Time, len(departed))
	for id, at := range departed {
		if now.Sub(at) <= departedTime {
			kept[id] = at
		}
	}
	for _, i := range o.instances {
		if at, ok := kept[i.ID]; ok && live(i) && o.began.Sub(at) > settleTime {
			delete(kept, i.ID)
		}
	}
	return kept
}
