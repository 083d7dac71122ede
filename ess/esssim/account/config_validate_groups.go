package account

import (
	"fmt"
	"slices"
	"strconv"
)

func (c *Config) validateGroups(p *problems, types map[string]bool) {
	ids, names, configurations := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range c.ScalingGroups {
		g := &c.ScalingGroups[i]
		path := fmt.Sprintf("scalingGroups[%d]", i)
		p.unique(ids, path+".id", g.ID)
		p.unique(names, path+".name", g.Name)
		oneOf(p, path+".lifecycle", g.Lifecycle, Active, Inactive, Deleting)
		oneOf(p, path+".multiAZPolicy", g.MultiAZPolicy, Priority, Balance, CostOptimized, Composable)
		oneOf(p, path+".scalingPolicy", g.ScalingPolicy, Release, Recycle, ForceRelease, ForceRecycle)
		oneOf(p, path+".healthCheckType", g.HealthCheckType, HealthCheckECS, HealthCheckNone)
		for _, process := range g.Suspended {
			oneOf(p, path+".suspended", process, append(slices.Clone(processes), systemProcess)...)
		}
		validateMixture(p, path, g)
		validateHooks(p, path, g.LifecycleHooks)
		validateRules(p, path, g.ScalingRules)
		validateSizes(p, path, g)
		c.validateGroupVSwitches(p, path, g)
		switch s := g.ScalingConfiguration; {
		case s != nil && g.LaunchTemplate != nil:
			p.add(path+".launchTemplate", "a group has a scalingConfiguration or a launchTemplate, not both")
		case s != nil:
			p.unique(configurations, path+".scalingConfiguration.id", s.ID)
			validateLaunch(p, path+".scalingConfiguration", s.InstanceTypes, s.SpotStrategy, s.SystemDiskGiB, types)
			validateWeights(p, path+".scalingConfiguration.weights", s.Weights, types)
			validateLimits(p, path+".scalingConfiguration.spotPriceLimits", s.SpotPriceLimits, types)
		case g.LaunchTemplate != nil:
			c.validateTemplateUse(p, path+".launchTemplate", *g.LaunchTemplate, types)
		case g.Lifecycle == Active:
			p.add(path+".scalingConfiguration", "an Active group has a scalingConfiguration or a launchTemplate")
		}
	}
}

func validateSizes(p *problems, path string, g *ScalingGroup) {
	if g.Min < 0 || g.Max > maxGroupSize || g.Min > g.Max {
		p.add(path+".max", "min %d and max %d are not in order between 0 and %d", g.Min, g.Max, maxGroupSize)
	}
	if *g.Desired < g.Min || *g.Desired > g.Max {
		p.add(path+".desired", "%d is not between min %d and max %d", *g.Desired, g.Min, g.Max)
	}
	if g.InService < 0 || g.InService > *g.Desired {
		p.add(path+".inService", "%d is not between 0 and desired %d", g.InService, *g.Desired)
	}
	if g.Stopped < 0 || (g.Stopped > 0 && !g.ScalingPolicy.recycles()) {
		p.add(path+".stopped", "%d: only a group of scalingPolicy recycle keeps stopped instances", g.Stopped)
	}
	if g.InService+g.Stopped > 0 && g.ScalingConfiguration == nil && g.LaunchTemplate == nil {
		p.add(path+".inService", "instances need a scalingConfiguration or a launchTemplate")
	}
}

func (c *Config) validateGroupVSwitches(p *problems, path string, g *ScalingGroup) {
	if len(g.VSwitchIDs) == 0 {
		p.add(path+".vSwitchIds", "is missing")
	}
	for j, id := range g.VSwitchIDs {
		if !slices.ContainsFunc(c.VSwitches, func(v VSwitch) bool { return v.ID == id }) {
			p.add(fmt.Sprintf("%s.vSwitchIds[%d]", path, j), "%q is not among vSwitches", id)
		}
	}
}

func (c *Config) validateTemplateUse(p *problems, path string, use LaunchTemplateUse, types map[string]bool) {
	if _, err := c.resolveTemplate(use); err != nil {
		p.add(path, "%v", err)
	}
	validateWeights(p, path+".weights", use.Weights, types)
	for j, name := range use.Overrides {
		if !types[name] {
			p.add(fmt.Sprintf("%s.overrides[%d]", path, j), "%q is not among instanceTypes", name)
		}
	}
}

// resolveTemplate finds the version of a launch template that a group uses.
func (c *Config) resolveTemplate(use LaunchTemplateUse) (LaunchTemplate, error) {
	versions := c.templateVersions(use.ID)
	if len(versions) == 0 {
		return LaunchTemplate{}, fmt.Errorf("id: %q is not among launchTemplates", use.ID)
	}
	switch use.Version {
	case "Latest":
		return versions[len(versions)-1], nil
	case "Default":
		return versions[defaultVersion(versions)], nil
	}
	number, err := strconv.Atoi(use.Version)
	if err != nil {
		return LaunchTemplate{}, fmt.Errorf("version: %q is neither a number nor Default nor Latest", use.Version)
	}
	for _, v := range versions {
		if v.Version == number {
			return v, nil
		}
	}
	return LaunchTemplate{}, fmt.Errorf("version: launch template %s has no version %d", use.ID, number)
}

// templateVersions returns a template's versions, lowest first.
func (c *Config) templateVersions(id string) []LaunchTemplate {
	var versions []LaunchTemplate
	for _, t := range c.LaunchTemplates {
		if t.ID == id {
			versions = append(versions, t)
		}
	}
	slices.SortFunc(versions, func(a, b LaunchTemplate) int { return a.Version - b.Version })
	return versions
}

func defaultVersion(versions []LaunchTemplate) int {
	return max(0, slices.IndexFunc(versions, func(t LaunchTemplate) bool { return t.Default }))
}
