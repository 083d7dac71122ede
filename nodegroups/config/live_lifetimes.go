package config

import (
	"fmt"
	"regexp"

	"github.com/buildpool/buildpool/cloudprovider"
)

// compareReclaims looks at who replaces spot instances that the cloud takes back: ESS
// and buildpool would get into each other's way.
func (s *subject) compareReclaims(live cloudprovider.ScalingGroup, launch cloudprovider.Launch) {
	if !live.ReplacesSpot || !launch.Spot() || s.group.Spot.OnReclaimNotice == ReclaimIgnored {
		return
	}
	effect := "ESS removes the old instance as soon as the new one is in service, and the builds on it end early"
	if s.group.Spot.OnReclaimNotice == ReclaimReplaced {
		effect += "; it replaces what buildpool replaces by itself, and each has to wait for the other"
	}
	s.warn("spot.onReclaimNotice", fmt.Sprintf("scaling group %s replaces spot instances itself (SpotInstanceRemedy): %s", live.ID, effect),
		fmt.Sprintf("switch SpotInstanceRemedy off there, or leave reclaims to ESS with onReclaimNotice: %s", ReclaimIgnored))
}

// compareRecycling looks at what becomes of removed instances: whether it pays to stop
// them and start them again.
func (s *subject) compareRecycling(live cloudprovider.ScalingGroup, launch cloudprovider.Launch) {
	switch {
	case live.Recycles && launch.Spot():
		s.warn("scalingGroup", fmt.Sprintf("scaling group %s stops what is removed from it (ScalingPolicy recycle), but buys spot instances: nothing holds a stopped one's stock and price. buildpool has them released; those that ESS or a person removes are stopped, and cost their disks", live.ID),
			"set the scaling group's instance reclaim mode (ScalingPolicy) to release")
	case !live.Recycles && !launch.Spot() && survivesRestart(launch.UserData):
		s.advise("scalingGroup", fmt.Sprintf("scaling group %s releases what is removed from it, and by the user data of %s a node comes up again after a restart: stopped instances would start faster than new ones are made, with their images and caches, and cost their disks meanwhile", live.ID, launch.Source),
			"set the scaling group's instance reclaim mode (ScalingPolicy) to recycle if builds may find what earlier ones left on the disk (docs/warm-starts.md)")
	}
}

// restarted is what makes a kubelet start with its machine: the service is enabled, or
// kubeadm, whose packages enable it, has joined the node to the cluster.
var restarted = regexp.MustCompile(`(?m)systemctl[^\n;&|]*\benable\b[^\n;&|]*\bkubelet\b|\bkubeadm\s+join\b`)

// survivesRestart reports whether user data, which runs once at a machine's first boot,
// leaves a kubelet that comes back at the next.
func survivesRestart(script string) bool { return restarted.MatchString(withoutComments(script)) }
