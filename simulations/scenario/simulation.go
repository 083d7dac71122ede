package scenario

import (
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/buildpool/buildpool/nodegroups/config"
)

// Kind is the only kind that a file of assumptions may carry.
const Kind = "Simulation"

// Simulation is a file of assumptions.
type Simulation struct {
	// APIVersion is always buildpool/v1alpha1.
	APIVersion string `json:"apiVersion"`
	// Kind is always Simulation.
	Kind string `json:"kind"`
	// Question that the simulation answers, for people.
	Question string `json:"question,omitempty"`
	// NodeGroups is the node-group file, beside this one. The command line's wins.
	NodeGroups string `json:"nodeGroups,omitempty"`
	// Workload says what builds come. The command line's wins.
	Workload Workload `json:"workload,omitempty"`
	// Groups says what is assumed of the node groups, by name.
	Groups []Group `json:"groups,omitempty"`
	// VirtualNode says what is assumed of the virtual node that the node-group file's
	// overflow moves builds to.
	VirtualNode VirtualNode `json:"virtualNode,omitempty"`
	// Images that kubelets pull.
	Images []Image `json:"images,omitempty"`
	// AgentStart is how long a build's containers take to start on a warm node.
	// Default: 5s.
	AgentStart *config.Duration `json:"agentStart,omitempty"`
	// Scheduler is kube-scheduler's scoring strategy: LeastAllocated or MostAllocated.
	// Default: LeastAllocated.
	Scheduler string `json:"scheduler,omitempty"`
	// Quota bounds the instances of all groups together. Default: none.
	Quota int `json:"quota,omitempty"`
	// Stockouts are windows in which the cloud has fewer instances to give.
	Stockouts []Stockout `json:"stockouts,omitempty"`
	// Autoscaler says how cluster-autoscaler is started.
	Autoscaler Autoscaler `json:"autoscaler,omitempty"`
	// Variants are played one after the other; empty: one run with the above.
	Variants []Variant `json:"variants,omitempty"`
}

// Workload says what builds come: a trace or a profile.
type Workload struct {
	// Trace is a file of builds, beside this one.
	Trace string `json:"trace,omitempty"`
	// Profile is the name of a generated demand.
	Profile string `json:"profile,omitempty"`
	// Days of the profile. Default: 7.
	Days int `json:"days,omitempty"`
	// BuildsPerWeekday of the profile. Default: the profile's own.
	BuildsPerWeekday float64 `json:"buildsPerWeekday,omitempty"`
	// Seed of the profile.
	Seed int `json:"seed,omitempty"`
	// Start of the profile as RFC 3339, or as 2006-01-02T15:04:05 with timeZone.
	Start string `json:"start,omitempty"`
	// TimeZone in which the profile's hours are told. Default: UTC.
	TimeZone string `json:"timeZone,omitempty"`
	// Builds are what the profile's builds ask for. Default: 1800m cpu and 3Gi memory,
	// class normal.
	Builds []Builds `json:"builds,omitempty"`
}

// Builds are what a part of a profile's builds ask for.
type Builds struct {
	// Classes of node groups that would do.
	Classes []string `json:"classes"`
	// Share of the builds, in relation to that of the others. Default: 1.
	Share *float64 `json:"share,omitempty"`
	// CPU and Memory that each requests.
	CPU    resource.Quantity `json:"cpu"`
	Memory resource.Quantity `json:"memory"`
	// GPUs that each requests.
	GPUs int `json:"gpus,omitempty"`
	// Labels of the node that it needs beside the class.
	Labels map[string]string `json:"labels,omitempty"`
	// Image that it runs in.
	Image string `json:"image,omitempty"`
}

