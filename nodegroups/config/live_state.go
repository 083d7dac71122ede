package config

import (
	"fmt"
	"slices"

	"github.com/buildpool/buildpool/cloudprovider"
)

// hindering are the suspended processes without which a group cannot follow
// cluster-autoscaler, and what goes wrong. The others are no concern of ours.
var hindering = []struct {
	process  string
	severity Severity
	effect   string
}{
	{"System", SeverityError, "ESS suspended the group after days of failures"},
	{"ScaleOut", SeverityError, "it cannot grow"},
	{"ScaleIn", SeverityError, "it cannot shrink"},
	{"HealthCheck", SeverityWarning, "dead instances stay in it"},
}

func (s *subject) compareState(live cloudprovider.ScalingGroup) {
	if live.Region != "" && live.Region != s.cfg.Region {
		s.fail("scalingGroup", fmt.Sprintf("scaling group %s is in %s, the file says %s", live.ID, live.Region, s.cfg.Region), "correct the region, or name a group of this region")
	}
	if live.Lifecycle != cloudprovider.GroupActive {
		fix := "enable the scaling group"
		if live.Lifecycle == cloudprovider.GroupDeleting {
			fix = "name another scaling group; this one is going"
		}
		s.fail("scalingGroup", fmt.Sprintf("scaling group %s is %s, not Active", live.ID, live.Lifecycle), fix)
	}
	for _, h := range hindering {
		if slices.Contains(live.Suspended, h.process) {
			s.add(h.severity, "scalingGroup", fmt.Sprintf("scaling group %s has the process %s suspended: %s", live.ID, h.process, h.effect), "resume the process in ESS")
		}
	}
	if !live.ExpectedNumberMode {
		s.fail("scalingGroup", fmt.Sprintf("scaling group %s is not in expected-number mode: it keeps no desired number and runs one activity at a time", live.ID), "set its expected number of instances in ESS")
	}
}

func (s *subject) compareBounds(live cloudprovider.ScalingGroup) {
	g := s.group
	if live.Min > g.Min {
		s.fail("min", fmt.Sprintf("scaling group %s has min %d: the group can never shrink to %d", live.ID, live.Min, g.Min), fmt.Sprintf("lower the scaling group's min to %d, or raise min to %d", g.Min, live.Min))
	}
	if live.Max < g.Max {
		s.fail("max", fmt.Sprintf("scaling group %s has max %d: the group can never grow to %d", live.ID, live.Max, g.Max), fmt.Sprintf("raise the scaling group's max to %d, or lower max to %d", g.Max, live.Max))
	}
	if live.ExpectedNumberMode && live.Desired > g.Max {
		s.warn("max", fmt.Sprintf("scaling group %s wants %d instances now, more than max %d", live.ID, live.Desired, g.Max), "raise max, or let cluster-autoscaler remove the idle ones")
	}
}

// compareCharge holds the way instances are paid against the class.
func (s *subject) compareCharge(launch cloudprovider.Launch) {
	switch {
	case s.group.Class == ClassSpot && !launch.Spot():
		s.fail("class", fmt.Sprintf("class is spot, but %s buys on demand", launch.Source), "set its spot strategy, or set the class to normal")
	case s.group.Class == ClassNormal && launch.Spot():
		s.fail("class", fmt.Sprintf("class is normal, but %s buys spot instances, which may be reclaimed", launch.Source), "set its spot strategy to NoSpot, or set the class to spot")
	case s.group.Class == ClassGPU && launch.Spot():
		s.warn("class", fmt.Sprintf("%s buys spot instances: GPU builds may be interrupted", launch.Source), "set its spot strategy to NoSpot unless that is meant")
	}
}
