package nodegroups

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/buildpool/buildpool/cloudprovider"
)

var epoch = time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return epoch.Add(time.Duration(seconds) * time.Second) }

// seen is a look at a group in expected-number mode with so many instances in service.
func seen(began time.Time, desired, inService int, activities ...cloudprovider.Activity) observation {
	o := observation{
		began: began,
		group: cloudprovider.ScalingGroup{
			ID: "asg-a", ExpectedNumberMode: true, Desired: desired, Max: 100, Lifecycle: cloudprovider.GroupActive,
			Counters: cloudprovider.Counters{Active: inService, Total: inService},
		},
		activities: activities,
	}
	for n := range inService {
		o.instances = append(o.instances, cloudprovider.Instance{ID: fmt.Sprintf("i-%03d", n), Lifecycle: cloudprovider.InService})
	}
	return o
}

func activity(id string, status cloudprovider.ActivityStatus, started time.Time, requested, created int) cloudprovider.Activity {
	a := cloudprovider.Activity{ID: id, Status: status, Started: started, Requested: requested}
	for n := range created {
		a.Created = append(a.Created, fmt.Sprintf("i-%s-%d", id, n))
	}
	if status != cloudprovider.ActivityInProgress {
		a.Ended = started.Add(time.Second)
	}
	if status == cloudprovider.ActivityFailed || status == cloudprovider.ActivityWarning {
		a.Failure = &cloudprovider.Failure{Class: cloudprovider.OutOfResources, Code: "OperationDenied.NoStock", Message: "out of stock"}
	}
	return a
}

func TestTargetIsRecoveredFromTheCloudAtStart(t *testing.T) {
	s := groupState{}.observe(seen(at(0), 7, 5, activity("asa-1", cloudprovider.ActivityInProgress, at(-5), 2, 0)), at(1))
	assert.Equal(t, 7, s.target)
	assert.Empty(t, s.placeholders)
}

func TestOwnWriteOutranksAStaleLook(t *testing.T) {
	s := groupState{}.observe(seen(at(0), 2, 2), at(0))
	s = s.increased("asa-1", 5, at(10))

	t.Run("that began before the write", func(t *testing.T) {
		assert.Equal(t, 5, s.observe(seen(at(9), 2, 2), at(11)).target)
	})
	t.Run("that began before the write and took long", func(t *testing.T) {
		assert.Equal(t, 5, s.observe(seen(at(9), 2, 2), at(60)).target)
	})
	t.Run("that began after it, while lists may lag", func(t *testing.T) {
		assert.Equal(t, 5, s.observe(seen(at(39), 2, 2), at(39)).target)
	})
	t.Run("but not for ever", func(t *testing.T) {
		assert.Equal(t, 2, s.observe(seen(at(40), 2, 2), at(40)).target)
	})
	t.Run("and a change by hand is followed once ours has been seen", func(t *testing.T) {
		settled := s.observe(seen(at(12), 5, 2), at(12))
		assert.Equal(t, 9, settled.observe(seen(at(13), 9, 2), at(13)).target)
	})
}

