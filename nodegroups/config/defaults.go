package config

import (
	"maps"

	"github.com/buildpool/buildpool/cloudprovider"
)

// withDefaults returns the configuration with everything filled in that a group
// leaves to the defaults. It changes nothing of cfg.
func withDefaults(cfg Config) Config {
	if cfg.ProviderID == "" {
		cfg.ProviderID = ProviderIDAuto
	}
	if cfg.Account.Credentials == "" {
		cfg.Account.Credentials = CredentialsDefault
	}
	cfg.Expander = expanderWithDefaults(cfg.Expander)
	if cfg.Schedule.Mode == "" {
		cfg.Schedule.Mode = ScheduleByAutoscaler
	}
	cfg.LastLook = lastLookWithDefaults(cfg.LastLook)
	cfg.NodeCleanup = nodeCleanupWithDefaults(cfg.NodeCleanup)
	cfg.Headroom = keepingWithDefaults(cfg.Headroom)
	cfg.Overflow = overflowWithDefaults(cfg.Overflow)
	groups := make([]Group, len(cfg.Groups))
	for i, g := range cfg.Groups {
		groups[i] = groupWithDefaults(g, cfg.Defaults)
		groups[i].Schedules = windowsWithDefaults(g.Schedules, cfg.Schedule)
		groups[i].Headroom = headroomWithDefaults(g.Headroom, cfg.Schedule)
	}
	cfg.Groups = groups
	return cfg
}

func groupWithDefaults(g Group, d Defaults) Group {
	labels := map[string]string{}
	maps.Copy(labels, d.Labels)
	maps.Copy(labels, g.Labels)
	labels[cloudprovider.LabelClass] = string(g.Class)
	g.Labels = labels
	g.Template = templateWithDefaults(g.Template, d.Template, g.Class)
	g.Options = optionsWithDefaults(g.Options, d.Options)
	g.Spot = spotWithDefaults(g.Spot, d.Spot)
	g.Cooldown = Cooldown{
		AfterScaleUp:   or(g.Cooldown.AfterScaleUp, d.Cooldown.AfterScaleUp),
		AfterScaleDown: or(g.Cooldown.AfterScaleDown, d.Cooldown.AfterScaleDown),
		AfterFailure:   or(g.Cooldown.AfterFailure, d.Cooldown.AfterFailure),
		AfterReclaim:   or(g.Cooldown.AfterReclaim, d.Cooldown.AfterReclaim),
	}
	return g
}

func templateWithDefaults(t, d Template, class Class) Template {
	if t.InstanceType == "" {
		t.InstanceType = d.InstanceType
	}
	t.Reserved = Reserved{
		CPU:              or(t.Reserved.CPU, d.Reserved.CPU),
		Memory:           or(t.Reserved.Memory, d.Reserved.Memory),
		EphemeralStorage: or(t.Reserved.EphemeralStorage, d.Reserved.EphemeralStorage),
	}
	t.MemoryOverheadPercent = or(t.MemoryOverheadPercent, d.MemoryOverheadPercent)
	if t.MaxPods == 0 {
		t.MaxPods = d.MaxPods
	}
	if t.PodNetwork == "" {
		t.PodNetwork = d.PodNetwork
	}
	t.EphemeralStorage = or(t.EphemeralStorage, d.EphemeralStorage)
	// The default GPU is taken whole or not at all: its count says nothing about
	// another type's.
	if class == ClassGPU {
		t.GPU = or(t.GPU, d.GPU)
	}
	return t
}

func optionsWithDefaults(o, d Options) Options {
	return Options{
		ScaleDownUtilizationThreshold:    or(o.ScaleDownUtilizationThreshold, d.ScaleDownUtilizationThreshold),
		ScaleDownGPUUtilizationThreshold: or(o.ScaleDownGPUUtilizationThreshold, d.ScaleDownGPUUtilizationThreshold),
		ScaleDownUnneededTime:            or(o.ScaleDownUnneededTime, d.ScaleDownUnneededTime),
		ScaleDownUnreadyTime:             or(o.ScaleDownUnreadyTime, d.ScaleDownUnreadyTime),
		MaxNodeProvisionTime:             or(o.MaxNodeProvisionTime, d.MaxNodeProvisionTime),
		IgnoreDaemonSetsUtilization:      or(o.IgnoreDaemonSetsUtilization, d.IgnoreDaemonSetsUtilization),
		AllowWithCA135:                   or(o.AllowWithCA135, d.AllowWithCA135),
	}
}

func or[T any](own, other *T) *T {
	if own != nil {
		return own
	}
	return other
}
