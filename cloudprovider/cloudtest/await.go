package cloudtest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
)

const (
	step = 5 * time.Second
	// patience is how much of the account's time an activity may take.
	patience = 30 * time.Minute
)

// await returns the activity when it is over.
func await(t *testing.T, a Account, groupID, activityID string) cloudprovider.Activity {
	t.Helper()
	for waited := time.Duration(0); waited < patience; waited += step {
		act := find(t, a, groupID, activityID)
		if act.Status != cloudprovider.ActivityInProgress {
			return act
		}
		a.Advance(step)
	}
	require.Fail(t, "the activity does not end", "%s of %s within %v", activityID, groupID, patience)
	return cloudprovider.Activity{}
}

// find returns the activity as it is now.
func find(t *testing.T, a Account, groupID, activityID string) cloudprovider.Activity {
	t.Helper()
	activities, err := a.Cloud().Activities(t.Context(), groupID)
	require.NoError(t, err)
	for _, act := range activities {
		if act.ID == activityID {
			return act
		}
	}
	require.Fail(t, "no such activity", "%s of %s", activityID, groupID)
	return cloudprovider.Activity{}
}

// only returns the one group.
func only(t *testing.T, a Account, id string) cloudprovider.ScalingGroup {
	t.Helper()
	groups, err := a.Cloud().Groups(t.Context(), []string{id})
	require.NoError(t, err)
	require.Len(t, groups, 1)
	require.Equal(t, id, groups[0].ID)
	return groups[0]
}

// instancesOf returns the group's instances and their IDs.
func instancesOf(t *testing.T, a Account, groupID string) (instances []cloudprovider.Instance, ids []string) {
	t.Helper()
	instances, err := a.Cloud().Instances(t.Context(), groupID)
	require.NoError(t, err)
	for _, i := range instances {
		ids = append(ids, i.ID)
	}
	return instances, ids
}

// setCapacity writes and expects it to be accepted.
func setCapacity(t *testing.T, a Account, w cloudprovider.SetCapacity) string {
	t.Helper()
	id, err := a.Cloud().SetCapacity(t.Context(), w)
	require.NoError(t, err)
	require.NotEmpty(t, id)
	return id
}

// expected is the group most tests use: in expected-number mode.
func expected(minimum, maximum, running int) []Group {
	return []Group{{ID: "asg-a", Min: minimum, Max: maximum, Running: running, ExpectedNumberMode: true}}
}

// classic is a group without an expected number.
func classic(minimum, maximum, running int) []Group {
	return []Group{{ID: "asg-a", Min: minimum, Max: maximum, Running: running}}
}