func TestFailedActivityBecomesPlaceholders(t *testing.T) {
	s := groupState{}.observe(seen(at(0), 0, 0), at(0)).increased("asa-1", 3, at(10))

	s = s.observe(seen(at(11), 3, 0, activity("asa-1", cloudprovider.ActivityInProgress, at(10), 3, 0)), at(11))
	require.Empty(t, s.placeholders, "it may still succeed")

	s = s.observe(seen(at(20), 3, 1, activity("asa-1", cloudprovider.ActivityWarning, at(10), 3, 1)), at(20))
	require.Len(t, s.placeholders, 2)
	assert.Equal(t, "buildpool://failed/asg-a/asa-1/0", s.placeholders[0].id)
	assert.Equal(t, cloudprovider.OutOfResources, s.placeholders[0].failure.Class)
	assert.Equal(t, 3, s.target, "the target falls only when CA deletes them")

	t.Run("though its end is told to the minute only", func(t *testing.T) {
		cut := activity("asa-1", cloudprovider.ActivityFailed, at(-60), 3, 0)
		cut.Ended = at(0) // it ended at 59 s
		late := groupState{}.observe(seen(at(0), 0, 0), at(0)).increased("asa-1", 3, at(50)).observe(seen(at(60), 3, 0, cut), at(60))
		assert.Len(t, late.placeholders, 3)
	})
	t.Run("once", func(t *testing.T) {
		again := s.observe(seen(at(21), 3, 1, activity("asa-1", cloudprovider.ActivityWarning, at(10), 3, 1)), at(21))
		assert.Equal(t, s.placeholders, again.placeholders)
	})
	t.Run("the cloud's own repetitions add none", func(t *testing.T) {
		again := s.observe(seen(at(90), 3, 1,
			activity("asa-2", cloudprovider.ActivityFailed, at(80), 2, 0),
			activity("asa-1", cloudprovider.ActivityWarning, at(10), 3, 1)), at(90))
		assert.Equal(t, s.placeholders, again.placeholders)
	})
	t.Run("an instance that comes after all takes one away", func(t *testing.T) {
		again := s.observe(seen(at(90), 3, 2, activity("asa-2", cloudprovider.ActivityWarning, at(80), 2, 1)), at(90))
		assert.Len(t, again.placeholders, 1)
	})
	t.Run("deleting lowers the target and owes it to the cloud", func(t *testing.T) {
		less, dropped := s.dropPlaceholders([]string{s.placeholders[0].id, "buildpool://failed/asg-a/asa-0/7"})
		assert.Equal(t, 1, dropped)
		assert.Equal(t, 2, less.target)
		assert.True(t, less.owed)
		assert.Equal(t, 2, less.observe(seen(at(25), 3, 1), at(25)).target, "the cloud's number is not taken over while ours is owed")
	})
}

func TestFailureDoesNotCountInstancesOfAnotherRunningActivity(t *testing.T) {
	s := groupState{}.observe(seen(at(0), 0, 0), at(0)).increased("asa-1", 3, at(10)).increased("asa-2", 5, at(15))
	s = s.observe(seen(at(20), 5, 0,
		activity("asa-2", cloudprovider.ActivityInProgress, at(15), 2, 0),
		activity("asa-1", cloudprovider.ActivityFailed, at(10), 3, 0)), at(20))
	assert.Len(t, s.placeholders, 3)
}

func TestRepeatedFailureDoesNotCountAgainstARunningIncrease(t *testing.T) {
	failed := activity("asa-1", cloudprovider.ActivityFailed, at(10), 3, 0)
	s := groupState{}.observe(seen(at(0), 0, 0), at(0)).increased("asa-1", 3, at(10)).observe(seen(at(15), 3, 0, failed), at(15))
	require.Len(t, s.placeholders, 3)
	s = s.increased("asa-3", 5, at(18))
	s = s.observe(seen(at(20), 5, 0,
		activity("asa-3", cloudprovider.ActivityInProgress, at(18), 2, 0),
		activity("asa-2", cloudprovider.ActivityFailed, at(16), 3, 0), failed), at(20))
	assert.Len(t, s.placeholders, 3, "two of the five missing are on their way")
}

func TestJudgedFailureIsNotJudgedAgain(t *testing.T) {
	failed := activity("asa-1", cloudprovider.ActivityFailed, at(10), 1, 0)
	s := groupState{}.observe(seen(at(0), 0, 0), at(0)).increased("asa-1", 1, at(10)).observe(seen(at(12), 1, 0, failed), at(12))
	s, _ = s.dropPlaceholders([]string{s.placeholders[0].id})
	s = s.paid(at(13)).increased("asa-2", 1, at(14))
	s = s.observe(seen(at(15), 1, 0, activity("asa-2", cloudprovider.ActivitySuccessful, at(14), 1, 1), failed), at(15))
	assert.Empty(t, s.placeholders, "the second instance is about to be listed")
}

func TestScaleUpCountsFromWhatExists(t *testing.T) {
	settled := groupState{}.observe(seen(at(0), 2, 2), at(0))
	from := func(s groupState, seconds, desired, alive int) int {
		o := seen(at(seconds), desired, alive)
		o.group.Counters.Active = alive
		return s.countsFrom(o, at(seconds))
	}
	assert.Equal(t, 9, from(settled, 1, 9, 2), "raised by hand")
	assert.Equal(t, 1, from(settled, 1, 1, 1), "lowered by hand: what CA asks for is created, and no more")

	shrunk := settled.removed([]string{"i-000"}, at(10))
	assert.Equal(t, 1, from(shrunk, 11, 2, 2), "a reading that lags: just as before our removal")
	assert.Equal(t, 12, from(shrunk, 11, 12, 12), "raised by hand at the same time")
	assert.Equal(t, 2, from(shrunk, 40, 2, 2), "raised by hand to what it was, and no list lags so long")

	swung := settled.increased("asa-1", 5, at(10)).removed([]string{"i-000"}, at(12))
	assert.Equal(t, 4, from(swung, 13, 5, 5), "a reading from between two writes of ours")
	assert.Equal(t, 4, from(swung, 13, 2, 2), "and one from before them")

	owing := settled.increased("asa-1", 5, at(10)).owes(2)
	assert.Equal(t, 3, from(owing, 11, 5, 3), "what we gave up does not count, what came does")
	assert.Equal(t, 2, from(owing, 11, 2, 2), "nor where the reading is older than the increase")
	assert.Equal(t, 3, from(owing, 11, 2, 3), "and then too what came counts")
}

