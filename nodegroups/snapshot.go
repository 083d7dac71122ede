package nodegroups

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/nodegroups/expander"
	"github.com/buildpool/buildpool/nodegroups/floor"
)

// snapshot is everything the reading RPCs answer from. It never changes once it is
// published; a change publishes another.
type snapshot struct {
	taken  time.Time
	order  []*view
	byID   map[string]*view
	groups []cloudprovider.NodeGroup
	// owner maps an instance ID to the ID of its group.
	owner map[string]string
	// asleep are the groups' stopped instances, and waking those that were started again,
	// with when, and are not back: a node of theirs is of the life before.
	asleep map[string]bool
	waking map[string]time.Time
	gpus   cloudprovider.GPUs
	// currency is that of all prices that are compared.
	currency string
	// policy is how the expander chooses, and unserved are the configured groups it
	// must not take for somebody else's.
	policy   config.Expander
	unserved map[string]config.Group
}

// view is one group as CA sees it.
type view struct {
	config    config.Group
	group     cloudprovider.NodeGroup
	floor     floor.Floor
	target    int
	instances []cloudprovider.InstanceStatus
	template  cloudprovider.NodeTemplate
	// templateErr says why there is no template.
	templateErr error
	// offer is the template's allocatable, in plain numbers.
	offer map[corev1.ResourceName]float64
	// goods is what the group buys, and price what one of it costs.
	goods merchandise
	price cloudprovider.Price
	// priceErr says why the price is not known.
	priceErr error
	health   expander.Health
	// inactive: the scaling group would refuse to grow.
	inactive bool
}

// stateOf translates a life-cycle state; ok is false for an instance that CA is not
// to know of: one that is stopped and kept for later is no capacity.
func stateOf(l cloudprovider.Lifecycle) (state cloudprovider.InstanceState, ok bool) {
	switch l {
	case cloudprovider.Pending, cloudprovider.PendingWait:
		return cloudprovider.Creating, true
	case cloudprovider.Removing, cloudprovider.RemovingWait:
		return cloudprovider.Deleting, true
	case cloudprovider.Stopped:
		return 0, false
	}
	return cloudprovider.Running, true
}

// statuses lists the group's instances and placeholders as CA is to see them.
func statuses(o observation, s groupState, spell func(instanceID string) string) []cloudprovider.InstanceStatus {
	out := make([]cloudprovider.InstanceStatus, 0, len(o.instances)+len(s.placeholders))
	named := s.removedLately(o)
	for _, i := range o.instances {
		state, ok := stateOf(i.Lifecycle)
		if !ok {
			continue
		}
		if _, leaving := s.departed[i.ID]; leaving || named[i.ID] {
			state = cloudprovider.Deleting
		}
		out = append(out, cloudprovider.InstanceStatus{ID: spell(i.ID), State: state})
	}
	for _, p := range s.placeholders {
		out = append(out, cloudprovider.InstanceStatus{ID: p.id, State: cloudprovider.Creating, Failure: &p.failure})
	}
	slices.SortFunc(out, func(a, b cloudprovider.InstanceStatus) int { return strings.Compare(a.ID, b.ID) })
	return out
}

// bounds returns the min and max that hold: the configuration's, inside the scaling
// group's own, because the cloud refuses or clamps what lies outside.
func bounds(g config.Group, live cloudprovider.ScalingGroup) (lowest, highest int) {
	highest = min(g.Max, live.Max)
	lowest = min(max(g.Min, live.Min), highest)
	return lowest, highest
}

// gpusOf collects the GPU types of the groups.
func gpusOf(order []*view) cloudprovider.GPUs {
	gpus := cloudprovider.GPUs{Label: cloudprovider.LabelGPU, Types: []string{}}
	for _, v := range order {
		if g := v.config.Template.GPU; g != nil && g.Type != "" && !slices.Contains(gpus.Types, g.Type) {
			gpus.Types = append(gpus.Types, g.Type)
		}
	}
	slices.Sort(gpus.Types)
	return gpus
}
