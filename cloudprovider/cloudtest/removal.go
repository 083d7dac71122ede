package cloudtest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
)

// remove writes and expects it to be accepted.
func remove(t *testing.T, a Account, token string, ids ...string) string {
	t.Helper()
	id, err := a.Cloud().RemoveInstances(t.Context(), cloudprovider.RemoveInstances{GroupID: "asg-a", InstanceIDs: ids, Token: token})
	require.NoError(t, err)
	require.NotEmpty(t, id)
	return id
}

// keeps is a removal that has to fail with an error and to leave all as it is.
func keeps(name string, groups []Group, token string, want error, choose func(ids []string) []string) conformance {
	return conformance{name, groups, func(t *testing.T, a Account) {
		before, ids := instancesOf(t, a, "asg-a")
		id, err := a.Cloud().RemoveInstances(t.Context(), cloudprovider.RemoveInstances{GroupID: "asg-a", InstanceIDs: choose(ids), Token: token})
		require.ErrorIs(t, err, want)
		assert.Empty(t, id)
		after, _ := instancesOf(t, a, "asg-a")
		assert.Equal(t, before, after)
	}}
}

func firstOf(n int) func([]string) []string { return func(ids []string) []string { return ids[:n] } }

func removals() []conformance {
	return []conformance{
		{"removes exactly these and lowers the desired number", expected(0, 10, 5), func(t *testing.T, a Account) {
			_, ids := instancesOf(t, a, "asg-a")
			activity := remove(t, a, "t1", ids[1], ids[3])
			assert.Equal(t, 3, only(t, a, "asg-a").Desired)
			done := await(t, a, "asg-a", activity)
			assert.Equal(t, cloudprovider.ActivitySuccessful, done.Status)
			assert.Equal(t, -2, done.Requested)
			assert.ElementsMatch(t, []string{ids[1], ids[3]}, done.Removed)
			_, left := instancesOf(t, a, "asg-a")
			assert.Equal(t, []string{ids[0], ids[2], ids[4]}, left)
			a.Advance(patience)
			assert.Equal(t, 3, only(t, a, "asg-a").Counters.Total, "nothing comes back")
		}},
		{"as many as a call takes", expected(0, 30, 25), func(t *testing.T, a Account) {
			_, ids := instancesOf(t, a, "asg-a")
			await(t, a, "asg-a", remove(t, a, "t1", ids[:cloudprovider.MaxRemove]...))
			_, left := instancesOf(t, a, "asg-a")
			assert.Equal(t, ids[cloudprovider.MaxRemove:], left)
		}},
		{"down to min", expected(2, 10, 3), func(t *testing.T, a Account) {
			_, ids := instancesOf(t, a, "asg-a")
			remove(t, a, "t1", ids[0])
			assert.Equal(t, 2, only(t, a, "asg-a").Desired)
		}},
		{"from a classic group", classic(0, 10, 2), func(t *testing.T, a Account) {
			_, ids := instancesOf(t, a, "asg-a")
			await(t, a, "asg-a", remove(t, a, "t1", ids[0]))
			assert.Equal(t, 1, only(t, a, "asg-a").Desired)
		}},
		{"with the same token has no second effect", expected(0, 10, 3), func(t *testing.T, a Account) {
			_, ids := instancesOf(t, a, "asg-a")
			first := remove(t, a, "t1", ids[0])
			assert.Equal(t, first, remove(t, a, "t1", ids[0]))
			await(t, a, "asg-a", first)
			assert.Equal(t, first, remove(t, a, "t1", ids[0]), "even when the instance is gone")
			assert.Equal(t, 2, only(t, a, "asg-a").Desired)
		}},
		{"with the same token for another instance", expected(0, 10, 3), func(t *testing.T, a Account) {
			_, ids := instancesOf(t, a, "asg-a")
			remove(t, a, "t1", ids[0])
			_, err := a.Cloud().RemoveInstances(t.Context(), cloudprovider.RemoveInstances{GroupID: "asg-a", InstanceIDs: ids[1:2], Token: "t1"})
			require.ErrorIs(t, err, cloudprovider.ErrInvalidArgument)
			assert.Equal(t, 2, only(t, a, "asg-a").Desired)
		}},
		{"from an inactive group", []Group{{ID: "asg-a", Max: 4, Inactive: true}}, func(t *testing.T, a Account) {
			_, err := a.Cloud().RemoveInstances(t.Context(), cloudprovider.RemoveInstances{GroupID: "asg-a", InstanceIDs: []string{"i-a"}, Token: "t1"})
			require.ErrorIs(t, err, cloudprovider.ErrGroupInactive)
		}},
		{"from an unknown group", expected(0, 4, 0), func(t *testing.T, a Account) {
			_, err := a.Cloud().RemoveInstances(t.Context(), cloudprovider.RemoveInstances{GroupID: "asg-unknown", InstanceIDs: []string{"i-a"}, Token: "t1"})
			require.ErrorIs(t, err, cloudprovider.ErrGroupNotFound)
		}},
		{"stops those to be kept, and starts them first", []Group{{ID: "asg-a", Max: 10, Running: 3, ExpectedNumberMode: true, Recycles: true}}, func(t *testing.T, a Account) {
			before, ids := instancesOf(t, a, "asg-a")
			require.True(t, only(t, a, "asg-a").Recycles)
			stop := cloudprovider.RemoveInstances{GroupID: "asg-a", InstanceIDs: ids[1:], Keep: true, Token: "t1"}
			activity, err := a.Cloud().RemoveInstances(t.Context(), stop)
			require.NoError(t, err)
			done := await(t, a, "asg-a", activity)
			assert.ElementsMatch(t, ids[1:], done.Removed)
			assert.Equal(t, -2, done.Requested)
			g := only(t, a, "asg-a")
			assert.Equal(t, []int{1, 1, 2}, []int{g.Desired, g.Counters.Active, g.Counters.Stopped})
			now, same := instancesOf(t, a, "asg-a")
			assert.Equal(t, ids, same)
			assert.Equal(t, cloudprovider.Stopped, now[1].Lifecycle)

			stop.InstanceIDs, stop.Token = ids[1:2], "t2"
			_, err = a.Cloud().RemoveInstances(t.Context(), stop)
			require.ErrorIs(t, err, cloudprovider.ErrConflict, "it is stopped")
			done = await(t, a, "asg-a", setCapacity(t, a, cloudprovider.SetCapacity{GroupID: "asg-a", Total: 4, Token: "t3"}))
			assert.Equal(t, 3, done.Requested)
			assert.Len(t, done.Created, 3)
			assert.Subset(t, done.Created, ids[1:], "started, under their IDs")
			now, _ = instancesOf(t, a, "asg-a")
			require.Len(t, now, 4)
			for _, i := range before {
				for _, again := range now {
					if again.ID == i.ID {
						assert.Equal(t, i.Created, again.Created, "when it was created once")
					}
				}
			}
			await(t, a, "asg-a", remove(t, a, "t4", ids[1]))
			_, left := instancesOf(t, a, "asg-a")
			assert.NotContains(t, left, ids[1], "released, where it is not said to be kept")
		}},
		{"keeps none of a group that releases", expected(0, 10, 2), func(t *testing.T, a Account) {
			_, ids := instancesOf(t, a, "asg-a")
			_, err := a.Cloud().RemoveInstances(t.Context(), cloudprovider.RemoveInstances{GroupID: "asg-a", InstanceIDs: ids[:1], Keep: true, Token: "t1"})
			require.ErrorIs(t, err, cloudprovider.ErrInvalidArgument)
			assert.Equal(t, 2, only(t, a, "asg-a").Desired)
		}},
		keeps("one unknown ID rejects all", expected(0, 10, 3), "t1", cloudprovider.ErrInstanceNotFound,
			func(ids []string) []string { return []string{ids[0], "i-unknown"} }),
		keeps("below min", expected(2, 10, 3), "t1", cloudprovider.ErrBelowMin, firstOf(2)),
		keeps("more than a call takes", expected(0, 30, 25), "t1", cloudprovider.ErrInvalidArgument, firstOf(cloudprovider.MaxRemove+1)),
		keeps("none", expected(0, 30, 1), "t1", cloudprovider.ErrInvalidArgument, firstOf(0)),
		keeps("one twice", expected(0, 30, 2), "t1", cloudprovider.ErrInvalidArgument,
			func(ids []string) []string { return []string{ids[0], ids[0]} }),
		keeps("without a token", expected(0, 30, 2), "", cloudprovider.ErrInvalidArgument, firstOf(1)),
		{"of all, call by call", expected(0, 60, 45), func(t *testing.T, a Account) {
			_, ids := instancesOf(t, a, "asg-a")
			for n := 0; len(ids) > 0; n++ {
				chunk := ids[:min(cloudprovider.MaxRemove, len(ids))]
				remove(t, a, fmt.Sprint("t", n), chunk...)
				ids = ids[len(chunk):]
			}
			a.Advance(patience)
			g := only(t, a, "asg-a")
			assert.Zero(t, g.Desired)
			assert.Zero(t, g.Counters.Total)
		}},
	}
}
