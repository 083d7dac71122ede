package engine

import (
	"time"

	"github.com/buildpool/buildpool/nodegroups/expander"
)

// group is what the autoscaler and the provider know of a node group.
type group struct {
	// target is how many nodes the group is to have.
	target int
	// billed counts instances, unready those that have not joined, ready and deleting
	// the nodes; failed creations that the autoscaler has not seen yet, and overdue
	// instances that have not joined in the time they had.
	billed, unready, ready, deleting, failed, overdue int
	// creating are the instances that have not joined, in order of request, with some
	// that have.
	creating []int32
	request  scaleUpRequest
	backoff  backoff
	options  options
	// idle are the unneeded nodes in the order in which they became it, with some that
	// no longer are.
	idle []unneededSince
	// held are nodes to look at once the group's own delay is over.
	held []int32
	// scaledUp and scaledDown are when it last was, for the local delays.
	scaledUp, scaledDown time.Duration
	// trouble is what the expander holds against the group.
	trouble expander.Health
	similar []int
	floors  floors
	sample  sample
}

type unneededSince struct {
	node  int32
	since time.Duration
}

// options are the flags that hold for one group.
type options struct {
	threshold     float64
	gpuNodes      bool // of which only the use of the GPUs counts
	unneededTime  time.Duration
	provisionTime time.Duration
}

// newGroups prepares the groups.
func newGroups(s *Settings) []group {
	groups := make([]group, len(s.Groups))
	for i := range groups {
		groups[i] = group{options: optionsOf(s, i), scaledUp: longAgo, scaledDown: longAgo}
		if s.Autoscaler.BalanceSimilarNodeGroups {
			groups[i].similar = similarTo(s, i)
		}
	}
	return groups
}

// longAgo is a time that no delay reaches to.
const longAgo = -1000 * time.Hour

// optionsOf works out a group's options: its own, where the autoscaler takes them, else
// the flags.
func optionsOf(s *Settings, g int) options {
	a, set := s.Autoscaler, s.Groups[g].Config.Options
	o := options{threshold: a.ScaleDownUtilizationThreshold, unneededTime: a.ScaleDownUnneededTime, provisionTime: a.MaxNodeProvisionTime}
	_, o.gpuNodes = s.Groups[g].Template.Labels[gpuLabel]
	if o.gpuNodes {
		o.threshold = a.ScaleDownGPUUtilization
	}
	if allowed := set.AllowWithCA135; a.Release >= 35 && (allowed == nil || !*allowed) {
		return o
	}
	threshold := set.ScaleDownUtilizationThreshold
	if o.gpuNodes {
		threshold = set.ScaleDownGPUUtilizationThreshold
	}
	if threshold != nil {
		o.threshold = *threshold
	}
	if set.ScaleDownUnneededTime != nil {
		o.unneededTime = time.Duration(*set.ScaleDownUnneededTime)
	}
	if set.MaxNodeProvisionTime != nil {
		o.provisionTime = time.Duration(*set.MaxNodeProvisionTime)
	}
	return o
}

func (w *world) max(g int) int { return w.settings.Groups[g].Config.Max }

// upcoming is how many nodes the autoscaler takes to be on their way (CA
// clusterstate/clusterstate.go GetUpcomingNodes): none without an active request for
// them, or while the group is backed off.
func (w *world) upcoming(g int) int {
	group := &w.groups[g]
	if group.request.increase == 0 || group.backoff.holds(w.now) {
		return 0
	}
	return max(0, group.missing())
}

// missing counts the nodes that the target has and the cluster has not
// (calculateUpcomingNodesInNodeGroup). A node that is being deleted counts as missing
// until its instance's removal has been asked for.
func (g *group) missing() int { return g.target - g.ready - g.overdue }
