package spot_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/nodegroups/spot"
)

var born = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)

func after(d time.Duration) *config.Duration {
	c := config.Duration(d)
	return &c
}

func TestClosed(t *testing.T) {
	const drain = 50 * time.Minute
	replace := config.Spot{OnReclaimNotice: config.ReclaimReplaced}
	draining := config.Spot{OnReclaimNotice: config.ReclaimReplaced, DrainAfter: after(drain)}
	ignoring := config.Spot{OnReclaimNotice: config.ReclaimIgnored, DrainAfter: after(drain)}
	told := born.Add(10 * time.Minute)
	for name, c := range map[string]struct {
		policy  config.Spot
		i       spot.Instance
		at      time.Duration
		want    spot.Reason
		opensAt time.Duration
	}{
		"without drainAfter for ever":                {replace, spot.Instance{Created: born}, 100 * time.Hour, "", 0},
		"a second before drainAfter":                 {draining, spot.Instance{Created: born}, drain - time.Second, "", 0},
		"at drainAfter":                              {draining, spot.Instance{Created: born}, drain, spot.Aged, drain},
		"a second after":                             {draining, spot.Instance{Created: born}, drain + time.Second, spot.Aged, drain},
		"past the protection":                        {draining, spot.Instance{Created: born}, 3 * time.Hour, spot.Aged, drain},
		"a notice, however young":                    {draining, spot.Instance{Created: born, Noticed: told}, 10 * time.Minute, spot.Noticed, 10 * time.Minute},
		"a notice outranks age":                      {draining, spot.Instance{Created: born, Noticed: told}, drain, spot.Noticed, 10 * time.Minute},
		"a notice closes where it is not replaced":   {config.Spot{OnReclaimNotice: config.ReclaimCordoned}, spot.Instance{Created: born, Noticed: told}, time.Hour, spot.Noticed, 10 * time.Minute},
		"an ignored notice":                          {ignoring, spot.Instance{Created: born, Noticed: told}, drain - time.Second, "", 0},
		"an ignored notice, and age":                 {ignoring, spot.Instance{Created: born, Noticed: told}, drain, spot.Aged, drain},
		"without a time of creation nothing is aged": {draining, spot.Instance{}, drain, "", 0},
		"created by a clock that is ahead":           {draining, spot.Instance{Created: born.Add(time.Minute)}, 0, "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			why, since := spot.Closed(c.policy, c.i, born.Add(c.at))
			assert.Equal(t, c.want, why)
			if c.want != "" {
				assert.Equal(t, born.Add(c.opensAt), since)
			} else {
				assert.Zero(t, since)
			}
		})
	}
}

func TestReplacement(t *testing.T) {
	for name, c := range map[string]struct {
		demand spot.Demand
		want   spot.Need
	}{
		"idle":                           {spot.Demand{Target: 3}, spot.NotNeeded},
		"a build runs":                   {spot.Demand{Target: 3, Running: 1}, spot.NeededRunning},
		"builds wait":                    {spot.Demand{Target: 3, Waiting: 2}, spot.NeededWaiting},
		"at the floor":                   {spot.Demand{Target: 3, Floor: 3}, spot.NeededForFloor},
		"below the floor":                {spot.Demand{Target: 2, Floor: 3}, spot.NeededForFloor},
		"one above the floor":            {spot.Demand{Target: 3, Floor: 2}, spot.NotNeeded},
		"nothing is kept at all":         {spot.Demand{}, spot.NotNeeded},
		"unseen":                         {spot.Demand{Target: 3, Unknown: true}, spot.NeededUnknown},
		"unseen, and at the floor":       {spot.Demand{Target: 3, Floor: 3, Unknown: true}, spot.NeededForFloor},
		"unseen outranks what was known": {spot.Demand{Target: 3, Unknown: true, Running: 1}, spot.NeededUnknown},
	} {
		t.Run(name, func(t *testing.T) { assert.Equal(t, c.want, c.demand.Replacement()) })
	}
}

// Whatever is drawn: a node that is closed by age stays closed, and more demand never
// makes a replacement less needed.
func TestPropertiesOfThePolicies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := config.Spot{OnReclaimNotice: rapid.SampledFrom([]config.OnReclaimNotice{
			config.ReclaimReplaced, config.ReclaimCordoned, config.ReclaimIgnored,
		}).Draw(t, "notice")}
		if rapid.Bool().Draw(t, "drains") {
			policy.DrainAfter = after(time.Duration(rapid.Int64Range(5*60, 3600).Draw(t, "after")) * time.Second)
		}
		i := spot.Instance{Created: born}
		if rapid.Bool().Draw(t, "noticed") {
			i.Noticed = born.Add(time.Duration(rapid.Int64Range(0, 7200).Draw(t, "at")) * time.Second)
		}
		now := born.Add(time.Duration(rapid.Int64Range(0, 7200).Draw(t, "now")) * time.Second)
		later := now.Add(time.Duration(rapid.Int64Range(0, 7200).Draw(t, "later")) * time.Second)
		if why, since := spot.Closed(policy, i, now); why != "" {
			again, sinceAgain := spot.Closed(policy, i, later)
			assert.Equal(t, why, again, "it opens by itself")
			assert.Equal(t, since, sinceAgain)
		}

		d := spot.Demand{
			Running: rapid.IntRange(0, 2).Draw(t, "running"), Waiting: rapid.IntRange(0, 2).Draw(t, "waiting"),
			Target: rapid.IntRange(1, 5).Draw(t, "target"), Floor: rapid.IntRange(0, 5).Draw(t, "floor"),
		}
		more := d
		more.Running, more.Waiting, more.Floor = d.Running+1, d.Waiting+1, d.Floor+1
		if d.Replacement() != spot.NotNeeded {
			assert.NotEqual(t, spot.NotNeeded, more.Replacement())
		}
	})
}
