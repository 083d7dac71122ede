package cloudtest

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
)

// many returns n groups with the tags, and their IDs.
func many(n int, tags map[string]string) (groups []Group, ids []string) {
	for i := range n {
		id := fmt.Sprintf("asg-%03d", i)
		ids = append(ids, id)
		groups = append(groups, Group{ID: id, Max: 10, ExpectedNumberMode: true, Tags: tags})
	}
	return groups, ids
}

func idsOf(groups []cloudprovider.ScalingGroup) (ids []string) {
	for _, g := range groups {
		ids = append(ids, g.ID)
	}
	return ids
}

func groupReads() []conformance {
	manyGroups, manyIDs := many(45, nil)
	tagged, taggedIDs := many(55, map[string]string{"buildpool": "yes", "team": "ci"})
	tagged = append(tagged, Group{ID: "asg-other", Max: 1, Tags: map[string]string{"buildpool": "yes"}})
	return []conformance{
		{"nothing asked, nothing read", expected(0, 1, 0), func(t *testing.T, a Account) {
			groups, err := a.Cloud().Groups(t.Context(), nil)
			require.NoError(t, err)
			assert.Empty(t, groups)
		}},
		{"an unknown group is left out", expected(0, 1, 0), func(t *testing.T, a Account) {
			groups, err := a.Cloud().Groups(t.Context(), []string{"asg-unknown", "asg-a"})
			require.NoError(t, err)
			assert.Equal(t, []string{"asg-a"}, idsOf(groups))
		}},
		{"only unknown groups are no error", expected(0, 1, 0), func(t *testing.T, a Account) {
			groups, err := a.Cloud().Groups(t.Context(), []string{"asg-unknown"})
			require.NoError(t, err)
			assert.Empty(t, groups)
		}},
		{"more groups than a call returns", manyGroups, func(t *testing.T, a Account) {
			groups, err := a.Cloud().Groups(t.Context(), manyIDs)
			require.NoError(t, err)
			assert.ElementsMatch(t, manyIDs, idsOf(groups))
		}},
		{"more tagged groups than a page holds", tagged, func(t *testing.T, a Account) {
			groups, err := a.Cloud().GroupsByTags(t.Context(), map[string]string{"buildpool": "yes", "team": "ci"})
			require.NoError(t, err)
			assert.ElementsMatch(t, taggedIDs, idsOf(groups))
			assert.Equal(t, map[string]string{"buildpool": "yes", "team": "ci"}, groups[0].Tags)
		}},
		{"tags that no group carries", tagged, func(t *testing.T, a Account) {
			groups, err := a.Cloud().GroupsByTags(t.Context(), map[string]string{"buildpool": "no"})
			require.NoError(t, err)
			assert.Empty(t, groups)
		}},
		{"a group in expected-number mode", expected(1, 9, 3), func(t *testing.T, a Account) {
			g := only(t, a, "asg-a")
			assert.Equal(t, cloudprovider.GroupActive, g.Lifecycle)
			assert.True(t, g.ExpectedNumberMode)
			assert.Equal(t, []int{1, 9, 3}, []int{g.Min, g.Max, g.Desired})
			assert.Equal(t, cloudprovider.Counters{Total: 3, Active: 3}, g.Counters)
			assert.NotEmpty(t, g.Region)
			assert.NotEmpty(t, g.VSwitchIDs)
			assert.NotEmpty(t, g.ScalingConfigurationID)
		}},
		{"a classic group wants what it has", classic(0, 9, 3), func(t *testing.T, a Account) {
			g := only(t, a, "asg-a")
			assert.False(t, g.ExpectedNumberMode)
			assert.Equal(t, 3, g.Desired)
		}},
		{"an inactive group is shown", []Group{{ID: "asg-a", Max: 1, Inactive: true}}, func(t *testing.T, a Account) {
			assert.Equal(t, cloudprovider.GroupInactive, only(t, a, "asg-a").Lifecycle)
		}},
	}
}
