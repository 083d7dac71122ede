package ess

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
)

// TestMissingGroupByErrorOrBySilence: the references do not agree on whether a group
// that is gone is an error or an empty list; both read the same here.
func TestMissingGroupByErrorOrBySilence(t *testing.T) {
	c, _ := scripted(t, nil, errorAnswer(404, "InvalidScalingGroupId.NotFound"))
	groups, err := c.Groups(t.Context(), []string{"asg-gone"})
	require.NoError(t, err)
	assert.Empty(t, groups)
	instances, err := c.Instances(t.Context(), "asg-gone")
	require.NoError(t, err)
	assert.Empty(t, instances)
	activities, err := c.Activities(t.Context(), "asg-gone")
	require.NoError(t, err)
	assert.Empty(t, activities)
}

// TestFailedReadIsNotAnEmptyOne: an error must never look like an account without
// groups, after which everything in it would be given up.
func TestFailedReadIsNotAnEmptyOne(t *testing.T) {
	for _, r := range []reply{errorAnswer(403, "Forbidden.RAM"), errorAnswer(400, "InvalidParameter")} {
		c, _ := scripted(t, nil, r)
		groups, err := c.Groups(t.Context(), []string{"asg-a", "asg-b"})
		require.Error(t, err)
		assert.Nil(t, groups)
		groups, err = c.GroupsByTags(t.Context(), map[string]string{"a": "b"})
		require.Error(t, err)
		assert.Nil(t, groups)
		instances, err := c.Instances(t.Context(), "asg-a")
		require.Error(t, err)
		assert.Nil(t, instances)
		activities, err := c.Activities(t.Context(), "asg-a")
		require.Error(t, err)
		assert.Nil(t, activities)
	}
}

// TestRefusedBeforeItCosts: what cannot be right is not sent.
func TestRefusedBeforeItCosts(t *testing.T) {
	c, s := scripted(t, nil, accepted)
	for name, call := range map[string]func() error{
		"instances of no group": func() error { _, err := c.Instances(t.Context(), ""); return err },
		"activities of no group": func() error {
			_, err := c.Activities(t.Context(), "")
			return err
		},
		"all groups, by no tags": func() error { _, err := c.GroupsByTags(t.Context(), nil); return err },
		"a write to no group": func() error {
			_, err := c.SetCapacity(t.Context(), cloudprovider.SetCapacity{Total: 1, Token: "t"})
			return err
		},
		"a token with a blank": func() error {
			_, err := c.SetCapacity(t.Context(), cloudprovider.SetCapacity{GroupID: "asg-a", Total: 1, Token: "a b"})
			return err
		},
		"a token that is not ASCII": func() error {
			_, err := c.RemoveInstances(t.Context(), cloudprovider.RemoveInstances{GroupID: "asg-a", InstanceIDs: []string{"i-a"}, Token: "tökn"})
			return err
		},
		"an instance without an ID": func() error {
			_, err := c.RemoveInstances(t.Context(), cloudprovider.RemoveInstances{GroupID: "asg-a", InstanceIDs: []string{"i-a", ""}, Token: "t"})
			return err
		},
	} {
		require.ErrorIs(t, call(), cloudprovider.ErrInvalidArgument, name)
	}
	assert.Zero(t, s.attempts())
}
