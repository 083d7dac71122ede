package nodegroups

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/buildpool/buildpool/cloudprovider"
)

// signedBy makes an activity one of a scale-up of ours.
func signedBy(a cloudprovider.Activity, token string, from, total, asked int) cloudprovider.Activity {
	a.Asked, a.Metadata = true, signature{Token: token, From: from, Total: total, At: at(asked)}.String()
	return a
}

// removing is an activity that removes instances, and has done so if ids are given.
func removing(id string, started, n int, ids ...string) cloudprovider.Activity {
	a := activity(id, cloudprovider.ActivityInProgress, at(started), -n, 0)
	a.Asked = true
	if len(ids) > 0 {
		a.Status, a.Ended, a.Removed = cloudprovider.ActivitySuccessful, at(started+10), ids
	}
	return a
}

func TestScaleUpInDoubtIsSettledByItsActivity(t *testing.T) {
	s := groupState{}.observe(seen(at(0), 2, 2), at(0))
	s = s.unanswered(doubt{token: "token-1", delta: 3, change: 3, asked: at(8), at: at(10)})
	none := []cloudprovider.Activity{}
	own := signedBy(activity("asa-1", cloudprovider.ActivityInProgress, at(8), 3, 0), "token-1", 2, 5, 8)
	others := signedBy(activity("asa-2", cloudprovider.ActivityInProgress, at(8), 3, 0), "token-2", 2, 5, 8)

	happened := s.observe(seen(at(12), 2, 2, own), at(12))
	assert.Equal(t, 5, happened.target, "though the list is late")
	assert.Equal(t, 5, happened.observe(seen(at(14), 2, 2, own), at(14)).target)
	assert.Empty(t, happened.doubts)
	assert.Equal(t, 5, happened.observe(seen(at(16), 5, 2, own), at(16)).target, "once")

	late := seen(at(12), 2, 2)
	late.activities = none
	waiting := s.observe(late, at(12))
	assert.Equal(t, 2, waiting.target)
	assert.Len(t, waiting.doubts, 1, "it may yet arrive")
	assert.Equal(t, 5, waiting.observe(seen(at(20), 2, 2, own), at(20)).target)
	late.began = at(40)
	assert.Empty(t, waiting.observe(late, at(40)).doubts, "but not for ever")

	assert.Equal(t, 2, s.observe(seen(at(12), 2, 2, others), at(12)).target, "somebody else's tells nothing")
	assert.Equal(t, 4, s.increased("asa-3", 4, at(11)).observe(seen(at(12), 4, 2, own), at(12)).target, "a later write of ours is absolute")
	byHand := s.observe(seen(at(12), 7, 2, others), at(12))
	assert.Empty(t, byHand.doubts, "the number that is shown holds whatever happened before")
}

func TestRemovalInDoubtIsSettledByItsActivity(t *testing.T) {
	start := groupState{}.observe(seen(at(0), 3, 3), at(0))
	s := start.unanswered(doubt{ids: []string{"i-000", "i-001"}, asked: at(8), at: at(10)})
	leaving := seen(at(12), 1, 3)
	for n := range 2 {
		leaving.instances[n].Lifecycle = cloudprovider.Removing
	}
	leaving.activities = []cloudprovider.Activity{removing("asa-1", 8, 2)}
	late := seen(at(12), 3, 3, removing("asa-1", 8, 2))
	for name, o := range map[string]observation{
		"the instances are leaving":             leaving,
		"more is being removed than is shown":   late,
		"its activity has ended and names them": seen(at(12), 3, 3, removing("asa-1", 8, 2, "i-000", "i-001")),
	} {
		t.Run(name, func(t *testing.T) {
			found := s.observe(o, at(12))
			assert.Equal(t, 1, found.target)
			assert.Contains(t, found.departed, "i-001")
			assert.Empty(t, found.doubts)
		})
	}
	for name, o := range map[string]observation{
		"another number":    seen(at(12), 3, 3, removing("asa-1", 8, 1)),
		"one from before":   seen(at(120), 3, 3, removing("asa-1", -100, 2)),
		"other instances":   seen(at(12), 3, 3, removing("asa-1", 8, 2, "i-000", "i-007")),
		"the cloud's own":   seen(at(12), 3, 3, func() cloudprovider.Activity { a := removing("asa-1", 8, 2); a.Asked = false; return a }()),
		"nothing happened":  seen(at(12), 3, 3, activity("asa-0", cloudprovider.ActivitySuccessful, at(-50), 3, 3)),
		"activities unread": seen(at(12), 3, 3),
	} {
		t.Run("not by "+name, func(t *testing.T) {
			assert.Equal(t, 3, s.observe(o, at(12)).target)
		})
	}
	t.Run("not by a removal that was answered", func(t *testing.T) {
		two := start.removed([]string{"i-002"}, at(7)).removing("asa-1").unanswered(doubt{ids: []string{"i-000"}, asked: at(8), at: at(10)})
		assert.Equal(t, 2, two.observe(seen(at(12), 3, 3, removing("asa-1", 7, 1)), at(12)).target)
	})
}