func TestOldFailureDoesNotExplainAFreshIncrease(t *testing.T) {
	old := activity("asa-0", cloudprovider.ActivityFailed, at(-600), 4, 0)
	s := groupState{}.observe(seen(at(0), 2, 2), at(0)).increased("asa-1", 4, at(10))
	s = s.observe(seen(at(11), 4, 2, old), at(11))
	assert.Empty(t, s.placeholders, "the increase is not listed yet")
	s = s.observe(seen(at(60), 4, 2, activity("asa-1", cloudprovider.ActivitySuccessful, at(10), 2, 2), old), at(60))
	assert.Empty(t, s.placeholders, "its instances are about to be listed")
}

func TestFailuresAreRecalledAfterARestart(t *testing.T) {
	failed := activity("asa-1", cloudprovider.ActivityFailed, at(-100), 3, 0)
	before := groupState{}.observe(seen(at(-100), 1, 1), at(-110)).increased("asa-1", 4, at(-105)).observe(seen(at(-90), 4, 1, failed), at(-90))
	after := groupState{}.observe(seen(at(0), 4, 1, failed), at(0))
	require.Len(t, before.placeholders, 3)
	assert.Equal(t, before.placeholders, after.placeholders, "the same IDs, so that CA does not take them for new failures")
	assert.Empty(t, groupState{}.observe(seen(at(3601), 4, 1, failed), at(3601)).placeholders, "an hour's history, no more")
}

func TestInstanceThatCameAlthoughGivenUpRaisesTheTarget(t *testing.T) {
	s := groupState{}.observe(seen(at(0), 2, 2), at(0)).increased("asa-1", 4, at(1))
	s = s.owes(2)
	s = s.observe(seen(at(10), 4, 3), at(10))
	assert.Equal(t, 3, s.target)
	assert.True(t, s.owed)
}

func TestRemovedInstanceIsRememberedUntilItIsBack(t *testing.T) {
	s := groupState{}.observe(seen(at(0), 2, 2), at(0)).removed([]string{"i-000"}, at(10))
	assert.Equal(t, 1, s.target)

	lagging := s.observe(seen(at(20), 1, 2), at(20))
	assert.Contains(t, lagging.departed, "i-000", "the list lags")
	back := s.observe(seen(at(100), 2, 2), at(100))
	assert.NotContains(t, back.departed, "i-000", "a recycled instance is back under its ID")
	gone := seen(at(10+3601), 1, 0)
	assert.Empty(t, s.observe(gone, gone.began).departed)
}

func TestGroupWithoutDesiredNumberCountsWhatExists(t *testing.T) {
	classic := func(began time.Time, inService int, activities ...cloudprovider.Activity) observation {
		o := seen(began, 0, inService, activities...)
		o.group.ExpectedNumberMode = false
		return o
	}
	s := groupState{}.observe(classic(at(0), 2, activity("asa-0", cloudprovider.ActivityInProgress, at(-1), 1, 0)), at(0))
	assert.Equal(t, 3, s.target, "what is on its way at start counts")
	s = s.increased("asa-1", 5, at(10))
	assert.Equal(t, 5, s.observe(classic(at(50), 3, activity("asa-1", cloudprovider.ActivityInProgress, at(10), 2, 0)), at(50)).target)
	failed := s.observe(classic(at(50), 3, activity("asa-1", cloudprovider.ActivityFailed, at(10), 2, 0)), at(50))
	assert.Len(t, failed.placeholders, 2)
	assert.Equal(t, 5, failed.target)
}

