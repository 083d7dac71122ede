package ess

import (
	"context"
	"fmt"
	"slices"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	sdkess "github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/buildpool/buildpool/cloudprovider"
)

// ProtectInstances shields these instances from what ESS itself would remove, or no
// longer. The call takes no ClientToken, and none is needed: doing it twice comes to the
// same.
func (c *Cloud) ProtectInstances(ctx context.Context, w cloudprovider.ProtectInstances) error {
	if err := checkInstances(w.GroupID, w.InstanceIDs); err != nil {
		return fmt.Errorf("protect %d instances of %s: %w", len(w.InstanceIDs), w.GroupID, err)
	}
	ids := slices.Clone(w.InstanceIDs) // every attempt has to send the same
	_, err := write(ctx, c, func() *sdkess.SetInstancesProtectionRequest {
		request := sdkess.CreateSetInstancesProtectionRequest()
		request.ScalingGroupId = w.GroupID
		request.InstanceId = &ids
		request.ProtectedFromScaleIn = requests.NewBoolean(w.Protected)
		return request
	}, sdkess.CreateSetInstancesProtectionResponse)
	if err != nil {
		return fmt.Errorf("protect %d instances of %s: %w", len(w.InstanceIDs), w.GroupID, err)
	}
	return nil
}
