package ess

import (
	"context"
	"fmt"
	"slices"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	sdkess "github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/buildpool/buildpool/cloudprovider"
)

// RemoveInstances removes or stops these instances and lowers the group's desired
// number.
func (c *Cloud) RemoveInstances(ctx context.Context, w cloudprovider.RemoveInstances) (activityID string, err error) {
	if err := checkRemoval(w); err != nil {
		return "", fmt.Errorf("remove %d instances of %s: %w", len(w.InstanceIDs), w.GroupID, err)
	}
	ids := slices.Clone(w.InstanceIDs) // every attempt has to send the same
	answer, err := write(ctx, c, func() *sdkess.RemoveInstancesRequest {
		request := sdkess.CreateRemoveInstancesRequest()
		request.ScalingGroupId = w.GroupID
		request.InstanceId = &ids
		request.ClientToken = w.Token
		if w.Keep {
			request.RemovePolicy = "recycle" // the API's default is to release, whatever the group's own policy
		}
		// Both are the API's defaults, and both would be costly to lose.
		request.DecreaseDesiredCapacity = requests.NewBoolean(true)
		request.IgnoreInvalidInstance = requests.NewBoolean(false)
		return request
	}, sdkess.CreateRemoveInstancesResponse)
	if err != nil {
		return "", fmt.Errorf("remove %d instances of %s: %w", len(w.InstanceIDs), w.GroupID, err)
	}
	return answer.ScalingActivityId, nil
}

// DetachInstances lets these instances go and keeps the group's desired number.
func (c *Cloud) DetachInstances(ctx context.Context, w cloudprovider.DetachInstances) (activityID string, err error) {
	if err := checkRemoval(cloudprovider.RemoveInstances{GroupID: w.GroupID, InstanceIDs: w.InstanceIDs, Token: w.Token}); err != nil {
		return "", fmt.Errorf("detach %d instances of %s: %w", len(w.InstanceIDs), w.GroupID, err)
	}
	ids := slices.Clone(w.InstanceIDs) // every attempt has to send the same
	answer, err := write(ctx, c, func() *sdkess.DetachInstancesRequest {
		request := sdkess.CreateDetachInstancesRequest()
		request.ScalingGroupId = w.GroupID
		request.InstanceId = &ids
		request.ClientToken = w.Token
		request.DecreaseDesiredCapacity = requests.NewBoolean(false) // the API's default is true
		request.IgnoreInvalidInstance = requests.NewBoolean(false)
		return request
	}, sdkess.CreateDetachInstancesResponse)
	if err != nil {
		return "", fmt.Errorf("detach %d instances of %s: %w", len(w.InstanceIDs), w.GroupID, err)
	}
	return answer.ScalingActivityId, nil
}

func checkRemoval(w cloudprovider.RemoveInstances) error {
	if err := checkInstances(w.GroupID, w.InstanceIDs); err != nil {
		return err
	}
	return checkWrite(w.GroupID, w.Token)
}

func checkInstances(groupID string, ids []string) error {
	if err := checkID("a group", groupID); err != nil {
		return err
	}
	switch n := len(ids); {
	case n == 0 || n > cloudprovider.MaxRemove:
		return fmt.Errorf("not 1 to %d of them: %w", cloudprovider.MaxRemove, cloudprovider.ErrInvalidArgument)
	case len(distinct(ids)) != n:
		return fmt.Errorf("one of them is empty or named twice: %w", cloudprovider.ErrInvalidArgument)
	}
	return nil
}
