package cloudtest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
)

func protect(t *testing.T, a Account, on bool, ids ...string) error {
	t.Helper()
	return a.Cloud().ProtectInstances(t.Context(), cloudprovider.ProtectInstances{GroupID: "asg-a", InstanceIDs: ids, Protected: on})
}

// lifecycles are the states of a group's instances, by ID.
func lifecycles(t *testing.T, a Account) map[string]cloudprovider.Lifecycle {
	t.Helper()
	all, err := a.Cloud().Instances(t.Context(), "asg-a")
	require.NoError(t, err)
	out := map[string]cloudprovider.Lifecycle{}
	for _, i := range all {
		out[i.ID] = i.Lifecycle
	}
	return out
}

// exposed is a protection that has to fail and to protect none.
func exposed(name string, want error, choose func(ids []string) []string) conformance {
	return conformance{name, expected(0, 30, 3), func(t *testing.T, a Account) {
		_, ids := instancesOf(t, a, "asg-a")
		require.ErrorIs(t, protect(t, a, true, choose(ids)...), want)
		assert.Zero(t, only(t, a, "asg-a").Counters.Protected)
	}}
}

func protections() []conformance {
	return []conformance{
		{"the cloud chooses others", expected(0, 10, 3), func(t *testing.T, a Account) {
			_, ids := instancesOf(t, a, "asg-a")
			require.NoError(t, protect(t, a, true, ids[0]))
			require.NoError(t, protect(t, a, true, ids[0]), "twice is once")
			assert.Equal(t, cloudprovider.Protected, lifecycles(t, a)[ids[0]])
			_, err := a.Cloud().SetCapacity(t.Context(), cloudprovider.SetCapacity{GroupID: "asg-a", Total: 1, Token: "t1"})
			require.NoError(t, err)
			a.Advance(patience)
			_, left := instancesOf(t, a, "asg-a")
			assert.Equal(t, []string{ids[0]}, left)
		}},
		{"it is taken back", expected(0, 10, 3), func(t *testing.T, a Account) {
			_, ids := instancesOf(t, a, "asg-a")
			require.NoError(t, protect(t, a, true, ids...))
			require.NoError(t, protect(t, a, false, ids...))
			require.NoError(t, protect(t, a, false, ids...), "twice is once")
			for _, state := range lifecycles(t, a) {
				assert.Equal(t, cloudprovider.InService, state)
			}
		}},
		{"by its ID a protected instance is removed all the same", expected(0, 10, 3), func(t *testing.T, a Account) {
			_, ids := instancesOf(t, a, "asg-a")
			require.NoError(t, protect(t, a, true, ids[0]))
			await(t, a, "asg-a", remove(t, a, "t1", ids[0]))
			_, left := instancesOf(t, a, "asg-a")
			assert.Equal(t, ids[1:], left)
		}},
		exposed("one unknown ID rejects all", cloudprovider.ErrInstanceNotFound, func(ids []string) []string { return []string{ids[0], "i-unknown"} }),
		exposed("none", cloudprovider.ErrInvalidArgument, firstOf(0)),
		exposed("one twice", cloudprovider.ErrInvalidArgument, func(ids []string) []string { return []string{ids[0], ids[0]} }),
		{"one that is not in service", expected(0, 10, 3), func(t *testing.T, a Account) {
			_, ids := instancesOf(t, a, "asg-a")
			remove(t, a, "t1", ids[0])
			require.ErrorIs(t, protect(t, a, true, ids[0]), cloudprovider.ErrConflict)
		}},
	}
}
