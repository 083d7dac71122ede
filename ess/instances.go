package ess

import (
	"context"
	"fmt"
	"time"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	sdkess "github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/buildpool/buildpool/cloudprovider"
)

const instancePage = 100

// Instances reads all instances of a group, 100 a call, ordered by ID.
func (c *Cloud) Instances(ctx context.Context, groupID string) ([]cloudprovider.Instance, error) {
	if err := checkID("read instances of a group", groupID); err != nil {
		return nil, err
	}
	instances, err := readAll(instancePage, func(i cloudprovider.Instance) string { return i.ID },
		func(number int) (page[cloudprovider.Instance], error) {
			answer, err := read(ctx, c, func() *sdkess.DescribeScalingInstancesRequest {
				request := sdkess.CreateDescribeScalingInstancesRequest()
				request.ScalingGroupId = groupID
				request.PageSize = requests.NewInteger(instancePage)
				request.PageNumber = requests.NewInteger(number)
				return request
			}, sdkess.CreateDescribeScalingInstancesResponse)
			if err != nil {
				return page[cloudprovider.Instance]{}, nothing(err)
			}
			return page[cloudprovider.Instance]{toInstances(answer), answer.TotalCount}, nil
		})
	if err != nil {
		return nil, fmt.Errorf("read instances of %s: %w", groupID, err)
	}
	return instances, nil
}

func toInstances(answer *sdkess.DescribeScalingInstancesResponse) []cloudprovider.Instance {
	instances := make([]cloudprovider.Instance, 0, len(answer.ScalingInstances.ScalingInstance))
	for _, i := range answer.ScalingInstances.ScalingInstance {
		instances = append(instances, toInstance(i))
	}
	return instances
}

func toInstance(i sdkess.ScalingInstance) cloudprovider.Instance {
	created := i.CreatedTime // to the second
	if created == "" {
		created = i.CreationTime // to the minute
	}
	return cloudprovider.Instance{
		ID:          i.InstanceId,
		GroupID:     i.ScalingGroupId,
		Lifecycle:   cloudprovider.Lifecycle(i.LifecycleState),
		Healthy:     i.HealthStatus == "Healthy",
		Type:        i.InstanceType,
		Zone:        i.ZoneId,
		Spot:        cloudprovider.Launch{SpotStrategy: i.SpotStrategy}.Spot(),
		ActivityID:  i.ScalingActivityId,
		Created:     toTime(created),
		AutoCreated: i.CreationType == "AutoCreated" || i.Entrusted, // entrusted: released like our own
	}
}

// toTime reads ESS's times, which come with seconds or without. Zero: no time.
func toTime(s string) time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
