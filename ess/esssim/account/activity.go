package account

import (
	"fmt"
	"time"
)

// ActivityStatus is the state of a scaling activity.
type ActivityStatus string

// ESS's states of a scaling activity.
const (
	InProgress ActivityStatus = "InProgress"
	Successful ActivityStatus = "Successful"
	Warning    ActivityStatus = "Warning" // partly done
	Failed     ActivityStatus = "Failed"
	Rejected   ActivityStatus = "Rejected"
)

// ActivityKind is what a scaling activity does.
type ActivityKind string

// The kinds of activity. A capacity change only moves the expected number.
const (
	AddInstances    ActivityKind = "add"
	RemoveInstances ActivityKind = "remove"
	CapacityChange  ActivityKind = "capacityChange"
	// AttachedInstances takes in instances that somebody else has made.
	AttachedInstances ActivityKind = "attach"
)

// noStock is the error of an activity that found too little to create.
var noStock = ActivityError{
	Code:    "OperationDenied.NoStock",
	Message: "The resource is out of stock in the specified zone. Please try other types, or choose other regions and zones.",
}

// ActivityError is one reason why an activity could not do all it was to do.
type ActivityError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// noFailure is the instant of a failure that is not there.
var noFailure time.Time

type activity struct {
	id        string
	group     *group
	kind      ActivityKind
	status    ActivityStatus
	started   time.Time
	ended     time.Time
	number    int // instances it set out to add or remove
	missing   int // instances it could not
	pending   []*instance
	done      []string // instances created, attached or released
	restarted []string // stopped instances that were started
	stopped   []string // instances that were stopped
	detached  []string // instances that left the group and run on
	lack      []ActivityError
	parts     int // of a scale-out that have not ended
	lowered   int // of the expected number, by a removal
	policy    ScalingPolicy
	// detachAll: nothing is released, whoever made it.
	detachAll bool
	skipHooks HookExemption
	actions   []*lifecycleAction
	// replaces is the spot instance that a supplement makes up for.
	replaces *instance
	errors   []ActivityError
	cause    string
	trigger  string // APIs or Ess
	metadata string
}

// order is what an activity is to do and on whose behalf.
type order struct {
	kind     ActivityKind
	number   int
	cause    string
	trigger  string
	metadata string
	// policy is what becomes of removed instances; empty is release.
	policy ScalingPolicy
	// lowers: the removal lowers the expected number.
	lowers    bool
	skipHooks HookExemption
}

// The values of TriggerSourceType that the account uses.
const (
	triggeredByAPI = "APIs"
	triggeredByESS = "Ess"
)

func (a *Account) openActivity(g *group, o order) *activity {
	act := &activity{
		id:       a.ids.next("asa-"),
		group:    g,
		kind:     o.kind,
		status:   InProgress,
		started:  a.now,
		number:   o.number,
		cause:    o.cause,
		trigger:  o.trigger,
		metadata: o.metadata,

		policy:    o.policy,
		skipHooks: o.skipHooks,
	}
	a.activities[act.id] = act
	g.activities = append(g.activities, act)
	g.running++
	a.forgetActivities(g)
	return act
}

// forgetActivities drops the oldest finished activities beyond those kept. It does
// so in batches, because dropping moves the whole list.
func (a *Account) forgetActivities(g *group) {
	if len(g.activities) < keptActivities+100 {
		return
	}
	excess := len(g.activities) - keptActivities
	kept := make([]*activity, 0, keptActivities+100)
	for at, act := range g.activities {
		if at < excess && act.status != InProgress {
			delete(a.activities, act.id)
			for _, action := range act.actions {
				delete(a.actions, action.token)
			}
			continue
		}
		kept = append(kept, act)
	}
	g.activities = kept
}

func (a *Account) closeActivity(act *activity, status ActivityStatus) {
	act.status = status
	act.ended = a.now
	act.pending = nil
	act.group.running--
}

// recordChange writes an activity that only moves the expected number.
func (a *Account) recordChange(g *group, cause, metadata string) *activity {
	act := a.openActivity(g, order{kind: CapacityChange, cause: cause, trigger: triggeredByAPI, metadata: metadata})
	a.closeActivity(act, Successful)
	return act
}

func (act *activity) description() string {
	switch act.kind {
	case AddInstances:
		return fmt.Sprintf("Add \"%d\" ECS instance", act.number)
	case RemoveInstances:
		return fmt.Sprintf("Remove \"%d\" ECS instance", act.number)
	case AttachedInstances:
		return fmt.Sprintf("Attach \"%d\" ECS instance", act.number)
	}
	return "Change the expected number of instances"
}

func (act *activity) statusMessage() string {
	verb := "added"
	if act.kind == RemoveInstances {
		verb = "removed"
	}
	done := len(act.done) + len(act.restarted) + len(act.stopped) + len(act.detached)
	switch {
	case act.status == Rejected:
		return "The scaling activity is rejected: " + act.errors[0].Message
	case act.kind == CapacityChange:
		return "The expected number of instances is changed"
	case act.status == InProgress:
		return ""
	case len(act.errors) > 0 && done == 0:
		return "Fail to scale instances: " + act.errors[0].Message
	}
	return fmt.Sprintf("\"%d\" ECS instances are %s", done, verb)
}

func (act *activity) progress() int {
	if act.status == InProgress {
		return 0
	}
	return 100
}
