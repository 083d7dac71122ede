package engine

import "time"

// Autoscaler are cluster-autoscaler's flags, under its own names and with its own
// defaults (release 1.36) where DefaultAutoscaler makes them.
type Autoscaler struct {
	ScanInterval                  time.Duration // --scan-interval
	Expander                      []string      // --expander: least-waste, random, priority, price, most-pods, least-nodes, grpc
	NewPodScaleUpDelay            time.Duration // --new-pod-scale-up-delay
	MaxNodeProvisionTime          time.Duration // --max-node-provision-time
	ScaleDownEnabled              bool          // --scale-down-enabled
	ScaleDownDelayAfterAdd        time.Duration // --scale-down-delay-after-add
	ScaleDownDelayAfterDelete     time.Duration // --scale-down-delay-after-delete
	ScaleDownDelayAfterFailure    time.Duration // --scale-down-delay-after-failure
	ScaleDownDelayTypeLocal       bool          // --scale-down-delay-type-local
	ScaleDownUnneededTime         time.Duration // --scale-down-unneeded-time
	ScaleDownUnreadyTime          time.Duration // --scale-down-unready-time
	ScaleDownUtilizationThreshold float64       // --scale-down-utilization-threshold
	ScaleDownGPUUtilization       float64       // --scale-down-gpu-utilization-threshold
	UnremovableNodeRecheckTimeout time.Duration // --unremovable-node-recheck-timeout
	MaxEmptyBulkDelete            int           // --max-empty-bulk-delete
	MaxScaleDownParallelism       int           // --max-scale-down-parallelism
	MaxDrainParallelism           int           // --max-drain-parallelism
	MaxNodesPerScaleUp            int           // --max-nodes-per-scaleup
	MaxNodesTotal                 int           // --max-nodes-total
	InitialNodeGroupBackoff       time.Duration // --initial-node-group-backoff-duration
	MaxNodeGroupBackoff           time.Duration // --max-node-group-backoff-duration
	NodeGroupBackoffReset         time.Duration // --node-group-backoff-reset-timeout
	BalanceSimilarNodeGroups      bool          // --balance-similar-node-groups
	EnforceNodeGroupMinSize       bool          // --enforce-node-group-min-size
	NodeDeleteDelayAfterTaint     time.Duration // --node-delete-delay-after-taint
	MaxBulkSoftTaintCount         int           // --max-bulk-soft-taint-count
	FrequentLoops                 bool          // --frequent-loops-enabled
	BalancingIgnoreLabels         []string      // --balancing-ignore-label
	// EvictableBuilds: builds may be drained, because nothing marks them
	// safe-to-evict=false and they have a controller.
	EvictableBuilds bool
	// LoopTime is how long a loop itself takes, which --scan-interval is added to.
	LoopTime time.Duration
	// Release is the minor release of cluster-autoscaler, 36 for 1.36. From 35 on it
	// keeps its own flags where a group sets options, unless the group allows it.
	Release int
}

// DefaultAutoscaler is cluster-autoscaler 1.36 as it starts without flags
// (config/flags/flags.go, config/const.go).
func DefaultAutoscaler() Autoscaler {
	return Autoscaler{
		ScanInterval:                  10 * time.Second,
		Expander:                      []string{LeastWaste},
		MaxNodeProvisionTime:          15 * time.Minute,
		ScaleDownEnabled:              true,
		ScaleDownDelayAfterAdd:        10 * time.Minute,
		ScaleDownDelayAfterFailure:    3 * time.Minute,
		ScaleDownUnneededTime:         10 * time.Minute,
		ScaleDownUnreadyTime:          20 * time.Minute,
		ScaleDownUtilizationThreshold: 0.5,
		ScaleDownGPUUtilization:       0.5,
		UnremovableNodeRecheckTimeout: 5 * time.Minute,
		MaxEmptyBulkDelete:            10,
		MaxScaleDownParallelism:       10,
		MaxDrainParallelism:           1,
		MaxNodesPerScaleUp:            1000,
		InitialNodeGroupBackoff:       5 * time.Minute,
		MaxNodeGroupBackoff:           30 * time.Minute,
		NodeGroupBackoffReset:         3 * time.Hour,
		NodeDeleteDelayAfterTaint:     5 * time.Second,
		MaxBulkSoftTaintCount:         10,
		FrequentLoops:                 true,
		Release:                       36,
	}
}

// The expanders of --expander.
const (
	LeastWaste = "least-waste"
	LeastNodes = "least-nodes"
	MostPods   = "most-pods"
	Random     = "random"
	ByPriority = "priority"
	ByPrice    = "price"
	GRPC       = "grpc" // buildpool's own policy
)

// Scheduler is how kube-scheduler scores nodes.
type Scheduler string

// The scheduler's strategies.
const (
	LeastAllocated Scheduler = "LeastAllocated" // with BalancedAllocation, kube-scheduler's default
	MostAllocated  Scheduler = "MostAllocated"
)