// A list that lags may show what a write in doubt had made of the number before an
// accepted one replaced it. To count from that would undo the accepted one.
func TestNumbersOfWritesInDoubtAreReplacedWithThem(t *testing.T) {
	s := groupState{known: true, target: 4, held: 4}
	s = s.unanswered(doubt{ids: []string{"i-1", "i-2"}, asked: at(0), at: at(0)}).wrote(6, at(1))
	for number, want := range map[int]bool{1: false, 2: true, 3: true, 4: true, 5: false, 6: false} {
		assert.Equal(t, want, s.outdated(number, at(2)), "%d", number)
	}
	assert.False(t, s.outdated(2, at(60)), "later it is somebody's doing")
}

// The write in doubt came first and the delete after it. A list that lags shows the number
// between the two: to follow it would undo the delete.
func TestAWriteInDoubtMayHaveComeBeforeOneThatWasAnswered(t *testing.T) {
	raise := signedBy(activity("asa-1", running, at(8), 3, 0), "token-1", 3, 6, 8)
	s := groupState{}.observe(seen(at(0), 3, 3), at(0))
	s = s.unanswered(doubt{token: "token-1", delta: 3, change: 3, asked: at(8), at: at(10)}).removed([]string{"i-000"}, at(20))
	s = s.observe(seen(at(21), 6, 3, removing("asa-2", 20, 1), raise), at(21))
	assert.Equal(t, 5, s.target)
	assert.Equal(t, 5, s.observe(seen(at(22), 6, 3), at(22)).target, "nor does the same list a moment later")
	assert.Equal(t, 5, s.observe(seen(at(23), 5, 3), at(23)).target)

	s = groupState{}.observe(seen(at(0), 4, 4), at(0))
	s = s.unanswered(doubt{ids: []string{"i-000"}, asked: at(8), at: at(10)}).removed([]string{"i-001", "i-002"}, at(20))
	s = s.observe(seen(at(21), 3, 4, removing("asa-2", 20, 2), removing("asa-1", 8, 1, "i-000")), at(21))
	assert.Equal(t, 1, s.target, "3 is what the removal in doubt had made of 4")
}

// A debt whose write got no answer: its activity settles it, and nothing is raised by it.
func TestDebtInDoubtIsSettledByItsActivity(t *testing.T) {
	s := groupState{}.observe(seen(at(0), 3, 1), at(0)).owes(1)
	s = s.unanswered(doubt{token: "token-1", change: -2, asked: at(8), at: at(10)})
	lowered := signedBy(activity("asa-1", cloudprovider.ActivitySuccessful, at(8), 0, 0), "token-1", 3, 1, 8)

	settled := s.settleDoubts(seen(at(11), 3, 1, lowered))
	assert.Equal(t, 1, settled.target)
	assert.Equal(t, 1, settled.held)
	assert.False(t, settled.owed, "and needs no other write")
	assert.Empty(t, settled.doubts)
	assert.Empty(t, settled.increases)
	assert.True(t, settled.raised.IsZero(), "it was no scale-up")

	raised := s.increased("asa-2", 4, at(11))
	assert.Equal(t, 4, raised.observe(seen(at(14), 1, 1), at(14)).target, "a list that shows what it made is late")
}

// The second removal of an instance is accepted: the first did not happen, and what
// somebody else removes at the same time is not taken for it.
func TestRemovalThatIsAskedForAgainIsInDoubtNoMore(t *testing.T) {
	s := groupState{}.observe(seen(at(0), 3, 3), at(0))
	s = s.unanswered(doubt{ids: []string{"i-000"}, asked: at(8), at: at(10)})
	s = s.removed([]string{"i-000"}, at(12)).removing("asa-2")
	assert.Equal(t, 2, s.target)

	shown := seen(at(13), 2, 3, removing("asa-2", 12, 1), removing("asa-1", 11, 1))
	shown.instances[0].Lifecycle, shown.instances[1].Lifecycle = cloudprovider.Removing, cloudprovider.Removing
	assert.Equal(t, 2, s.observe(shown, at(13)).target)
}

// Two removals of one instance got no answer, and one of them did it.
func TestTwoRemovalsInDoubtAreSettledAtOnce(t *testing.T) {
	s := groupState{}.observe(seen(at(0), 3, 3), at(0))
	s = s.unanswered(doubt{ids: []string{"i-000"}, asked: at(1), at: at(5)}).unanswered(doubt{ids: []string{"i-000"}, asked: at(6), at: at(10)})
	s = s.observe(seen(at(16), 2, 2, removing("asa-1", 1, 1, "i-000")), at(16))
	assert.Equal(t, 2, s.target)
	assert.Empty(t, s.doubts)
}
