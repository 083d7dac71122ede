package nodegroups

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
)

const (
	running = cloudprovider.ActivityInProgress
	failed  = cloudprovider.ActivityFailed
)

// A restart within the time that lists lag: what they show is what was, and the
// activities tell what is.
func TestTargetAfterARestart(t *testing.T) {
	raise := signedBy(activity("asa-1", running, at(-5), 3, 0), "token-1", 2, 5, -5)
	for name, c := range map[string]struct {
		look observation
		want int
	}{
		"a scale-up that is not shown":            {seen(at(0), 2, 2, raise), 5},
		"and one that is":                         {seen(at(0), 5, 2, raise), 5},
		"with a removal after it":                 {seen(at(0), 2, 2, removing("asa-2", -2, 1), raise), 4},
		"of which one is shown":                   {seen(at(0), 5, 2, removing("asa-2", -2, 1), raise), 4},
		"with a removal before it":                {seen(at(0), 3, 2, raise, removing("asa-0", -8, 1)), 5},
		"a number that somebody set since":        {seen(at(0), 9, 2, raise), 9},
		"one that is old enough to be shown":      {seen(at(0), 2, 2, signedBy(activity("asa-1", running, at(-30), 3, 0), "token-1", 2, 5, -30)), 2},
		"one that was refused":                    {seen(at(0), 2, 2, signedBy(activity("asa-1", cloudprovider.ActivityRejected, at(-5), 3, 0), "token-1", 2, 5, -5)), 2},
		"a removal alone":                         {seen(at(0), 2, 2, removing("asa-2", -2, 1)), 1},
		"a removal of the cloud's own":            {seen(at(0), 2, 2, activity("asa-2", running, at(-2), -1, 0)), 2},
		"nothing":                                 {seen(at(0), 2, 2), 2},
		"an activity of somebody else, unsigned":  {seen(at(0), 2, 2, activity("asa-1", running, at(-5), 3, 0)), 2},
		"an activity of ours that lowered number": {seen(at(0), 5, 2, signedBy(activity("asa-1", cloudprovider.ActivitySuccessful, at(-5), 0, 0), "token-1", 5, 2, -5)), 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := groupState{}.observe(c.look, at(0))
			assert.Equal(t, c.want, s.target)
			c.look.began = at(2)
			assert.Equal(t, c.want, s.observe(c.look, at(2)).target, "and the same list a moment later changes nothing")
		})
	}
}

// Scale-ups and a removal after them have come to a number that the group had before, and
// a reading that is late shows each of those in between in its turn.
func TestNumbersThatAreShownLateAfterARestart(t *testing.T) {
	first := signedBy(activity("asa-1", running, at(-6), 1, 0), "token-1", 4, 5, -6)
	second := signedBy(activity("asa-2", running, at(-4), 1, 0), "token-2", 5, 6, -4)
	leap := signedBy(activity("asa-1", running, at(-6), 4, 0), "token-1", 4, 8, -6)
	for name, c := range map[string]struct {
		activities []cloudprovider.Activity
		shown      []int
		want       int
	}{
		"the same number as before":      {[]cloudprovider.Activity{removing("asa-3", -2, 1), second, first}, []int{5, 6, 5}, 5},
		"removals one by one":            {[]cloudprovider.Activity{removing("asa-4", -2, 2), removing("asa-3", -3, 1), first}, []int{5, 4, 2}, 2},
		"a removal long after":           {[]cloudprovider.Activity{removing("asa-3", -2, 1), signedBy(activity("asa-1", running, at(-29), 1, 0), "token-1", 4, 5, -29)}, []int{5, 5, 5, 4}, 4},
		"of which the first came before": {[]cloudprovider.Activity{leap, removing("asa-0", -8, 1), removing("asa-9", -9, 2)}, []int{7, 5, 4, 8}, 8},
	} {
		t.Run(name, func(t *testing.T) {
			var s groupState
			for n, shown := range c.shown {
				now := at(2 * n)
				s = s.observe(seen(now, shown, 4, c.activities...), now)
				assert.Equal(t, c.want, s.target, "when %d is shown", shown)
			}
		})
	}
}

func classic(o observation) observation {
	o.group.ExpectedNumberMode, o.group.Desired = false, 0
	return o
}

func TestTargetOfAGroupWithoutANumberAfterARestart(t *testing.T) {
	raise := signedBy(activity("asa-1", running, at(-5), 3, 0), "token-1", 2, 5, -5)
	s := groupState{}.observe(classic(seen(at(0), 0, 2, raise)), at(0))
	assert.Equal(t, 5, s.target, "the list does not show the new ones")
	assert.Equal(t, 5, s.observe(classic(seen(at(40), 0, 2, raise)), at(40)).target, "nor may it for a while")
	assert.Equal(t, 1, groupState{}.observe(classic(seen(at(0), 0, 2, removing("asa-2", -2, 1))), at(0)).target, "nor that one is leaving")
}

