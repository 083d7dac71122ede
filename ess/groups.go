package ess

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	sdkess "github.com/aliyun/alibaba-cloud-sdk-go/services/ess"
	"golang.org/x/sync/errgroup"

	"github.com/buildpool/buildpool/cloudprovider"
)

const (
	groupPage = 50
	// groupReads is how many calls for groups run at once: 200 groups, 10 calls, in
	// the time of three.
	groupReads = 4
)

// Groups reads the groups with these IDs, 20 a call.
func (c *Cloud) Groups(ctx context.Context, ids []string) ([]cloudprovider.ScalingGroup, error) {
	chunks := slices.Collect(slices.Chunk(distinct(ids), cloudprovider.MaxGroupsPerRead))
	found := make([][]cloudprovider.ScalingGroup, len(chunks))
	reads, readCtx := errgroup.WithContext(ctx)
	reads.SetLimit(groupReads)
	for i, chunk := range chunks {
		reads.Go(func() (err error) {
			found[i], err = c.groupsByID(readCtx, chunk)
			return err
		})
	}
	if err := reads.Wait(); err != nil {
		return nil, fmt.Errorf("read scaling groups: %w", err)
	}
	return slices.Concat(found...), nil
}

func (c *Cloud) groupsByID(ctx context.Context, ids []string) ([]cloudprovider.ScalingGroup, error) {
	answer, err := read(ctx, c, func() *sdkess.DescribeScalingGroupsRequest {
		request := sdkess.CreateDescribeScalingGroupsRequest()
		request.ScalingGroupId = &ids
		request.PageSize = requests.NewInteger(groupPage)
		return request
	}, sdkess.CreateDescribeScalingGroupsResponse)
	switch {
	case errors.Is(err, cloudprovider.ErrGroupNotFound) && len(ids) == 1:
		return nil, nothing(err)
	case err != nil:
		return nil, err
	}
	return toGroups(answer), nil
}

// GroupsByTags reads the groups that carry all of the tags, ordered by ID.
func (c *Cloud) GroupsByTags(ctx context.Context, tags map[string]string) ([]cloudprovider.ScalingGroup, error) {
	if len(tags) == 0 {
		return nil, fmt.Errorf("read scaling groups by tags: no tags: %w", cloudprovider.ErrInvalidArgument)
	}
	var wanted []sdkess.DescribeScalingGroupsTag
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		wanted = append(wanted, sdkess.DescribeScalingGroupsTag{Key: key, Value: tags[key]})
	}
	groups, err := readAll(groupPage, func(g cloudprovider.ScalingGroup) string { return g.ID },
		func(number int) (page[cloudprovider.ScalingGroup], error) {
			answer, err := read(ctx, c, func() *sdkess.DescribeScalingGroupsRequest {
				request := sdkess.CreateDescribeScalingGroupsRequest()
				request.Tag = &wanted
				request.PageSize = requests.NewInteger(groupPage)
				request.PageNumber = requests.NewInteger(number)
				return request
			}, sdkess.CreateDescribeScalingGroupsResponse)
			if err != nil {
				return page[cloudprovider.ScalingGroup]{}, err
			}
			return page[cloudprovider.ScalingGroup]{toGroups(answer), answer.TotalCount}, nil
		})
	if err != nil {
		return nil, fmt.Errorf("read scaling groups by tags: %w", err)
	}
	return groups, nil
}

func toGroups(answer *sdkess.DescribeScalingGroupsResponse) []cloudprovider.ScalingGroup {
	groups := make([]cloudprovider.ScalingGroup, 0, len(answer.ScalingGroups.ScalingGroup))
	for _, g := range answer.ScalingGroups.ScalingGroup {
		groups = append(groups, toGroup(g))
	}
	return groups
}

func toGroup(g sdkess.ScalingGroup) cloudprovider.ScalingGroup {
	total := g.TotalCapacity
	if g.Weighted || g.TotalInstanceCount > 0 {
		// TotalCapacity is the sum of weights in a weighted group; this is a count.
		total = g.TotalInstanceCount
	}
	group := cloudprovider.ScalingGroup{
		ID:                     g.ScalingGroupId,
		Name:                   g.ScalingGroupName,
		Region:                 g.RegionId,
		Lifecycle:              cloudprovider.GroupLifecycle(g.LifecycleState),
		Suspended:              slices.Clone(g.SuspendedProcesses.SuspendedProcess),
		Min:                    g.MinSize,
		Max:                    g.MaxSize,
		ExpectedNumberMode:     g.EnableDesiredCapacity,
		Desired:                total,
		ScalingConfigurationID: g.ActiveScalingConfigurationId,
		LaunchTemplateID:       g.LaunchTemplateId,
		LaunchTemplateVersion:  g.LaunchTemplateVersion,
		VSwitchIDs:             distinct(g.VSwitchIds.VSwitchId),
		MultiAZPolicy:          g.MultiAZPolicy,
		Recycles:               g.ScalingPolicy == "recycle" || g.ScalingPolicy == "forcerecycle",
		ReplacesSpot:           g.SpotInstanceRemedy,
		Tags:                   make(map[string]string, len(g.Tags.Tag)),
		Counters: cloudprovider.Counters{
			Total: total, Active: g.ActiveCapacity, Pending: g.PendingCapacity, PendingWait: g.PendingWaitCapacity,
			Removing: g.RemovingCapacity, RemovingWait: g.RemovingWaitCapacity,
			Protected: g.ProtectedCapacity, Standby: g.StandbyCapacity, Stopped: g.StoppedCapacity,
		},
	}
	if g.EnableDesiredCapacity {
		group.Desired = g.DesiredCapacity
	}
	if g.SystemSuspended {
		group.Suspended = append(group.Suspended, "System")
	}
	for _, o := range g.LaunchTemplateOverrides.LaunchTemplateOverride {
		group.InstanceTypes = append(group.InstanceTypes, o.InstanceType)
	}
	if len(group.VSwitchIDs) == 0 {
		group.VSwitchIDs = distinct([]string{g.VSwitchId})
	}
	for _, tag := range g.Tags.Tag {
		group.Tags[firstSet(tag.TagKey, tag.Key)] = firstSet(tag.TagValue, tag.Value)
	}
	return group
}
