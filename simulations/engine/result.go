package engine

import "time"

// Result is all that a run tells. Times are after the trace's start.
type Result struct {
	// End is when the last build was done and the groups were back at their floors, or
	// the run's horizon.
	End time.Duration
	// Builds has one entry per build of the trace, by its index there.
	Builds []BuildResult
	// Groups are in the order of the settings.
	Groups []GroupResult
	// Nodes has one entry per node that ever was, in order of request.
	Nodes []NodeResult
	// Timeline has one point per step of Settings.TimelineStep, the first at 0; nil if
	// the step is 0.
	Timeline []Point
	// Overflow is what the virtual node did, by class in the order of the settings; nil
	// if there is none.
	Overflow []OverflowResult
	// Loops counts the autoscaler's loops that did or could have done something; the
	// others were skipped over.
	Loops int
}

// BuildResult is what became of a build.
type BuildResult struct {
	// Started is when its containers last started to run, and Ended when it was done;
	// both are Never for a build that never ran or never ended.
	Started, Ended time.Duration
	// Group is an index into Settings.Groups, -1 while it never ran on a node; Node one
	// into Result.Nodes.
	Group, Node int32
	// Interruptions counts how often its node was taken away and it began anew.
	Interruptions int32
	// Lost is how long it had run, all tries together, when its nodes were taken.
	Lost time.Duration
	// Cause is what its wait is put down to.
	Cause Cause
	// Virtual: it moved to the virtual node, and Group and Node are -1.
	Virtual bool
}

// Never is the time of what did not happen.
const Never time.Duration = -1

// Cause is what the longest part of a build's wait was spent on.
type Cause uint8

// The causes of waits.
const (
	NoWait     Cause = iota // it started within a second or two: room was there
	Scanning                // for cluster-autoscaler's next loop, or one option per loop
	GPUDelay                // a young GPU pod held scale-ups back (allPodsAreNew)
	AtMax                   // every group that takes it was at its max
	OutOfStock              // the cloud had no instance to give
	Backoff                 // every group that takes it was backed off
	Booting                 // for a node to be created and to join
	Pulling                 // for its image on a cold node
	Reclaimed               // it had to begin anew after its node was taken
	Unplaced                // no group's node could ever hold it
	Starting                // for the virtual node to start it
	causes
)

var causeNames = [causes]string{
	"none", "scan", "gpu-delay", "max", "stock", "backoff", "boot", "image", "reclaim", "impossible", "virtual",
}

func (c Cause) String() string {
	if c < causes {
		return causeNames[c]
	}
	return "unknown"
}

// Causes returns every cause, in order.
func Causes() []Cause {
	all := make([]Cause, causes)
	for i := range all {
		all[i] = Cause(i)
	}
	return all
}

// GroupResult is what a group did.
type GroupResult struct {
	Name string
	// ScaleUps counts IncreaseSize requests, NodesAdded the nodes they brought,
	// NodesRemoved those that cluster-autoscaler removed.
	ScaleUps, NodesAdded, NodesRemoved int
	// Failed counts instances that could not be created; Reclaimed those the cloud
	// took back.
	Failed, Reclaimed int
	// Interrupted counts builds that lost their node.
	Interrupted int
	// Peak is the most nodes billed at once.
	Peak int
	// Billed is the sum of the nodes' times from creation to removal, Booting that
	// before they were Ready, Idle that during which no build ran on a Ready node. In
	// node time: two nodes for an hour are two hours.
	Billed, Booting, Idle time.Duration
	// Cost is what Billed costs at the group's prices, in the settings' currency.
	Cost float64
}

// NodeResult is the life of one node. A time that did not come is Never.
type NodeResult struct {
	Group                              int32
	Requested, Created, Ready, Removed time.Duration
	// Spot reclaim ended it, rather than cluster-autoscaler.
	Reclaimed bool
	// Busy is how long at least one build ran on it, Builds how many ran.
	Busy   time.Duration
	Builds int32
	// Cost of its whole life.
	Cost float64
}
