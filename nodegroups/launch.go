package nodegroups

import (
	"context"
	"fmt"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// launchKnowledge is what is known of the instances a group would add.
type launchKnowledge struct {
	launch cloudprovider.Launch
	types  []cloudprovider.InstanceType
	// source identifies the settings read, to notice when others take force.
	source launchSource
	// err says why the settings could not be read; they are tried again.
	err   error
	read  bool
	stale bool
}

// launchSource identifies launch settings. A launch template by "latest" or
// "default" version can change behind the same source: a full look reads it again.
type launchSource struct {
	configuration, template, version string
	overrides                        string
}

func launchSourceOf(g cloudprovider.ScalingGroup) launchSource {
	return launchSource{
		configuration: g.ScalingConfigurationID, template: g.LaunchTemplateID, version: g.LaunchTemplateVersion,
		overrides: fmt.Sprint(g.InstanceTypes, g.VSwitchIDs),
	}
}

// outdated reports whether the settings have to be read (again).
func (k launchKnowledge) outdated(g cloudprovider.ScalingGroup) bool {
	return !k.read || k.stale || k.err != nil || k.source != launchSourceOf(g)
}

// learnLaunch reads the launch settings and the instance types they name.
func (p *Provider) learnLaunch(ctx context.Context, group cloudprovider.ScalingGroup, cfg config.Group) launchKnowledge {
	k := launchKnowledge{source: launchSourceOf(group), read: true}
	k.launch, k.err = p.Cloud.Launch(ctx, group)
	if k.err != nil {
		k.err = fmt.Errorf("read launch settings: %w", k.err)
		return k
	}
	names := k.launch.InstanceTypes
	if cfg.Template.InstanceType != "" {
		names = []string{cfg.Template.InstanceType}
	}
	k.types, k.err = p.Cloud.InstanceTypes(ctx, names)
	if k.err != nil {
		k.err = fmt.Errorf("read instance types: %w", k.err)
	}
	return k
}

// template makes the node template from what is known.
func (k launchKnowledge) template(cfg config.Group, region string) (cloudprovider.NodeTemplate, error) {
	switch {
	case !k.read:
		return cloudprovider.NodeTemplate{}, fmt.Errorf("launch settings were not read yet: %w", cloudprovider.ErrNoTemplate)
	case k.err != nil:
		return cloudprovider.NodeTemplate{}, fmt.Errorf("%w: %w", cloudprovider.ErrNoTemplate, k.err)
	}
	return nodeTemplate(cfg, region, k.launch, k.types)
}
