package ess

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	sdkecs "github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"
	"golang.org/x/sync/errgroup"

	"github.com/buildpool/buildpool/cloudprovider"
)

// recycling is the lock on a spot instance that the market takes back: ECS releases it
// within five minutes.
const recycling = "Recycling"

// ReclaimNotices reads the locks of these instances, 100 a call, some calls at once.
func (c *Cloud) ReclaimNotices(ctx context.Context, instanceIDs []string) ([]string, error) {
	chunks := slices.Collect(slices.Chunk(distinct(instanceIDs), cloudprovider.MaxNoticesPerRead))
	noticed := make([][]string, len(chunks))
	reads, readCtx := errgroup.WithContext(ctx)
	reads.SetLimit(groupReads)
	for i, chunk := range chunks {
		reads.Go(func() (err error) {
			noticed[i], err = c.recycled(readCtx, chunk)
			return err
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, fmt.Errorf("read the reclaim notices of %d instances: %w", len(instanceIDs), err)
	}
	return slices.Concat(noticed...), nil
}

// recycled returns those of up to 100 instances that are locked for the market. It asks
// for all of them and not by the lock: an instance that is not told of has none.
func (c *Cloud) recycled(ctx context.Context, ids []string) ([]string, error) {
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, fmt.Errorf("encode instance IDs: %w", err)
	}
	answer, err := read(ctx, c, func() *sdkecs.DescribeInstancesRequest {
		request := sdkecs.CreateDescribeInstancesRequest()
		request.InstanceIds = string(list)
		request.PageSize = requests.NewInteger(cloudprovider.MaxNoticesPerRead) // the default is 10
		return request
	}, sdkecs.CreateDescribeInstancesResponse)
	if err != nil {
		return nil, err
	}
	var locked []string
	for _, i := range answer.Instances.Instance {
		if slices.ContainsFunc(i.OperationLocks.LockReason, func(l sdkecs.LockReason) bool { return l.LockReason == recycling }) {
			locked = append(locked, i.InstanceId)
		}
	}
	return locked, nil
}
