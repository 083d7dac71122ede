package cloudtest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
)

func instanceReads() []conformance {
	return []conformance{
		{"a group that does not exist has none", expected(0, 1, 0), func(t *testing.T, a Account) {
			instances, err := a.Cloud().Instances(t.Context(), "asg-unknown")
			require.NoError(t, err)
			assert.Empty(t, instances)
		}},
		{"an empty group has none", expected(0, 1, 0), func(t *testing.T, a Account) {
			instances, _ := instancesOf(t, a, "asg-a")
			assert.Empty(t, instances)
		}},
		{"more than two pages, each once, ordered", expected(0, 300, 250), func(t *testing.T, a Account) {
			_, ids := instancesOf(t, a, "asg-a")
			assert.Len(t, ids, 250)
			assert.True(t, slices.IsSorted(ids))
			assert.Len(t, slices.Compact(ids), 250)
		}},
		{"exactly one page", expected(0, 300, 100), func(t *testing.T, a Account) {
			_, ids := instancesOf(t, a, "asg-a")
			assert.Len(t, ids, 100)
		}},
		{"an instance that runs", expected(0, 1, 1), func(t *testing.T, a Account) {
			instances, _ := instancesOf(t, a, "asg-a")
			require.Len(t, instances, 1)
			i := instances[0]
			assert.Equal(t, "asg-a", i.GroupID)
			assert.Equal(t, cloudprovider.InService, i.Lifecycle)
			assert.True(t, i.Healthy)
			assert.True(t, i.AutoCreated)
			assert.False(t, i.Spot)
			assert.Equal(t, InstanceType, i.Type)
			assert.Equal(t, Zone, i.Zone)
			assert.False(t, i.Created.IsZero())
		}},
		{"an instance that is being created", expected(0, 1, 0), func(t *testing.T, a Account) {
			activity := setCapacity(t, a, cloudprovider.SetCapacity{GroupID: "asg-a", Total: 1, Token: "t1"})
			instances, _ := instancesOf(t, a, "asg-a")
			require.Len(t, instances, 1)
			assert.Equal(t, cloudprovider.Pending, instances[0].Lifecycle)
			assert.Equal(t, activity, instances[0].ActivityID)
			assert.Equal(t, cloudprovider.Counters{Total: 1, Pending: 1}, only(t, a, "asg-a").Counters)
		}},
		{"a spot instance", []Group{{ID: "asg-a", Max: 1, Running: 1, ExpectedNumberMode: true, Spot: true}}, func(t *testing.T, a Account) {
			instances, _ := instancesOf(t, a, "asg-a")
			require.Len(t, instances, 1)
			assert.True(t, instances[0].Spot)
		}},
	}
}
