package cloudprovider

import "time"

// Expander chooses the node group that CA is to grow. It is safe for concurrent
// use and answers from memory.
type Expander interface {
	// BestOptions ranks the options. It returns ErrNotReady until the groups are
	// known; CA then goes on as if nobody had been asked.
	BestOptions(options []ExpansionOption) (Expansion, error)
}

// ExpansionOption is one way in which CA could make room for pods that wait.
type ExpansionOption struct {
	// GroupID is the group that would grow, by NodeCount nodes.
	GroupID   string
	NodeCount int
	// Debug is CA's own description.
	Debug string
	// Demand sums up what the option's pods ask for. It may be costly and is called
	// only where the choice depends on it. It fails if a pod cannot be read.
	Demand func() (PodDemand, error)
	// Node is what one of the nodes offers, as CA sees it; ok is false if CA did not
	// say. Called only where the choice depends on it.
	Node func() (offer NodeOffer, ok bool)
}

// PodDemand is what a set of pods asks for together.
type PodDemand struct {
	// Pods is how many there are; 0 also when CA did not send them.
	Pods int
	// MilliCPU and MemoryBytes are the sums of the pods' requests.
	MilliCPU, MemoryBytes int64
	// GPU: one of them asks for a GPU.
	GPU bool
}

// NodeOffer is a node's capacity.
type NodeOffer struct {
	MilliCPU, MemoryBytes int64
}

// Expansion is a choice and why it was made.
type Expansion struct {
	// Best are the groups to answer CA with: one of ours, or all foreign ones where
	// none of ours may be chosen. Empty: the scale-up is vetoed.
	Best []string
	// Reason says what decided.
	Reason ChoiceReason
	// Ranked are all options, the best first.
	Ranked []RankedOption
}

// ChoiceReason names what set the chosen option apart from the next one.
type ChoiceReason string

// The reasons for a choice, in the order in which they decide.
const (
	ChosenOnly       ChoiceReason = "only_option" // there was one option
	ChosenHealthy    ChoiceReason = "not_skipped" // all others were skipped, or are foreign
	ChosenTier       ChoiceReason = "tier"        // its tier comes first
	ChosenPriority   ChoiceReason = "priority"    // the highest within its tier
	ChosenLeastWaste ChoiceReason = "least_waste" // leaves the least cpu and memory unused
	ChosenPrice      ChoiceReason = "price"       // costs the least
	ChosenName       ChoiceReason = "name"        // all else was equal
	ChosenLeastBad   ChoiceReason = "least_bad"   // all were skipped, and one must grow
	ChosenForeign    ChoiceReason = "foreign"     // none of ours may be chosen
	ChosenNone       ChoiceReason = "veto"        // all were skipped, and none is to grow
	ChosenNoOptions  ChoiceReason = "no_options"  // CA sent none
)

// RankedOption is one option and what its place was decided by.
type RankedOption struct {
	GroupID   string
	NodeCount int
	// Foreign: the group is none of ours, and nothing more is known of it.
	Foreign bool
	// Tier counts from 1.
	Tier     int
	Priority int
	// Skips are the reasons against the group, the worst first.
	Skips []Skip
	// Waste is the share of cpu plus that of memory that would stay unused, 0 to 2;
	// nil if it was not needed or could not be told.
	Waste *float64
	// PricePerPod is what the option's nodes cost per hour and pod, with the builds that
	// are to be expected to be lost to the spot market; nil if it was not needed or is not
	// known.
	PricePerPod *float64
}

// Skip is a reason against a group.
type Skip struct {
	Reason SkipReason
	// Code is the cloud's own, if there is one.
	Code string
	// At is when it happened, and Until when it is forgotten; both are zero for a
	// reason that time does not heal.
	At, Until time.Time
}

// SkipReason names a reason against a group.
type SkipReason string

// The reasons to skip a group.
const (
	// SkippedReclaimedOften: what builds are to be expected to be lost costs more than spot
	// instances save.
	SkippedReclaimedOften SkipReason = "reclaimed_often"

	SkippedReclaimed  SkipReason = "reclaimed"    // the cloud took an instance back
	SkippedThrottled  SkipReason = "throttled"    // a scale-up met the account's rate limit
	SkippedFailed     SkipReason = "failed"       // an instance could not be created, for another reason than stock
	SkippedOutOfStock SkipReason = "out_of_stock" // the cloud or the account had nothing to give
	SkippedInactive   SkipReason = "inactive"     // the scaling group is not active, or suspended
	SkippedNoGPUPod   SkipReason = "no_gpu_pod"   // a GPU group, and no pod asks for a GPU
)
