package nodegroups

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/expander"
)

// failing is an activity that ended for another reason than stock.
func failing(id string, started time.Time, requested, created int) cloudprovider.Activity {
	a := activity(id, cloudprovider.ActivityFailed, started, requested, created)
	a.Failure = &cloudprovider.Failure{Class: cloudprovider.OtherFailure, Code: "InvalidParameter"}
	return a
}

func born(id string, created time.Time) cloudprovider.Instance {
	return cloudprovider.Instance{ID: id, Lifecycle: cloudprovider.InService, Created: created, AutoCreated: true}
}

func with(i cloudprovider.Instance, change func(*cloudprovider.Instance)) cloudprovider.Instance {
	change(&i)
	return i
}

// noStock is a stock-out of that second.
func noStock(seconds int) expander.Incident {
	return expander.Incident{At: at(seconds), Code: "OperationDenied.NoStock"}
}

var otherFailure = expander.Incident{At: at(11), Code: "InvalidParameter"}

var failures = map[string]struct {
	before     expander.Health
	activities []cloudprovider.Activity
	instances  []cloudprovider.Instance
	want       expander.Health
}{
	"nothing happened": {},
	"a stock-out": {
		activities: []cloudprovider.Activity{activity("a", cloudprovider.ActivityFailed, at(10), 2, 0)},
		want:       expander.Health{OutOfStock: noStock(11)},
	},
	"a part of them came": {
		activities: []cloudprovider.Activity{activity("a", cloudprovider.ActivityWarning, at(10), 2, 1)},
		instances:  []cloudprovider.Instance{born("i-1", at(10))},
		want:       expander.Health{OutOfStock: noStock(11)},
	},
	"an instance of the same minute tells nothing": {
		activities: []cloudprovider.Activity{activity("a", cloudprovider.ActivityWarning, at(10), 2, 1)},
		instances:  []cloudprovider.Instance{born("i-1", at(71))},
		want:       expander.Health{OutOfStock: noStock(11)},
	},
	"another failure": {
		activities: []cloudprovider.Activity{failing("a", at(10), 1, 0)},
		want:       expander.Health{Failed: otherFailure},
	},
	"the latest counts, in whatever order": {
		activities: []cloudprovider.Activity{
			activity("a", cloudprovider.ActivityFailed, at(5), 2, 0),
			activity("c", cloudprovider.ActivityFailed, at(20), 2, 0),
			activity("b", cloudprovider.ActivityFailed, at(10), 2, 0)},
		want: expander.Health{OutOfStock: noStock(21)},
	},
	"an older one changes nothing": {
		before:     expander.Health{OutOfStock: noStock(30)},
		activities: []cloudprovider.Activity{activity("a", cloudprovider.ActivityFailed, at(10), 2, 0)},
		want:       expander.Health{OutOfStock: noStock(30)},
	},
	"a removal that failed is no failed creation": {
		activities: []cloudprovider.Activity{failing("a", at(10), -1, 0)},
	},
	"one in progress may still succeed": {
		activities: []cloudprovider.Activity{activity("a", cloudprovider.ActivityInProgress, at(10), 2, 0)},
	},
	"the cloud's clock is ahead": {
		activities: []cloudprovider.Activity{activity("a", cloudprovider.ActivityFailed, at(500), 2, 0)},
		want:       expander.Health{OutOfStock: noStock(60)},
	},
	"an instance came afterwards": {
		before:    expander.Health{OutOfStock: noStock(11), Failed: otherFailure},
		instances: []cloudprovider.Instance{born("i-1", at(72))},
	},
	"one that was attached by hand tells nothing": {
		before: expander.Health{OutOfStock: noStock(11)}, instances: []cloudprovider.Instance{with(born("i-1", at(72)), func(i *cloudprovider.Instance) { i.AutoCreated = false })},
		want: expander.Health{OutOfStock: noStock(11)},
	},
	"nor one that is leaving": {
		before: expander.Health{OutOfStock: noStock(11)}, instances: []cloudprovider.Instance{with(born("i-1", at(72)), func(i *cloudprovider.Instance) { i.Lifecycle = cloudprovider.Removing })},
		want: expander.Health{OutOfStock: noStock(11)},
	},
}

func TestFailuresAreRemembered(t *testing.T) {
	for name, test := range failures {
		t.Run(name, func(t *testing.T) {
			s := groupState{health: health{Health: test.before}}
			look := observation{activities: test.activities, instances: test.instances}
			got := s.diagnosed(observation{}, look, at(60))
			assert.Equal(t, test.want, got.health.Health)
			assert.Equal(t, test.before, s.health.Health, "the state before is left as it was")
			assert.Equal(t, got.health, got.diagnosed(look, look, at(60)).health, "seeing it again changes nothing")
		})
	}
}

