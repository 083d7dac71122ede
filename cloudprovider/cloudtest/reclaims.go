package cloudtest

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
)

// spotGroup holds so many spot instances.
func spotGroup(running int, expectedNumber bool) []Group {
	return []Group{{ID: "asg-a", Max: running + 10, Running: running, ExpectedNumberMode: expectedNumber, Spot: true}}
}

func noticesOf(t *testing.T, a Account, ids ...string) []string {
	t.Helper()
	noticed, err := a.Cloud().ReclaimNotices(t.Context(), ids)
	require.NoError(t, err)
	slices.Sort(noticed)
	return noticed
}

func noticeReads() []conformance {
	return []conformance{
		{"of none", expected(0, 1, 0), func(t *testing.T, a Account) {
			assert.Empty(t, noticesOf(t, a))
		}},
		{"of instances that do not exist", expected(0, 1, 0), func(t *testing.T, a Account) {
			assert.Empty(t, noticesOf(t, a, "i-unknown", "i-gone"))
		}},
		{"from the notice until the instance is gone", spotGroup(3, true), func(t *testing.T, a Account) {
			_, ids := instancesOf(t, a, "asg-a")
			assert.Empty(t, noticesOf(t, a, ids...))
			a.Reclaim(t, ids[1], 5*time.Minute)
			assert.Equal(t, []string{ids[1]}, noticesOf(t, a, ids...))
			assert.Empty(t, noticesOf(t, a, ids[0], ids[2]), "nobody else's")
			a.Advance(6 * time.Minute)
			assert.Empty(t, noticesOf(t, a, ids...))
		}},
		{"among more instances than a call takes", spotGroup(250, true), func(t *testing.T, a Account) {
			_, ids := instancesOf(t, a, "asg-a")
			want := []string{ids[0], ids[99], ids[100], ids[249]}
			for _, id := range want {
				a.Reclaim(t, id, 5*time.Minute)
			}
			assert.Equal(t, want, noticesOf(t, a, append(ids, ids...)...))
		}},
	}
}

// detach writes and expects it to be accepted.
func detach(t *testing.T, a Account, token string, ids ...string) string {
	t.Helper()
	id, err := a.Cloud().DetachInstances(t.Context(), cloudprovider.DetachInstances{GroupID: "asg-a", InstanceIDs: ids, Token: token})
	require.NoError(t, err)
	require.NotEmpty(t, id)
	return id
}

// stays is a parting that has to fail and to leave all as it is.
func stays(name string, groups []Group, token string, want error, choose func(ids []string) []string) conformance {
	return conformance{name, groups, func(t *testing.T, a Account) {
		before, ids := instancesOf(t, a, "asg-a")
		_, err := a.Cloud().DetachInstances(t.Context(), cloudprovider.DetachInstances{GroupID: "asg-a", InstanceIDs: choose(ids), Token: token})
		require.ErrorIs(t, err, want)
		after, _ := instancesOf(t, a, "asg-a")
		assert.Equal(t, before, after)
	}}
}

func partings() []conformance {
	return []conformance{
		{"the number stays and another is created", spotGroup(3, true), func(t *testing.T, a Account) {
			_, ids := instancesOf(t, a, "asg-a")
			a.Reclaim(t, ids[0], 5*time.Minute)
			done := await(t, a, "asg-a", detach(t, a, "t1", ids[0]))
			assert.Equal(t, cloudprovider.ActivitySuccessful, done.Status)
			assert.True(t, done.Detaches)
			assert.Empty(t, done.Removed)
			assert.Equal(t, []string{ids[0]}, noticesOf(t, a, ids[0]), "it runs on")
			assert.Equal(t, 3, only(t, a, "asg-a").Desired)
			a.Advance(10 * time.Minute)
			_, now := instancesOf(t, a, "asg-a")
			require.Len(t, now, 3, "and its end changes nothing")
			assert.NotContains(t, now, ids[0])
			assert.Subset(t, now, ids[1:])
			assert.Equal(t, 3, only(t, a, "asg-a").Desired)
		}},
		{"a classic group is one short", spotGroup(3, false), func(t *testing.T, a Account) {
			_, ids := instancesOf(t, a, "asg-a")
			detach(t, a, "t1", ids[0])
			a.Advance(10 * time.Minute)
			_, left := instancesOf(t, a, "asg-a")
			assert.Equal(t, ids[1:], left)
		}},
		{"the same token has no second effect", spotGroup(3, true), func(t *testing.T, a Account) {
			_, ids := instancesOf(t, a, "asg-a")
			assert.Equal(t, detach(t, a, "t1", ids[0]), detach(t, a, "t1", ids[0]))
		}},
		{"a removal is none", expected(0, 10, 3), func(t *testing.T, a Account) {
			_, ids := instancesOf(t, a, "asg-a")
			assert.False(t, await(t, a, "asg-a", remove(t, a, "t1", ids[0])).Detaches)
		}},
		stays("one unknown ID rejects all", spotGroup(2, true), "t1", cloudprovider.ErrInstanceNotFound,
			func(ids []string) []string { return []string{ids[0], "i-unknown"} }),
		stays("none", spotGroup(2, true), "t1", cloudprovider.ErrInvalidArgument, firstOf(0)),
		stays("without a token", spotGroup(2, true), "", cloudprovider.ErrInvalidArgument, firstOf(1)),
	}
}
