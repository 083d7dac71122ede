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
	// detached are those of them that were let go: no removal takes them.
	detached map[string]bool
	// vanished are the instances that have left the list while the activity that created
	// them may be running.
	vanished []cloudprovider.Instance
	// woken are the instances that were stopped and started again, with when.
	woken map[string]time.Time
	// held is the cloud's desired number as far as we know: what it last showed, or was
	// last told. It means nothing outside expected-number mode.
	held int
	// replaced are the numbers that our writes of late have replaced: a reading that
	// shows one of them is older than those writes.
	replaced []int
	// lastWrite is when the cloud accepted our last write; zero: none that could still
	// be missing in a reading.
	lastWrite time.Time
	// raised is when the cloud accepted our last scale-up.
	raised time.Time
	// grew and shrank are when the group last did by our writes or, before our start, by
	// the account's activities.
	grew, shrank time.Time
	// settled: the cloud has shown our last write.
	settled bool
	// doubts are writes that got no answer. ours are the activities of removals that
	// did, the latest last.
	doubts []doubt
	ours   []string
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
	// began is when the reading began: a write accepted later is not in it. moved is
	// when the first reading began that showed these counters.
	began, moved time.Time
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

// listShows reports whether a list of instances is what the cloud's counters say.
func listShows(instances []cloudprovider.Instance, c cloudprovider.Counters) bool {
	left := map[cloudprovider.Lifecycle]int{
		cloudprovider.InService: c.Active, cloudprovider.Pending: c.Pending, cloudprovider.PendingWait: c.PendingWait,
		cloudprovider.Removing: c.Removing, cloudprovider.RemovingWait: c.RemovingWait,
		cloudprovider.Protected: c.Protected, cloudprovider.Standby: c.Standby, cloudprovider.Stopped: c.Stopped,
	}
	for _, i := range instances {
		left[i.Lifecycle]--
	}
	for _, n := range left {
		if n != 0 {
			return false
		}
	}
	return true
}

// countersLive is the same number by the cloud's own counters, which cost no
// reading of instances.
func countersLive(g cloudprovider.ScalingGroup) int {
	c := g.Counters
	return c.Active + c.Pending + c.PendingWait + c.Protected + c.Standby
}

// increased records an accepted scale-up to the given target.
func (s groupState) increased(activity string, target int, now time.Time) groupState {
	s = s.expecting(activity, target-s.target, now)
	s.target, s.raised, s.grew = target, now, now
	s.owed, s.more = false, false
	return s.wrote(target, now)
}

// wrote records that the cloud accepted a number. It is absolute, so whatever was in
// doubt before it is not any more. But lists that lag may show what came of it: each of
// those numbers is one that this write replaced, and nobody else's.
func (s groupState) wrote(number int, now time.Time) groupState {
	lowest, highest := s.held, s.held
	for _, d := range s.doubts {
		lowest += min(0, d.change) - len(d.ids)
		highest += max(0, d.change)
	}
	s.doubts = nil
	s = s.moved(number, now)
	for n := max(0, lowest); n <= highest; n++ {
		s.replaced = append(s.replaced, n)
	}
	return s
}

// moved records that a write of ours changed the number the cloud holds.
func (s groupState) moved(number int, now time.Time) groupState {
	if s.lastWrite.IsZero() || now.Sub(s.lastWrite) >= settleTime {
		s.replaced = nil
	}
	s.replaced = append(slices.Clip(s.replaced), s.held)
	s.held, s.settled = max(0, number), false
	if now.After(s.lastWrite) { // a write in doubt may turn out to be the older one
		s.lastWrite = now
	}
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
	return s.owes(target).trimmed(alive)
}

// trimmed drops the placeholders beyond what is missing.
func (s groupState) trimmed(alive int) groupState {
	if missing := max(0, s.target-alive); len(s.placeholders) > missing {
		s.placeholders = slices.Clone(s.placeholders[:missing])
	}
	return s
}

// paid records that the cloud accepted the target that was owed.
func (s groupState) paid(now time.Time) groupState {
	return s.square().wrote(s.target, now)
}

// square records that nothing is owed any more, without a write.
func (s groupState) square() groupState {
	s.owed, s.more = false, false
	return s
}

// repaid records that the cloud accepted a raise that had to wait.
func (s groupState) repaid(activity string, delta int, now time.Time) groupState {
	s = s.paid(now).expecting(activity, delta, now).retried()
	s.raised, s.grew = now, now
	return s
}

// retried drops the placeholders because an activity is to create all that is missing:
// giving up what is on its way could not stop it, and the target would not fall.
func (s groupState) retried() groupState {
	s.placeholders = nil
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

// removed records instances whose removal the cloud accepted. An earlier one of the same
// instances that got no answer did not happen: they were still there.
func (s groupState) removed(ids []string, now time.Time) groupState {
	s = s.gone(ids, now)
	s.doubts = withoutRemovals(s.doubts, ids)
	s.target, s.shrank = max(0, s.target-len(ids)), now
	return s.moved(s.held-len(ids), now)
}

// removing notes the activity of a removal.
func (s groupState) removing(activity string) groupState {
	const kept = 50 // the cloud lists no more
	s.ours = append(slices.Clone(s.ours[max(0, len(s.ours)-kept+1):]), activity)
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

// letGo remembers instances that were detached.
func (s groupState) letGo(ids []string, now time.Time) groupState {
	s = s.gone(ids, now)
	detached := map[string]bool{}
	for id := range s.departed {
		if s.detached[id] || slices.Contains(ids, id) {
			detached[id] = true
		}
	}
	s.detached = detached
	return s
}

// remember keeps the departed that are still gone: an instance that is back under
// its old ID (economical mode starts stopped ones again) is an instance like any
// other, once the list cannot be lagging any more. One that the list shows stopped has
// left by all accounts.
func remember(departed map[string]time.Time, o observation, now time.Time) map[string]time.Time {
	kept := make(map[string]time.Time, len(departed))
	for id, at := range departed {
		if now.Sub(at) <= departedTime {
			kept[id] = at
		}
	}
	for _, i := range o.instances {
		if at, ok := kept[i.ID]; ok && (i.Lifecycle == cloudprovider.Stopped || live(i) && o.began.Sub(at) > settleTime) {
			delete(kept, i.ID)
		}
	}
	return kept
}
