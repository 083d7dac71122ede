package ess

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"

	"github.com/aliyun/alibaba-cloud-sdk-go/sdk/requests"
	sdkecs "github.com/aliyun/alibaba-cloud-sdk-go/services/ecs"
	sdkess "github.com/aliyun/alibaba-cloud-sdk-go/services/ess"

	"github.com/buildpool/buildpool/cloudprovider"
)

// launchTemplatePage is the largest page, and more versions than a template can have.
const launchTemplatePage = 50

// Launch reads the launch settings in force for the group.
func (c *Cloud) Launch(ctx context.Context, group cloudprovider.ScalingGroup) (cloudprovider.Launch, error) {
	launch, err := c.launch(ctx, group)
	if err != nil {
		return cloudprovider.Launch{}, fmt.Errorf("read launch settings of %s: %w", group.ID, err)
	}
	return launch, nil
}

func (c *Cloud) launch(ctx context.Context, group cloudprovider.ScalingGroup) (launch cloudprovider.Launch, err error) {
	switch {
	case group.ScalingConfigurationID != "":
		launch, err = c.scalingConfiguration(ctx, group.ScalingConfigurationID)
	case group.LaunchTemplateID != "":
		launch, err = c.launchTemplate(ctx, group.LaunchTemplateID, group.LaunchTemplateVersion)
	default:
		err = fmt.Errorf("neither a scaling configuration nor a launch template: %w", cloudprovider.ErrNoTemplate)
	}
	if err != nil {
		return cloudprovider.Launch{}, err
	}
	if len(group.InstanceTypes) > 0 {
		launch.InstanceTypes = group.InstanceTypes
	}
	if len(launch.InstanceTypes) == 0 {
		return cloudprovider.Launch{}, fmt.Errorf("%s names no instance type: %w", launch.Source, cloudprovider.ErrNoTemplate)
	}
	launch.Zones, err = c.zonesOf(ctx, group.VSwitchIDs)
	return launch, err
}

func (c *Cloud) scalingConfiguration(ctx context.Context, id string) (cloudprovider.Launch, error) {
	answer, err := read(ctx, c, func() *sdkess.DescribeScalingConfigurationsRequest {
		request := sdkess.CreateDescribeScalingConfigurationsRequest()
		request.ScalingConfigurationId = &[]string{id}
		return request
	}, sdkess.CreateDescribeScalingConfigurationsResponse)
	if err != nil {
		return cloudprovider.Launch{}, fmt.Errorf("read scaling configuration %s: %w", id, err)
	}
	for _, s := range answer.ScalingConfigurations.ScalingConfiguration {
		if s.ScalingConfigurationId == id {
			return configurationToLaunch(s), nil
		}
	}
	return cloudprovider.Launch{}, fmt.Errorf("scaling configuration %s does not exist: %w", id, cloudprovider.ErrNoTemplate)
}

func configurationToLaunch(s sdkess.ScalingConfigurationInDescribeScalingConfigurations) cloudprovider.Launch {
	launch := cloudprovider.Launch{
		Source:        "scaling configuration " + s.ScalingConfigurationId,
		InstanceTypes: distinct(s.InstanceTypes.InstanceType),
		SystemDiskGiB: s.SystemDiskSize,
		SpotStrategy:  firstSet(s.SpotStrategy, cloudprovider.NoSpot),
		UserData:      decodeUserData(s.UserData),
		Tags:          make(map[string]string, len(s.Tags.Tag)),
	}
	if len(launch.InstanceTypes) == 0 {
		launch.InstanceTypes = distinct([]string{s.InstanceType})
	}
	for _, tag := range s.Tags.Tag {
		launch.Tags[firstSet(tag.Key, tag.TagKey)] = firstSet(tag.Value, tag.TagValue)
	}
	return launch
}

// launchTemplate reads a version of a template: a number, "Default" or "Latest".
func (c *Cloud) launchTemplate(ctx context.Context, id, version string) (cloudprovider.Launch, error) {
	answer, err := read(ctx, c, func() *sdkecs.DescribeLaunchTemplateVersionsRequest {
		request := sdkecs.CreateDescribeLaunchTemplateVersionsRequest()
		request.LaunchTemplateId = id
		request.DetailFlag = requests.NewBoolean(true)
		request.PageSize = requests.NewInteger(launchTemplatePage)
		switch {
		case version == "" || strings.EqualFold(version, "Default"):
			request.DefaultVersion = requests.NewBoolean(true)
		case strings.EqualFold(version, "Latest"):
			// All of them: the API has no word for the latest.
		default:
			request.LaunchTemplateVersion = &[]string{version}
		}
		return request
	}, sdkecs.CreateDescribeLaunchTemplateVersionsResponse)
	if err != nil {
		return cloudprovider.Launch{}, fmt.Errorf("read launch template %s: %w", id, err)
	}
	var latest sdkecs.LaunchTemplateVersionSet
	for _, v := range answer.LaunchTemplateVersionSets.LaunchTemplateVersionSet {
		if v.VersionNumber > latest.VersionNumber {
			latest = v
		}
	}
	if latest.VersionNumber == 0 {
		return cloudprovider.Launch{}, fmt.Errorf("launch template %s has no version %q: %w", id, version, cloudprovider.ErrNoTemplate)
	}
	return templateToLaunch(id, latest), nil
}

func templateToLaunch(id string, v sdkecs.LaunchTemplateVersionSet) cloudprovider.Launch {
	data := v.LaunchTemplateData
	launch := cloudprovider.Launch{
		Source:        fmt.Sprintf("launch template %s version %d", id, v.VersionNumber),
		InstanceTypes: distinct([]string{data.InstanceType}),
		SystemDiskGiB: data.SystemDiskSize,
		SpotStrategy:  firstSet(data.SpotStrategy, cloudprovider.NoSpot),
		UserData:      decodeUserData(data.UserData),
		Tags:          make(map[string]string, len(data.Tags.InstanceTag)),
	}
	for _, tag := range data.Tags.InstanceTag {
		launch.Tags[tag.Key] = tag.Value
	}
	return launch
}

// decodeUserData undoes the base64 that the API asks for. What is not base64 was put
// there by other means and is taken as it is.
func decodeUserData(encoded string) string {
	decoded, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return encoded
	}
	return string(decoded)
}
