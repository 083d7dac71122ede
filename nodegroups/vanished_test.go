package nodegroups

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/buildpool/buildpool/cloudprovider"
)

// One of three instances is removed while the activity that created them runs on.
func TestWhatARunningActivityHasCreatedIsNotAwaitedOnceItHasLeft(t *testing.T) {
	creating := func(seconds int, ids ...string) observation {
		o := seen(at(seconds), 3, 0, activity("asa-1", running, at(0), 3, 0))
		for _, id := range ids {
			o.instances = append(o.instances, cloudprovider.Instance{ID: id, Lifecycle: cloudprovider.Pending, ActivityID: "asa-1", Created: at(0)})
		}
		return o
	}
	before := creating(1, "i-1", "i-2", "i-3")
	s := groupState{}.observe(before, at(1)).removed([]string{"i-2"}, at(2))

	after := creating(12, "i-1", "i-3")
	assert.Equal(t, 3, s.existing(after), "an activity does not name what it has created before it ends")
	s = s.lose(before.instances, after)
	assert.Equal(t, 2, s.existing(after))
	s = s.lose(after.instances, creating(22, "i-3"))
	assert.Equal(t, 1, s.existing(creating(22, "i-3")), "nor does a look in between make it forget")
	assert.Equal(t, 2, s.existing(creating(23, "i-1", "i-3")), "and what is listed again counts")
	assert.Equal(t, 1, s.existing(creating(23, "i-4")), "while the last of three is on its way")
}

func TestVanishedInstancesAreForgotten(t *testing.T) {
	before := seen(at(0), 1, 1)
	before.instances[0].ActivityID, before.instances[0].Created = "asa-1", at(0)
	s := groupState{}.lose(before.instances, seen(at(1), 0, 0))
	assert.Len(t, s.vanished, 1)

	for name, o := range map[string]observation{
		"when they are listed again":  before,
		"when the activity has ended": seen(at(2), 0, 0, activity("asa-1", cloudprovider.ActivitySuccessful, at(0), 1, 1)),
		"when it is told no more":     seen(at(2), 0, 0, activity("asa-2", running, at(0), 1, 0)),
		"after an hour":               seen(at(3600), 0, 0),
	} {
		t.Run(name, func(t *testing.T) { assert.Empty(t, s.lose(nil, o).vanished) })
	}
	assert.Empty(t, groupState{}.lose(seen(at(0), 1, 1).instances, seen(at(1), 0, 0)).vanished, "nor noted, where no activity created them")
}

// After a restart nothing has been listed before: the removals that have ended tell.
func TestWhatWasRemovedBeforeItsActivityEndedIsNotAwaited(t *testing.T) {
	creating := activity("asa-2", running, at(-60), 3, 0)
	for name, c := range map[string]struct {
		activities []cloudprovider.Activity
		want       int
	}{
		"nothing was removed":                    {[]cloudprovider.Activity{creating}, 3},
		"one of the three":                       {[]cloudprovider.Activity{removing("asa-3", -30, 1, "i-9"), creating}, 2},
		"one that an ended activity had created": {[]cloudprovider.Activity{removing("asa-3", -30, 1, "i-9"), creating, {ID: "asa-1", Status: cloudprovider.ActivitySuccessful, Requested: 1, Created: []string{"i-9"}, Started: at(-600), Ended: at(-500)}}, 3},
		"one that left before the three began":   {[]cloudprovider.Activity{creating, removing("asa-1", -300, 1, "i-9")}, 3},
		"one that is listed":                     {[]cloudprovider.Activity{removing("asa-3", -30, 1, "i-000"), creating}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, groupState{}.coming(seen(at(0), 4, 1, c.activities...)))
		})
	}
}
