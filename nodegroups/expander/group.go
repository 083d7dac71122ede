package expander

import (
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// Group is what the policy has to know of one of our node groups.
type Group struct {
	Class    config.Class
	Priority int
	Health   Health
	// FailureCooldown is how long the group is passed over after a failed creation;
	// nil: as the expander's configuration says.
	FailureCooldown *config.Duration
	// Inactive: the scaling group would refuse to grow.
	Inactive bool
	// Template is what a node offers where CA does not say; nil: not known.
	Template *cloudprovider.NodeOffer
	// PricePerHour of one node; nil: not known.
	PricePerHour *float64
	// ReclaimsPerHour is how often the market is to be expected to take an instance back,
	// and SpotShare what one costs as a share of the on-demand price.
	ReclaimsPerHour, SpotShare float64
}

// loss is what the builds cost that are to be expected to be lost in an hour of a node,
// as a share of the on-demand price.
func (g Group) loss(lostBuild *config.Duration) float64 {
	if lostBuild == nil {
		return 0
	}
	return g.ReclaimsPerHour * time.Duration(*lostBuild).Hours()
}

// LosesMore reports whether the builds that are to be expected to be lost cost more than
// spot instances save.
func (g Group) LosesMore(lostBuild *config.Duration) bool {
	loss := g.loss(lostBuild)
	return loss > 0 && g.SpotShare+loss >= 1
}

// costPerHour is what a node costs, with the builds that are to be expected to be lost.
func (g Group) costPerHour(lostBuild *config.Duration) float64 {
	cost := *g.PricePerHour
	if g.SpotShare > 0 {
		cost *= 1 + g.loss(lostBuild)/g.SpotShare
	}
	return cost
}

// Health is the last time each kind of trouble befell a group.
type Health struct {
	// OutOfStock: the cloud or the account's quota had no instance to give.
	OutOfStock Incident
	// Failed: an instance could not be created for another reason.
	Failed Incident
	// Reclaimed: the cloud took a spot instance back.
	Reclaimed Incident
	// Throttled: a scale-up met the account's rate limit.
	Throttled Incident
}

// Incident is one piece of trouble. The zero value means that there was none.
type Incident struct {
	At time.Time
	// Code is the cloud's own for it; empty when it has none.
	Code string
}

// Recent returns the reasons against the group that time will heal, the worst first:
// how bad a reason is, is how unlikely an instance is to come and stay.
func (g Group) Recent(skipFor config.SkipFor, now time.Time) []cloudprovider.Skip {
	failed := skipFor.Failed
	if g.FailureCooldown != nil {
		failed = g.FailureCooldown
	}
	var skips []cloudprovider.Skip
	for _, trouble := range []struct {
		reason   cloudprovider.SkipReason
		incident Incident
		skipFor  *config.Duration
	}{
		{cloudprovider.SkippedOutOfStock, g.Health.OutOfStock, skipFor.OutOfStock},
		{cloudprovider.SkippedFailed, g.Health.Failed, failed},
		{cloudprovider.SkippedThrottled, g.Health.Throttled, skipFor.Throttled},
		{cloudprovider.SkippedReclaimed, g.Health.Reclaimed, skipFor.Reclaimed},
	} {
		if trouble.incident.At.IsZero() || trouble.skipFor == nil {
			continue
		}
		until := trouble.incident.At.Add(time.Duration(*trouble.skipFor))
		if now.Before(until) {
			skips = append(skips, cloudprovider.Skip{
				Reason: trouble.reason, Code: trouble.incident.Code, At: trouble.incident.At, Until: until,
			})
		}
	}
	return skips
}

// severity orders the reasons against a group. That no pod asks for a GPU is the
// worst: a GPU node would come, and cost many times what the build needs.
func severity(r cloudprovider.SkipReason) int {
	switch r {
	case cloudprovider.SkippedReclaimedOften:
		return 1
	case cloudprovider.SkippedReclaimed:
		return 2
	case cloudprovider.SkippedThrottled:
		return 3
	case cloudprovider.SkippedFailed:
		return 4
	case cloudprovider.SkippedOutOfStock:
		return 5
	case cloudprovider.SkippedInactive:
		return 6
	case cloudprovider.SkippedNoGPUPod:
		return 7
	}
	return 0
}