// A look never leaves more placeholders than instances are missing, and never moves
// the target away from the cloud's desired number once nothing of ours is pending.
func TestObserveProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := groupState{}
		now := epoch
		for step := range rapid.IntRange(1, 30).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(1, 50).Draw(t, "wait")) * time.Second)
			desired := rapid.IntRange(0, 20).Draw(t, "desired")
			var activities []cloudprovider.Activity
			for n := range rapid.IntRange(0, 3).Draw(t, "activities") {
				status := rapid.SampledFrom([]cloudprovider.ActivityStatus{cloudprovider.ActivityFailed, cloudprovider.ActivityInProgress, cloudprovider.ActivityWarning, cloudprovider.ActivitySuccessful}).Draw(t, "status")
				activities = append(activities, activity(fmt.Sprintf("asa-%d-%d", step, n), status, now.Add(-time.Second), rapid.IntRange(0, 5).Draw(t, "requested"), 0))
			}
			o := seen(now, desired, rapid.IntRange(0, desired).Draw(t, "live"), activities...)
			s = s.observe(o, now)
			missing := max(0, s.target-o.liveCount())
			if len(s.placeholders) > missing {
				t.Fatalf("%d placeholders for %d missing instances", len(s.placeholders), missing)
			}
			if !s.owed && !s.lagging(now) && s.target != desired {
				t.Fatalf("target %d, desired %d, nothing of ours pending", s.target, desired)
			}
			switch rapid.IntRange(0, 3).Draw(t, "do") {
			case 1:
				s = s.increased(fmt.Sprintf("asa-own-%d", step), s.target+1, now)
			case 2:
				if len(s.placeholders) > 0 {
					before := s.target
					s, _ = s.dropPlaceholders([]string{s.placeholders[0].id})
					if s.target != before-1 {
						t.Fatalf("target %d after dropping one of %d", s.target, before)
					}
					s = s.paid(now)
				}
			}
		}
	})
}

// A write that creates all that is missing takes the failed instances along: to give them
// up afterwards could not stop what is on its way.
func TestARetryTakesThePlaceholdersAlong(t *testing.T) {
	s := groupState{target: 5, owed: true, more: true, placeholders: []placeholder{{id: "failed-1"}}}
	s = s.repaid("asa-2", 5, at(10))
	assert.Empty(t, s.placeholders)
	after, dropped := s.dropPlaceholders([]string{"failed-1"})
	assert.Zero(t, dropped)
	assert.Equal(t, 5, after.target)
}

// What another provider has removed before we saw it is not to come, although the
// activity that created it runs.
func TestNoneIsOnItsWayBeyondTheCloudsNumber(t *testing.T) {
	raise := activity("asa-1", cloudprovider.ActivityInProgress, at(0), 3, 0)
	s := groupState{known: true}
	assert.Equal(t, 2, s.existing(seen(at(10), 2, 1, raise)), "of three to come the number holds one")
	assert.Equal(t, 4, s.existing(seen(at(10), 4, 1, raise)))
	assert.Equal(t, 4, s.existing(classic(seen(at(10), 0, 1, raise))), "a group without a number cannot tell")
	s.held, s.replaced, s.lastWrite = 4, []int{1}, at(8)
	assert.Equal(t, 4, s.existing(seen(at(10), 1, 1, raise)), "and a number that a write of ours replaced is late")
}

// A number that a write of ours replaced is believed where the activities say that
// somebody has set it again.
func TestANumberThatIsSetAgain(t *testing.T) {
	s := groupState{}.observe(seen(at(0), 2, 2), at(0)).removed([]string{"i-000", "i-001"}, at(5))
	back := signedBy(activity("asa-2", cloudprovider.ActivitySuccessful, at(7), 2, 2), "token-9", 0, 2, 7)
	gone := removing("asa-1", 5, 2, "i-000", "i-001")
	assert.Equal(t, 0, s.observe(seen(at(9), 2, 2, gone), at(9)).target, "a late list")
	assert.Equal(t, 2, s.observe(seen(at(9), 2, 2, back, gone), at(9)).target)
}

func TestCountersCountWhatIsThere(t *testing.T) {
	all := cloudprovider.Counters{Active: 1, Pending: 2, PendingWait: 4, Protected: 8, Standby: 16, Stopped: 32, Removing: 64, RemovingWait: 128}
	assert.Equal(t, 1+2+4+8+16, countersLive(cloudprovider.ScalingGroup{Counters: all}), "each kind once, but those that leave or are stopped")
}