func TestReclaimIsSeen(t *testing.T) {
	spot := func(id string, l cloudprovider.Lifecycle) cloudprovider.Instance {
		return cloudprovider.Instance{ID: id, Lifecycle: l, Spot: true}
	}
	onDemand := spot("i-1", cloudprovider.InService)
	onDemand.Spot = false
	for name, test := range map[string]struct {
		before, after []cloudprovider.Instance
		asked         []string
		want          bool
	}{
		"it stays": {
			before: []cloudprovider.Instance{spot("i-1", cloudprovider.InService)},
			after:  []cloudprovider.Instance{spot("i-1", cloudprovider.InService)},
		},
		"it is gone": {
			before: []cloudprovider.Instance{spot("i-1", cloudprovider.InService), spot("i-2", cloudprovider.InService)},
			after:  []cloudprovider.Instance{spot("i-2", cloudprovider.InService)},
			want:   true,
		},
		"it is replaced": {
			before: []cloudprovider.Instance{spot("i-1", cloudprovider.InService)},
			after:  []cloudprovider.Instance{spot("i-2", cloudprovider.Pending)},
			want:   true,
		},
		"it is leaving": {
			before: []cloudprovider.Instance{spot("i-1", cloudprovider.InService)},
			after:  []cloudprovider.Instance{spot("i-1", cloudprovider.Removing)},
			want:   true,
		},
		"it was leaving before": {
			before: []cloudprovider.Instance{spot("i-1", cloudprovider.Removing)},
		},
		"it is stopped and kept": {
			before: []cloudprovider.Instance{spot("i-1", cloudprovider.InService)},
			after:  []cloudprovider.Instance{spot("i-1", cloudprovider.Stopped)},
		},
		"we asked for it": {
			before: []cloudprovider.Instance{spot("i-1", cloudprovider.InService)},
			asked:  []string{"i-1"},
		},
		"we asked for another": {
			before: []cloudprovider.Instance{spot("i-1", cloudprovider.InService), spot("i-2", cloudprovider.InService)},
			asked:  []string{"i-1"},
			want:   true,
		},
		"the cloud does not reclaim what is paid in full": {
			before: []cloudprovider.Instance{onDemand},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := groupState{}.asking(test.asked, at(1))
			s = s.diagnosed(observation{instances: test.before}, observation{instances: test.after}, at(60))
			want := expander.Incident{}
			if test.want {
				want.At = at(60)
			}
			assert.Equal(t, want, s.health.Reclaimed)
		})
	}
}

func TestRefusedScaleUps(t *testing.T) {
	refusal := func(kind error, code string) error {
		return fmt.Errorf("increase: %w", &cloudprovider.CloudError{Kind: kind, API: "ScaleWithAdjustment", Code: code})
	}
	for name, test := range map[string]struct {
		err  error
		want expander.Health
	}{
		"throttled":      {refusal(cloudprovider.ErrThrottled, "Throttling.User"), expander.Health{Throttled: expander.Incident{At: at(5), Code: "Throttling.User"}}},
		"never sent":     {fmt.Errorf("wait: %w", cloudprovider.ErrThrottled), expander.Health{Throttled: expander.Incident{At: at(5)}}},
		"out of stock":   {refusal(cloudprovider.ErrOutOfStock, "OperationDenied.NoStock"), expander.Health{OutOfStock: expander.Incident{At: at(5), Code: "OperationDenied.NoStock"}}},
		"quota":          {refusal(cloudprovider.ErrQuotaExceeded, "QuotaExceed"), expander.Health{OutOfStock: expander.Incident{At: at(5), Code: "QuotaExceed"}}},
		"something else": {errors.New("no route"), expander.Health{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := groupState{}.refused(test.err, at(5))
			assert.Equal(t, test.want, s.health.Health)
			assert.Zero(t, s.unthrottled().health.Throttled)
			assert.Equal(t, test.want.OutOfStock, s.unthrottled().health.OutOfStock)
		})
	}
}

// TestHealthIsBounded: what is remembered of removals does not outlive them.
func TestHealthIsBounded(t *testing.T) {
	s := groupState{}.asking([]string{"i-1"}, at(0)).asking([]string{"i-2"}, at(10))
	s = s.diagnosed(observation{}, observation{}, at(0).Add(departedTime))
	require.Len(t, s.health.asked, 2)
	s = s.diagnosed(observation{}, observation{}, at(0).Add(departedTime+time.Nanosecond))
	require.Len(t, s.health.asked, 1)
	assert.Contains(t, s.health.asked, "i-2")
}

func TestTransitionsOfHealthLeaveTheStateBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := groupState{}.asking([]string{"i-1"}, at(0))
		id := rapid.SampledFrom([]string{"i-1", "i-2"}).Draw(t, "id")
		_ = before.asking([]string{id}, at(9))
		_ = before.diagnosed(observation{}, observation{}, at(rapid.IntRange(0, 9999).Draw(t, "later")))
		assert.Equal(t, map[string]time.Time{"i-1": at(0)}, before.health.asked)
	})
}
