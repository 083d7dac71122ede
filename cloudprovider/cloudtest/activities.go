package cloudtest

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
)

func activityReads() []conformance {
	return []conformance{
		{"a group that does not exist has none", expected(0, 1, 0), func(t *testing.T, a Account) {
			activities, err := a.Cloud().Activities(t.Context(), "asg-unknown")
			require.NoError(t, err)
			assert.Empty(t, activities)
		}},
		{"tells what it does and then what it did", expected(0, 10, 1), func(t *testing.T, a Account) {
			id := setCapacity(t, a, cloudprovider.SetCapacity{GroupID: "asg-a", Total: 3, Token: "t1", Metadata: "by:buildpool"})
			running := find(t, a, "asg-a", id)
			assert.Equal(t, cloudprovider.ActivityInProgress, running.Status)
			assert.Equal(t, "asg-a", running.GroupID)
			assert.Equal(t, 2, running.Requested)
			assert.Equal(t, "by:buildpool", running.Metadata)
			assert.False(t, running.Started.IsZero())
			assert.True(t, running.Ended.IsZero())
			assert.Nil(t, running.Failure)
			done := await(t, a, "asg-a", id)
			assert.Equal(t, cloudprovider.ActivitySuccessful, done.Status)
			assert.Equal(t, 2, done.Requested)
			assert.Len(t, done.Created, 2)
			assert.Empty(t, done.Removed)
			assert.False(t, done.Ended.IsZero())
			assert.Nil(t, done.Failure)
		}},
		{"a stock-out is a failure with class and code", classic(0, 10, 0), func(t *testing.T, a Account) {
			stockOut(t, a)
		}},
		{"a stock-out in expected-number mode", expected(0, 10, 0), func(t *testing.T, a Account) {
			stockOut(t, a)
			assert.Equal(t, 2, only(t, a, "asg-a").Desired, "the cloud goes on wanting them")
			a.Restock(t)
			a.Advance(patience)
			assert.Equal(t, 2, only(t, a, "asg-a").Counters.Total, "and makes them when it can")
		}},
		{"lowering the desired number ends a stock-out", expected(0, 10, 0), func(t *testing.T, a Account) {
			stockOut(t, a)
			setCapacity(t, a, cloudprovider.SetCapacity{GroupID: "asg-a", Total: 0, Token: "t2"})
			a.Restock(t)
			a.Advance(patience)
			assert.Zero(t, only(t, a, "asg-a").Counters.Total)
		}},
		{"the latest, newest first", expected(0, 100, 0), func(t *testing.T, a Account) {
			var latest string
			for n := range 55 {
				latest = setCapacity(t, a, cloudprovider.SetCapacity{GroupID: "asg-a", Total: n + 1, Token: fmt.Sprint("t", n)})
				a.Advance(2 * time.Minute)
			}
			activities, err := a.Cloud().Activities(t.Context(), "asg-a")
			require.NoError(t, err)
			require.Len(t, activities, 50)
			assert.Equal(t, latest, activities[0].ID)
			assert.True(t, slices.IsSortedFunc(activities, func(x, y cloudprovider.Activity) int { return y.Started.Compare(x.Started) }))
		}},
	}
}

// stockOut asks for two instances that the account cannot give.
func stockOut(t *testing.T, a Account) {
	t.Helper()
	a.StockOut(t)
	id := setCapacity(t, a, cloudprovider.SetCapacity{GroupID: "asg-a", Total: 2, Token: "t1"})
	failed := await(t, a, "asg-a", id)
	assert.Equal(t, cloudprovider.ActivityFailed, failed.Status)
	assert.Equal(t, 2, failed.Requested)
	assert.Empty(t, failed.Created)
	require.NotNil(t, failed.Failure)
	assert.Equal(t, cloudprovider.OutOfResources, failed.Failure.Class)
	assert.NotEmpty(t, failed.Failure.Code)
	assert.NotEmpty(t, failed.Failure.Message)
	_, ids := instancesOf(t, a, "asg-a")
	assert.Empty(t, ids)
}
