package cloudtest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
)

// refused is a capacity write that has to fail with an error.
func refused(name string, groups []Group, w cloudprovider.SetCapacity, want error) conformance {
	return conformance{name, groups, func(t *testing.T, a Account) {
		id, err := a.Cloud().SetCapacity(t.Context(), w)
		require.ErrorIs(t, err, want)
		assert.Empty(t, id)
	}}
}

func capacityWrites() []conformance {
	return []conformance{
		{"is absolute", expected(0, 10, 2), func(t *testing.T, a Account) {
			first := setCapacity(t, a, cloudprovider.SetCapacity{GroupID: "asg-a", Total: 5, Token: "t1"})
			assert.Equal(t, 5, only(t, a, "asg-a").Desired)
			// At once again: from what is wanted, not from what is stable by now.
			second := setCapacity(t, a, cloudprovider.SetCapacity{GroupID: "asg-a", Total: 6, Token: "t2"})
			assert.NotEqual(t, first, second)
			await(t, a, "asg-a", first)
			await(t, a, "asg-a", second)
			_, ids := instancesOf(t, a, "asg-a")
			assert.Len(t, ids, 6)
		}},
		{"is clamped to max", expected(0, 4, 2), func(t *testing.T, a Account) {
			setCapacity(t, a, cloudprovider.SetCapacity{GroupID: "asg-a", Total: 5, Token: "t1"})
			assert.Equal(t, 4, only(t, a, "asg-a").Desired)
		}},
		{"is clamped to min", expected(2, 4, 3), func(t *testing.T, a Account) {
			setCapacity(t, a, cloudprovider.SetCapacity{GroupID: "asg-a", Total: 1, Token: "t1"})
			assert.Equal(t, 2, only(t, a, "asg-a").Desired)
		}},
		{"adds in a classic group", classic(0, 4, 1), func(t *testing.T, a Account) {
			activity := setCapacity(t, a, cloudprovider.SetCapacity{GroupID: "asg-a", Total: 3, Token: "t1"})
			done := await(t, a, "asg-a", activity)
			assert.Equal(t, cloudprovider.ActivitySuccessful, done.Status)
			assert.Len(t, done.Created, 2)
			assert.Equal(t, 3, only(t, a, "asg-a").Desired)
		}},
		{"with the same token has no second effect", expected(0, 10, 0), func(t *testing.T, a Account) {
			w := cloudprovider.SetCapacity{GroupID: "asg-a", Total: 2, Token: "t1"}
			first := setCapacity(t, a, w)
			await(t, a, "asg-a", first)
			setCapacity(t, a, cloudprovider.SetCapacity{GroupID: "asg-a", Total: 3, Token: "t2"})
			assert.Equal(t, first, setCapacity(t, a, w))
			assert.Equal(t, 3, only(t, a, "asg-a").Desired, "an old token takes nothing back")
		}},
		{"with the same token for something else", expected(0, 10, 0), func(t *testing.T, a Account) {
			setCapacity(t, a, cloudprovider.SetCapacity{GroupID: "asg-a", Total: 2, Token: "t1"})
			_, err := a.Cloud().SetCapacity(t.Context(), cloudprovider.SetCapacity{GroupID: "asg-a", Total: 3, Token: "t1"})
			require.ErrorIs(t, err, cloudprovider.ErrInvalidArgument)
			assert.Equal(t, 2, only(t, a, "asg-a").Desired)
		}},
		{"while a classic group is busy", classic(0, 4, 0), func(t *testing.T, a Account) {
			running := setCapacity(t, a, cloudprovider.SetCapacity{GroupID: "asg-a", Total: 1, Token: "t1"})
			_, err := a.Cloud().SetCapacity(t.Context(), cloudprovider.SetCapacity{GroupID: "asg-a", Total: 2, Token: "t2"})
			require.ErrorIs(t, err, cloudprovider.ErrConflict)
			await(t, a, "asg-a", running)
			setCapacity(t, a, cloudprovider.SetCapacity{GroupID: "asg-a", Total: 2, Token: "t2"})
		}},
		refused("to what it already is", expected(0, 4, 2), cloudprovider.SetCapacity{GroupID: "asg-a", Total: 2, Token: "t1"}, cloudprovider.ErrNoChange),
		refused("of a group at its max", expected(0, 4, 4), cloudprovider.SetCapacity{GroupID: "asg-a", Total: 5, Token: "t1"}, cloudprovider.ErrNoChange),
		refused("of an unknown group", expected(0, 4, 0), cloudprovider.SetCapacity{GroupID: "asg-unknown", Total: 1, Token: "t1"}, cloudprovider.ErrGroupNotFound),
		refused("of an inactive group", []Group{{ID: "asg-a", Max: 4, Inactive: true}}, cloudprovider.SetCapacity{GroupID: "asg-a", Total: 1, Token: "t1"}, cloudprovider.ErrGroupInactive),
		refused("below nothing", expected(0, 4, 1), cloudprovider.SetCapacity{GroupID: "asg-a", Total: -1, Token: "t1"}, cloudprovider.ErrInvalidArgument),
		refused("beyond what a group can have", expected(0, 4, 1), cloudprovider.SetCapacity{GroupID: "asg-a", Total: 2001, Token: "t1"}, cloudprovider.ErrInvalidArgument),
		refused("without a token", expected(0, 4, 1), cloudprovider.SetCapacity{GroupID: "asg-a", Total: 2}, cloudprovider.ErrInvalidArgument),
		refused("with a token too long", expected(0, 4, 1), cloudprovider.SetCapacity{GroupID: "asg-a", Total: 2, Token: strings.Repeat("t", 65)}, cloudprovider.ErrInvalidArgument),
		{"with the longest token", expected(0, 4, 1), func(t *testing.T, a Account) {
			setCapacity(t, a, cloudprovider.SetCapacity{GroupID: "asg-a", Total: 2, Token: strings.Repeat("t", 64)})
		}},
	}
}
