package engine

import (
	"slices"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/workload"
)

// Settings are one run: builds, groups, and how cluster-autoscaler, the scheduler and
// the cloud behave.
type Settings struct {
	Trace workload.Trace
	// Groups are in the order of the node-group file.
	Groups   []Group
	Expander config.Expander
	// Schedule says who brings groups up to what their warm windows keep.
	Schedule   config.Schedule
	Autoscaler Autoscaler
	Scheduler  Scheduler
	// Images is how long a node takes to pull each image for the first time, and what
	// it keeps; by name of image.
	Images map[string]Image
	// AgentStart is how long a build's containers take to start on a warm node.
	AgentStart time.Duration
	// ClusterUnseen: the provider does not see what runs where, so that it takes every
	// instance for needed.
	ClusterUnseen bool
	// Quota bounds the instances of all groups together; 0: none.
	Quota int
	// Stockouts are windows in which a group's cloud has fewer instances to give.
	Stockouts []Stockout
	// Overflow is the virtual node that builds may move to; nil: there is none.
	Overflow *Overflow
	Currency string
	Seed     uint64
	// TimelineStep between points of the timeline; 0: no timeline.
	TimelineStep time.Duration
	// Horizon ends the run at the latest; 0: a day after the last build's arrival.
	Horizon time.Duration
}

// Classes returns the classes of the groups, each once, in the groups' order.
func (s Settings) Classes() []string {
	var out []string
	for _, g := range s.Groups {
		if c := string(g.Config.Class); !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out
}

// Group is a node group and the cloud behind it.
type Group struct {
	// Config is the group of the production node-group file: bounds, labels, taints,
	// options, cooldowns, schedules, priority.
	Config config.Group
	// Template is the node the group adds, made by nodegroups from the launch settings.
	Template cloudprovider.NodeTemplate
	// PricePerHour of a node.
	PricePerHour float64
	// Boot is how long a node takes from its request to being Ready; Warm the same for
	// a stopped instance that is started again, used where Recycles.
	Boot, Warm Delay
	Recycles   bool
	// Removal is how long an instance is still billed after its removal was asked for.
	Removal time.Duration
	// Stock is how many instances the cloud has to give at once; 0: as many as asked.
	Stock int
	// Refusal is how long after a request it is known that the cloud had no instance.
	Refusal time.Duration
	// Spot is set on groups whose instances the cloud may take back.
	Spot *Spot
}

// Delay is a duration drawn per node: log-normal through its median and 95th
// percentile; constant where they are equal.
type Delay struct {
	Median, P95 time.Duration
}

// Spot is the market a group's instances come from.
type Spot struct {
	// Protected is how long an instance is safe after its creation (an hour on Alibaba
	// Cloud, or 0), Notice how long before its end a reclaim is known (five minutes);
	// from then on no build is placed on the node.
	Protected, Notice time.Duration
	// ReclaimsPerHour is the rate at which an unprotected instance is taken back.
	ReclaimsPerHour float64
	// Mass are instants at which a share of the unprotected instances is taken.
	Mass []MassReclaim
}

// MassReclaim takes a share of a group's unprotected instances at one instant.
type MassReclaim struct {
	At    time.Duration
	Share float64
}

// Stockout bounds a group's stock from From to Until to Stock instances.
type Stockout struct {
	Group       string
	From, Until time.Duration
	Stock       int
}

// Image is a container image as kubelets see it.
type Image struct {
	// Pull is how long the first build of it on a node waits.
	Pull time.Duration
	// Baked into the node's own image: no pull.
	Baked bool
}
