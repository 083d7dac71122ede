package account

import "fmt"

// AdjustmentType is how ScaleWithAdjustment reads its value.
type AdjustmentType string

// The types of adjustment.
const (
	QuantityChange AdjustmentType = "QuantityChangeInCapacity"
	PercentChange  AdjustmentType = "PercentChangeInCapacity"
	TotalCapacity  AdjustmentType = "TotalCapacity"
)

// Adjustment is a ScaleWithAdjustment request.
type Adjustment struct {
	GroupID string
	Type    AdjustmentType
	Value   int
	// MinMagnitude is the least change of a percent adjustment.
	MinMagnitude int
	// Sync starts the activity at once instead of only moving the expected number.
	Sync     bool
	Metadata string
	Token    string
	// SkipHooks lets instances pass the group's hooks.
	SkipHooks HookExemption
}

func (r Adjustment) check() error {
	low, high := 0, maxGroupSize
	switch r.Type {
	case QuantityChange:
		low, high = -1000, 1000
	case PercentChange:
		low, high = -100, 10000
	case TotalCapacity:
	case "":
		return ErrMissing("AdjustmentType")
	default:
		return ErrInvalid("AdjustmentType", "it is none of QuantityChangeInCapacity, PercentChangeInCapacity, TotalCapacity")
	}
	if r.Value < low || r.Value > high {
		return ErrInvalid("AdjustmentValue", fmt.Sprintf("%d is not between %d and %d", r.Value, low, high))
	}
	return nil
}

// ScaleWithAdjustment changes a group's number of instances, clamped into its min
// and max.
//
// In expected-number mode it moves the expected number, and a relative adjustment
// counts from the stable instances, not from the expected number: two in a row lose
// the first. Without the mode it starts an activity, and only if none is running.
func (a *Account) ScaleWithAdjustment(r Adjustment) (Result, error) {
	leave, err := a.enterToChange("ScaleWithAdjustment", r)
	if err != nil {
		return Result{}, err
	}
	defer leave()
	return a.once(r.Token, r, func() (Result, error) { return a.adjust(r) })
}

func (a *Account) adjust(r Adjustment) (Result, error) {
	if err := r.check(); err != nil {
		return Result{}, err
	}
	g, err := a.freeGroup(r.GroupID)
	if err != nil {
		return Result{}, err
	}
	if g.expected {
		return a.adjustExpected(g, r)
	}
	return a.adjustTotal(g, r)
}

// wanted is the number of instances an adjustment asks for, given what there is.
func (r Adjustment) wanted(current int) int {
	switch r.Type {
	case QuantityChange:
		return current + r.Value
	case PercentChange:
		change := current * r.Value / 100
		switch {
		case r.Value > 0:
			change = max(change, r.MinMagnitude)
		case r.Value < 0:
			change = min(change, -r.MinMagnitude)
		}
		return current + change
	}
	return r.Value
}

func userCause(from, to int) string {
	return fmt.Sprintf("A user requests to execute a scaling adjustment, changing the Total Capacity from \"%d\" to \"%d\".", from, to)
}

func (a *Account) adjustExpected(g *group, r Adjustment) (Result, error) {
	to := g.clamp(r.wanted(g.capacity.Stable()))
	if to == g.desired {
		return Result{}, errNoChange()
	}
	cause := userCause(g.desired, to)
	g.desired = to
	if r.Sync {
		if act := a.startTowards(g, cause, r); act != nil {
			a.settle(g)
			return Result{ActivityID: act.id}, nil
		}
	}
	act := a.recordChange(g, cause, r.Metadata)
	a.settle(g)
	return Result{ActivityID: act.id, ActivityType: "CapacityChange"}, nil
}

// startTowards starts the activity that brings a group nearer to its expected
// number, or returns nil when there is nothing to start now.
func (a *Account) startTowards(g *group, cause string, r Adjustment) *activity {
	missing, surplus := g.deviation()
	o := order{cause: cause, trigger: triggeredByAPI, metadata: r.Metadata, policy: g.scaling, skipHooks: r.SkipHooks}
	if missing > 0 {
		o.number = min(missing, maxPerActivity)
		return a.startScaleOut(g, o)
	}
	if victims := g.chooseVictims(min(surplus, maxPerActivity)); len(victims) > 0 {
		o.number = len(victims)
		return a.startScaleIn(g, victims, o)
	}
	return nil
}

func (a *Account) adjustTotal(g *group, r Adjustment) (Result, error) {
	current := g.capacity.Live()
	to := g.clamp(r.wanted(current))
	o := order{cause: userCause(current, to), trigger: triggeredByAPI, metadata: r.Metadata, policy: g.scaling, skipHooks: r.SkipHooks}
	switch {
	case to > current:
		o.number = min(to-current, maxPerActivity)
		return Result{ActivityID: a.startScaleOut(g, o).id}, nil
	case to < current:
		victims := g.chooseVictims(min(current-to, maxPerActivity))
		if len(victims) > 0 {
			o.number = len(victims)
			return Result{ActivityID: a.startScaleIn(g, victims, o).id}, nil
		}
	}
	return Result{}, errNoChange()
}