// Group is what is assumed of a node group.
type Group struct {
	// Name of the group in the node-group file.
	Name string `json:"name"`
	// InstanceType of its nodes, such as ecs.c7.2xlarge. Default: template.instanceType
	// of the node-group file.
	InstanceType string `json:"instanceType,omitempty"`
	// CPUs and MemoryGiB of the type. Default: as the type's name tells, which it does
	// for the families c, g and r.
	CPUs      int     `json:"cpus,omitempty"`
	MemoryGiB float64 `json:"memoryGiB,omitempty"`
	// GPUs of the type.
	GPUs int `json:"gpus,omitempty"`
	// Arch is amd64 or arm64. Default: amd64.
	Arch string `json:"arch,omitempty"`
	// PricePerHour of a node. Default: the node-group file's, else the shipped table's.
	PricePerHour *float64 `json:"pricePerHour,omitempty"`
	// Boot is how long a node takes from its request to being Ready. Default: median
	// 90s, p95 150s.
	Boot *Delay `json:"boot,omitempty"`
	// Warm is the same for a stopped instance that is started again. Default: median
	// 40s, p95 60s.
	Warm *Delay `json:"warm,omitempty"`
	// Recycles: instances are stopped and kept instead of released.
	Recycles bool `json:"recycles,omitempty"`
	// Removal is how long an instance is billed after its removal was asked for.
	// Default: 30s.
	Removal *config.Duration `json:"removal,omitempty"`
	// Refusal is how long it takes until it is known that an instance could not be
	// created. Default: 20s.
	Refusal *config.Duration `json:"refusal,omitempty"`
	// Stock is how many instances the cloud has to give at once. Default: as many as
	// asked.
	Stock int `json:"stock,omitempty"`
	// Spot is the market that the instances come from. Default: none, but for groups of
	// class spot one without reclaims.
	Spot *Spot `json:"spot,omitempty"`
}

// VirtualNode is what is assumed of the virtual node.
type VirtualNode struct {
	// Start is how long a pod takes there until its containers start, the pull of its
	// image apart. Default: median 15s, p95 30s.
	Start *Delay `json:"start,omitempty"`
	// Price of its pods. Default: the node-group file's.
	Price *config.VirtualPrice `json:"price,omitempty"`
	// Labels that it carries, for builds that ask for labels of their nodes.
	Labels map[string]string `json:"labels,omitempty"`
}

// Delay is a duration with a spread.
type Delay struct {
	// Median of it.
	Median config.Duration `json:"median"`
	// P95 is its 95th percentile. Default: the median, without spread.
	P95 *config.Duration `json:"p95,omitempty"`
}

// Spot is a spot market.
type Spot struct {
	// Protected is how long an instance is safe after its creation. Default: 1h.
	Protected *config.Duration `json:"protected,omitempty"`
	// Notice is how long before its end a reclaim is known. Default: 5m.
	Notice *config.Duration `json:"notice,omitempty"`
	// ReclaimsPerHour of an unprotected instance. Default: 0.
	ReclaimsPerHour float64 `json:"reclaimsPerHour,omitempty"`
	// Mass are instants at which a share of the instances is taken.
	Mass []Mass `json:"mass,omitempty"`
}

// Mass takes a share of a group's unprotected instances at once.
type Mass struct {
	// At is when, after the builds' start.
	At config.Duration `json:"at"`
	// Share of the unprotected instances, 0 to 1.
	Share float64 `json:"share"`
}

// Image is a container image as kubelets see it.
type Image struct {
	// Name as the builds have it.
	Name string `json:"name"`
	// Pull is how long the first build on a node waits for it.
	Pull config.Duration `json:"pull,omitempty"`
	// Baked into the nodes' own image: no pull.
	Baked bool `json:"baked,omitempty"`
}

// Stockout is a window in which the cloud has fewer instances of a group to give.
type Stockout struct {
	// Group by name.
	Group string `json:"group"`
	// From and Until, after the builds' start.
	From  config.Duration `json:"from"`
	Until config.Duration `json:"until"`
	// Stock that is left. Default: none.
	Stock int `json:"stock,omitempty"`
}

// Autoscaler says how cluster-autoscaler is started.
type Autoscaler struct {
	// Flags as on its command line, such as --scale-down-unneeded-time=5m.
	Flags []string `json:"flags,omitempty"`
	// Release is its minor release, 36 for 1.36, the default.
	Release int `json:"release,omitempty"`
	// EvictableBuilds: builds may be drained from half-empty nodes.
	EvictableBuilds bool `json:"evictableBuilds,omitempty"`
	// LoopTime is how long one of its loops takes. Default: 0s.
	LoopTime config.Duration `json:"loopTime,omitempty"`
}

// Variant is one of several runs that are compared.
type Variant struct {
	// Name of the variant.
	Name string `json:"name"`
	// NodeGroups is its node-group file, in place of the simulation's.
	NodeGroups string `json:"nodeGroups,omitempty"`
	// Flags of cluster-autoscaler, after the simulation's.
	Flags []string `json:"flags,omitempty"`
	// Scheduler in place of the simulation's.
	Scheduler string `json:"scheduler,omitempty"`
	// WithoutOverflow leaves the node-group file's overflow out.
	WithoutOverflow bool `json:"withoutOverflow,omitempty"`
}
