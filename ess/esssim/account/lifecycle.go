package account

import (
	"fmt"
	"slices"
	"time"
)

// Transition is when a lifecycle hook holds instances.
type Transition string

// ESS's transitions.
const (
	ScaleOutTransition Transition = "SCALE_OUT"
	ScaleInTransition  Transition = "SCALE_IN"
)

// LifecycleResult is how a lifecycle action ends.
type LifecycleResult string

// ESS's results; Rollback is for scale-in only and keeps the instances.
const (
	Continue LifecycleResult = "CONTINUE"
	Abandon  LifecycleResult = "ABANDON"
	Rollback LifecycleResult = "ROLLBACK"
)

// The states of a lifecycle action.
const (
	ActionPending   = "Pending"
	ActionCompleted = "Completed"
	ActionTimeout   = "Timeout"
)

var (
	hookAbandoned  = ActivityError{Code: "LifecycleHook.Abandoned", Message: "A lifecycle action was completed with ABANDON."}
	hookRolledBack = ActivityError{Code: "LifecycleHook.RolledBack", Message: "A lifecycle action was completed with ROLLBACK."}
)

// Hook is a lifecycle hook of a group.
type Hook struct {
	ID string `yaml:"id"`
	// Name defaults to the ID.
	Name       string     `yaml:"name"`
	Transition Transition `yaml:"transition"`
	// HeartbeatTimeout is how long instances wait. ESS's default: 10m.
	HeartbeatTimeout Duration `yaml:"heartbeatTimeout"`
	// DefaultResult is what follows a timeout. ESS's default: CONTINUE.
	DefaultResult LifecycleResult `yaml:"defaultResult"`
}

const (
	minHeartbeat = 30 * time.Second
	maxHeartbeat = 21600 * time.Second
)

func (h *Hook) fillDefaults() {
	setDefault(&h.Name, h.ID)
	setDefault(&h.HeartbeatTimeout, Duration(600*time.Second))
	setDefault(&h.DefaultResult, Continue)
}

func validateHooks(p *problems, path string, hooks []Hook) {
	seen := map[string]bool{}
	for i, h := range hooks {
		at := fmt.Sprintf("%s.lifecycleHooks[%d]", path, i)
		p.unique(seen, at+".id", h.ID)
		oneOf(p, at+".transition", h.Transition, ScaleOutTransition, ScaleInTransition)
		oneOf(p, at+".defaultResult", h.DefaultResult, Continue, Abandon)
		if t := time.Duration(h.HeartbeatTimeout); t < minHeartbeat || t > maxHeartbeat {
			p.add(at+".heartbeatTimeout", "%v is not between %v and %v", t, minHeartbeat, maxHeartbeat)
		}
	}
}

// lifecycleAction is one hook holding the instances of an activity.
type lifecycleAction struct {
	token     string
	hook      Hook
	instances []*instance
	status    string
	result    LifecycleResult
	deadline  time.Time
	hold      *hold
}

// hold is the instances of an activity that wait for all hooks of a transition.
type hold struct {
	actions []*lifecycleAction
	pending int
	then    func(LifecycleResult)
}

// hold lets the group's hooks hold instances and goes on when all have let go; it
// goes on at once when there are none.
func (a *Account) hold(act *activity, t Transition, instances []*instance, then func(LifecycleResult)) {
	h := &hold{then: then}
	for _, hook := range act.group.hooks {
		if hook.Transition != t || len(instances) == 0 || act.skipHooks.skips(hook) {
			continue
		}
		action := &lifecycleAction{token: a.ids.next("lat-"), hook: hook, instances: instances, status: ActionPending, hold: h}
		a.actions[action.token] = action
		h.actions = append(h.actions, action)
		h.pending++
	}
	if h.pending == 0 {
		then(Continue)
		return
	}
	act.actions = append(act.actions, h.actions...)
	waiting := PendingWait
	if t == ScaleInTransition {
		waiting = RemovingWait
	}
	for _, i := range instances {
		i.enter(waiting)
	}
	for _, action := range h.actions {
		a.extend(action, time.Duration(action.hook.HeartbeatTimeout))
	}
}

// extend sets an action's deadline anew; an earlier one then finds that it is not
// the deadline any more.
func (a *Account) extend(action *lifecycleAction, timeout time.Duration) {
	deadline := a.now.Add(timeout)
	action.deadline = deadline
	a.after(timeout, func() {
		if action.status == ActionPending && action.deadline.Equal(deadline) {
			a.complete(action, action.hook.DefaultResult, ActionTimeout)
		}
	})
}

// complete ends an action. One that does not continue ends those beside it too.
func (a *Account) complete(action *lifecycleAction, result LifecycleResult, status string) {
	h := action.hold
	action.status, action.result = status, result
	h.pending--
	if result != Continue {
		for _, other := range h.actions {
			if other.status == ActionPending {
				other.status, other.result = ActionCompleted, result
				h.pending--
			}
		}
	}
	if h.pending == 0 {
		h.then(result)
	}
}

// Completion is a CompleteLifecycleAction request.
type Completion struct {
	HookID, Token string
	// Result is CONTINUE if it is empty.
	Result LifecycleResult
}

func (a *Account) pendingAction(hookID, token string) (*lifecycleAction, error) {
	action, ok := a.actions[token]
	if !ok || action.hook.ID != hookID || action.status != ActionPending {
		return nil, &Error{400, "LifecycleHookIdAndLifecycleActionToken.Invalid", "The specified lifecycleActionToken and lifecycleHookId you provided does not match any in process lifecycle action."}
	}
	return action, nil
}

// CompleteLifecycleAction ends a hook's wait.
func (a *Account) CompleteLifecycleAction(c Completion) error {
	leave, err := a.enterToChange("CompleteAction", c)
	if err != nil {
		return err
	}
	defer leave()
	action, err := a.pendingAction(c.HookID, c.Token)
	if err != nil {
		return err
	}
	setDefault(&c.Result, Continue)
	allowed := []LifecycleResult{Continue, Abandon}
	if action.hook.Transition == ScaleInTransition {
		allowed = append(allowed, Rollback)
	}
	if !slices.Contains(allowed, c.Result) {
		return ErrInvalid("LifecycleActionResult", fmt.Sprintf("it is none of %v", allowed))
	}
	a.complete(action, c.Result, ActionCompleted)
	return nil
}

// RecordHeartbeat makes a hook wait longer, from now; timeout 0 is the hook's own.
func (a *Account) RecordHeartbeat(hookID, token string, timeout time.Duration) error {
	leave, err := a.enterToChange("RecordHeartbeat", heartbeat{hookID, token, timeout})
	if err != nil {
		return err
	}
	defer leave()
	action, err := a.pendingAction(hookID, token)
	if err != nil {
		return err
	}
	setDefault(&timeout, time.Duration(action.hook.HeartbeatTimeout))
	if timeout < minHeartbeat || timeout > maxHeartbeat {
		return ErrInvalid("HeartbeatTimeout", fmt.Sprintf("it is not between %v and %v", minHeartbeat, maxHeartbeat))
	}
	a.extend(action, timeout)
	return nil
}
