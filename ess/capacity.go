package ess

import (
	"context"
	"fmt"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	sdkess "github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/buildpool/buildpool/cloudprovider"
)

const (
	// maxTotal is the most instances a scaling group can have.
	maxTotal = 2000
	// maxToken is the longest ClientToken.
	maxToken = 64
)

// SetCapacity sets the group's number of instances, absolutely: a relative adjustment
// counts from the instances that are stable now, so that the second of two quick ones
// loses the first.
func (c *Cloud) SetCapacity(ctx context.Context, w cloudprovider.SetCapacity) (activityID string, err error) {
	if err := checkCapacity(w); err != nil {
		return "", fmt.Errorf("set capacity of %s to %d: %w", w.GroupID, w.Total, err)
	}
	answer, err := write(ctx, c, func() *sdkess.ScaleWithAdjustmentRequest {
		request := sdkess.CreateScaleWithAdjustmentRequest()
		request.ScalingGroupId = w.GroupID
		request.AdjustmentType = "TotalCapacity"
		request.AdjustmentValue = requests.NewInteger(w.Total)
		// The activity starts at once, instead of when ESS next checks the number.
		request.SyncActivity = requests.NewBoolean(true)
		request.ClientToken = w.Token
		request.ActivityMetadata = w.Metadata
		return request
	}, sdkess.CreateScaleWithAdjustmentResponse)
	if err != nil {
		return "", fmt.Errorf("set capacity of %s to %d: %w", w.GroupID, w.Total, err)
	}
	return answer.ScalingActivityId, nil
}

func checkCapacity(w cloudprovider.SetCapacity) error {
	if w.Total < 0 || w.Total > maxTotal {
		return fmt.Errorf("not within 0 and %d: %w", maxTotal, cloudprovider.ErrInvalidArgument)
	}
	return checkWrite(w.GroupID, w.Token)
}

// checkWrite refuses a write that could not be repeated safely.
func checkWrite(groupID, token string) error {
	if err := checkID("a group", groupID); err != nil {
		return err
	}
	if token == "" || len(token) > maxToken {
		return fmt.Errorf("a token of %d characters, not 1 to %d: %w", len(token), maxToken, cloudprovider.ErrInvalidArgument)
	}
	for _, r := range token {
		if r <= ' ' || r > '~' {
			return fmt.Errorf("a token that is not plain ASCII: %w", cloudprovider.ErrInvalidArgument)
		}
	}
	return nil
}
