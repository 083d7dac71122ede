package ess

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
)

// A hundred and twenty activities, ten minutes apart: what is asked for comes whole, and
// is read no further back than it has to be.
func TestActivitiesSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		groups, _ := groupIDs(1, 0)
		groups[0].Max = 200
		a := simulate(t, groups, clock.RealClock{}, inProcess)
		const count = 120
		var ids []string
		for n := range count {
			id, err := a.cloud.SetCapacity(t.Context(), cloudprovider.SetCapacity{GroupID: "asg-000", Total: n + 1, Token: fmt.Sprint("t", n)})
			require.NoError(t, err)
			ids = append(ids, id)
			a.advance(10 * time.Minute)
		}
		for name, c := range map[string]struct {
			ago         time.Duration
			found, most int
		}{
			"all":                 {30 * time.Hour, count, 3},
			"the last two hours":  {2 * time.Hour, 12, 1},
			"over the first page": {9 * time.Hour, 54, 2},
		} {
			a.sim.ForgetCalls()
			activities, err := a.cloud.ActivitiesSince(t.Context(), "asg-000", clock.RealClock{}.Now().Add(-c.ago))
			require.NoError(t, err)
			assert.InDelta(t, c.found, len(activities), 1, name)
			assert.LessOrEqual(t, a.sim.Calls()["DescribeScalingActivities"], c.most, name)
			assert.Equal(t, ids[count-1], activities[0].ID, "newest first")
			seen := map[string]bool{}
			for _, found := range activities {
				assert.False(t, seen[found.ID], "%s: twice", name)
				seen[found.ID] = true
			}
		}
		none, err := a.cloud.ActivitiesSince(t.Context(), "asg-unknown", time.Time{})
		require.NoError(t, err)
		assert.Empty(t, none)
		_, err = a.cloud.ActivitiesSince(t.Context(), "", time.Time{})
		require.ErrorIs(t, err, cloudprovider.ErrInvalidArgument)
	})
}