func TestFailuresOfAGroupWithoutANumberAfterARestart(t *testing.T) {
	short := func(id, token string, seconds int) cloudprovider.Activity {
		return signedBy(activity(id, failed, at(seconds), 2, 0), token, 1, 3, seconds)
	}
	before := groupState{}.observe(classic(seen(at(-60), 0, 1)), at(-60)).increased("asa-2", 3, at(-40))
	before = before.observe(classic(seen(at(-30), 0, 1, short("asa-2", "token-2", -40))), at(-30))
	require.Len(t, before.placeholders, 2)

	after := groupState{}.observe(classic(seen(at(0), 0, 1, short("asa-2", "token-2", -40), short("asa-1", "token-1", -70))), at(0))
	assert.Equal(t, 3, after.target)
	assert.Equal(t, before.placeholders, after.placeholders, "those of the last scale-up, under the same IDs")

	for name, o := range map[string]observation{
		"given up long since":        classic(seen(at(90), 0, 1, short("asa-2", "token-2", -40))),
		"made good since":            classic(seen(at(0), 0, 3, signedBy(activity("asa-3", cloudprovider.ActivitySuccessful, at(-20), 2, 2), "token-3", 1, 3, -20), short("asa-2", "token-2", -40))),
		"of somebody in the console": classic(seen(at(0), 0, 1, activity("asa-2", failed, at(-40), 2, 0))),
	} {
		t.Run(name, func(t *testing.T) {
			s := groupState{}.observe(o, o.began)
			assert.Empty(t, s.placeholders)
			assert.Equal(t, o.liveCount(), s.target)
		})
	}
}

// A list that shows an instance which is leaving hides that the failed one is missing:
// CA would have nothing to give up, and the next scale-up would create it.
func TestFailuresThatALaggingListHidesAreNotRecalled(t *testing.T) {
	short := signedBy(activity("asa-1", failed, at(-30), 1, 0), "token-1", 2, 3, -30)
	s := groupState{}.observe(classic(seen(at(0), 0, 2, removing("asa-2", -1, 1), short)), at(0))
	assert.Equal(t, 1, s.target)
	assert.Empty(t, s.placeholders)
	s = s.observe(classic(seen(at(9), 0, 1, removing("asa-2", -1, 1), short)), at(9))
	assert.Equal(t, 1, s.target)
	assert.Empty(t, s.placeholders, "nor do they come back")
}

func TestFailuresOlderThanTheLastScaleUpStayGivenUp(t *testing.T) {
	older := signedBy(activity("asa-1", failed, at(-600), 3, 0), "token-1", 1, 4, -600)
	last := signedBy(activity("asa-2", failed, at(-100), 2, 0), "token-2", 1, 3, -100)
	s := groupState{}.observe(seen(at(0), 3, 1, last, older), at(0))
	require.Len(t, s.placeholders, 2)
	assert.Equal(t, "buildpool://failed/asg-a/asa-2/0", s.placeholders[0].id, "CA knows the missing ones by this attempt's IDs")
}

// A removal that has ended names what it took. A list that shows those as leaving tells
// nothing of a removal that runs.
func TestWhatAnEndedRemovalTookHidesNoRunningOne(t *testing.T) {
	late := seen(at(12), 2, 3, removing("asa-2", 11, 2), removing("asa-1", 0, 1, "i-000"))
	late.instances[0].Lifecycle = cloudprovider.Removing
	assert.Zero(t, groupState{}.existing(late))
	assert.Zero(t, groupState{}.observe(classic(late), at(12)).target)

	late.group.Counters = cloudprovider.Counters{Active: 2, Removing: 1, Total: 3}
	s := groupState{}.observe(late, at(12))
	assert.Zero(t, s.target)
	late.group.Desired = 1
	assert.Zero(t, s.observe(late, at(14)).target, "lists may catch up with one removal after another")
}

func TestWhatAnEndedActivityTookIsNotThere(t *testing.T) {
	for name, c := range map[string]struct {
		activities []cloudprovider.Activity
		want       int
	}{
		"nothing":                    {nil, 2},
		"a removal":                  {[]cloudprovider.Activity{removing("asa-1", -10, 1, "i-000")}, 1},
		"the cloud itself":           {[]cloudprovider.Activity{{ID: "asa-1", Status: cloudprovider.ActivitySuccessful, Requested: -1, Removed: []string{"i-000"}, Started: at(-10), Ended: at(-10)}}, 1},
		"a removal long ago":         {[]cloudprovider.Activity{removing("asa-1", -200, 1, "i-000")}, 2},
		"one that was started again": {[]cloudprovider.Activity{{ID: "asa-2", Status: cloudprovider.ActivitySuccessful, Requested: 1, Created: []string{"i-000"}, Started: at(-5), Ended: at(-1)}, removing("asa-1", -30, 1, "i-000")}, 2},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, groupState{}.there(seen(at(0), 2, 2, c.activities...))) })
	}
}
