package account

import (
	"slices"
	"time"
)

// maxPerActivity is the most instances one scaling activity adds or removes (ESS
// quota MaxNumberOfScalingInstances).
const maxPerActivity = 500

// keptActivities is how many finished activities a group remembers.
const keptActivities = 1000

type group struct {
	id, name  string
	min, max  int
	desired   int
	expected  bool // expected-number mode
	lifecycle GroupLifecycle
	suspended []string
	policy    MultiAZPolicy
	scaling   ScalingPolicy
	vSwitches []string
	tags      map[string]string
	launch    *launch
	created   time.Time
	modified  time.Time

	// instances in the order of their creation, which is the order of the lists.
	instances []*instance
	counters  Counters
	// capacity is the counters by weight; without weights they are the same.
	capacity Counters
	spot     int
	health   HealthCheckType
	mixture  mixture
	hooks    []Hook
	rules    []Rule
	// activities, oldest first.
	activities []*activity
	running    int // activities in progress
	// missing is how many instances the activities in progress could not create;
	// until such an activity ends, nobody else tries to create them.
	missing int
	// nextCheck is when ESS looks at the number of instances; zero: not planned.
	nextCheck time.Time
	// exclusive is the running activity that no other may run beside; nil: none.
	exclusive *activity
	// failingSince is when creations began to fail in a row; zero: they do not.
	failingSince time.Time
	// revision counts the changes of instances, for the journal of the lists.
	revision uint64
	journal  []snapshot
}

func newGroup(cfg ScalingGroup, l *launch, now time.Time) *group {
	return &group{
		id:        cfg.ID,
		name:      cfg.Name,
		min:       cfg.Min,
		max:       cfg.Max,
		desired:   *cfg.Desired,
		expected:  cfg.ExpectedNumberMode,
		lifecycle: cfg.Lifecycle,
		suspended: slices.Clone(cfg.Suspended),
		health:    cfg.HealthCheckType,
		hooks:     cfg.LifecycleHooks,
		rules:     cfg.ScalingRules,
		mixture: mixture{
			base:       cfg.OnDemandBase,
			percent:    cfg.OnDemandPercentAboveBase,
			compensate: cfg.CompensateWithOnDemand,
			remedy:     cfg.SpotInstanceRemedy,
		},
		policy:    cfg.MultiAZPolicy,
		scaling:   cfg.ScalingPolicy,
		vSwitches: cfg.VSwitchIDs,
		tags:      cfg.Tags,
		launch:    l,
		created:   now,
		modified:  now,
	}
}

// Counters are a group's instances by life-cycle state.
type Counters struct {
	InService    int `json:"inService"`
	Pending      int `json:"pending"`
	PendingWait  int `json:"pendingWait"`
	Protected    int `json:"protected"`
	Standby      int `json:"standby"`
	Stopped      int `json:"stopped"`
	Removing     int `json:"removing"`
	RemovingWait int `json:"removingWait"`
}

// Total is the number of instances in whatever state.
func (c Counters) Total() int {
	return c.Live() + c.Stopped + c.Removing + c.RemovingWait
}

// Stable counts the instances that ESS calls stable.
func (c Counters) Stable() int { return c.InService + c.Protected + c.Standby }

// Live counts the instances that are there to stay: stable or on the way.
func (c Counters) Live() int { return c.Stable() + c.Pending + c.PendingWait }

func (c *Counters) of(state InstanceState) *int {
	switch state {
	case Pending:
		return &c.Pending
	case PendingWait:
		return &c.PendingWait
	case InService:
		return &c.InService
	case Protected:
		return &c.Protected
	case Standby:
		return &c.Standby
	case Stopped:
		return &c.Stopped
	case Removing:
		return &c.Removing
	}
	return &c.RemovingWait
}

func (g *group) allows(process string) bool { return !slices.Contains(g.suspended, process) }

func (g *group) clamp(n int) int { return min(max(n, g.min), g.max) }

// count adds an instance to the counters of its state, or takes it away again.
func (g *group) count(i *instance, sign int) {
	*g.counters.of(i.state) += sign
	*g.capacity.of(i.state) += sign * i.weight
	g.revision++
}

// weighted reports whether instances of the group may count as more than one.
func (g *group) weighted() bool { return len(g.launch.weights) > 0 }

// forget drops an instance that is gone.
func (g *group) forget(i *instance) {
	g.count(i, -1)
	if i.spot != NoSpot {
		g.spot--
	}
	at, _ := slices.BinarySearchFunc(g.instances, i.sequence, func(x *instance, sequence uint64) int {
		return int(x.sequence) - int(sequence)
	})
	g.instances = slices.Delete(g.instances, at, at+1)
}
