package account

import "time"

// What a change is done with, where that is more than one value.
type (
	healthChange struct{ InstanceID, Status string }

	standbyChange struct {
		GroupID     string
		InstanceIDs []string
		From, To    InstanceState
	}

	suspension struct {
		GroupID   string
		Processes []string
		Suspend   bool
	}

	heartbeat struct {
		HookID, Token string
		Timeout       time.Duration
	}

	reclamation struct {
		InstanceID string
		Notice     time.Duration
	}

	groupEdit struct {
		GroupID string
		Change  GroupChange
	}

	ruleExecution struct{ ARI, Token string }
)

// deeds is how each change is done again. It is filled at start, because the methods
// refer to Redo's account, which refers to them.
var deeds map[string]func(*Account, Change) error

func init() {
	deeds = map[string]func(*Account, Change) error{
		"ScaleWithAdjustment": again(func(a *Account, r Adjustment) { _, _ = a.ScaleWithAdjustment(r) }),
		"ExecuteScalingRule":  again(func(a *Account, r ruleExecution) { _, _ = a.ExecuteRule(r.ARI, r.Token) }),
		"ModifyScalingGroup":  again(func(a *Account, m Modification) { _ = a.ModifyGroup(m) }),
		"EnableScalingGroup":  again(func(a *Account, id string) { _ = a.EnableGroup(id) }),
		"DisableScalingGroup": again(func(a *Account, id string) { _ = a.DisableGroup(id) }),
		"RemoveInstances":     again(func(a *Account, r Removal) { _, _ = a.RemoveInstances(r) }),
		"AttachInstances":     again(func(a *Account, r Attachment) { _, _ = a.AttachInstances(r) }),
		"DetachInstances":     again(func(a *Account, r Removal) { _, _ = a.DetachInstances(r) }),
		"SetProtection":       again(func(a *Account, p Protection) { _ = a.SetProtection(p) }),
		"ChangeStandby":       again(func(a *Account, s standbyChange) { _ = a.changeStandby(s) }),
		"SetHealth":           again(func(a *Account, h healthChange) { _ = a.SetHealth(h.InstanceID, h.Status) }),
		"SuspendProcesses":    again(func(a *Account, s suspension) { _ = a.SuspendProcesses(s.GroupID, s.Processes, s.Suspend) }),
		"CompleteAction":      again(func(a *Account, c Completion) { _ = a.CompleteLifecycleAction(c) }),
		"RecordHeartbeat":     again(func(a *Account, h heartbeat) { _ = a.RecordHeartbeat(h.HookID, h.Token, h.Timeout) }),
		"SetStock":            again(func(a *Account, s Stock) { _ = a.SetStock(s) }),
		"SetDelays":           again(func(a *Account, c DelayChange) { _ = a.SetDelays(c) }),
		"SetQuotas":           again(func(a *Account, q Quotas) { _ = a.SetQuotas(q) }),
		"SetSpotPrice":        again(func(a *Account, p MarketPrice) { _ = a.SetSpotPrice(p) }),
		"EditGroup":           again(func(a *Account, e groupEdit) { _ = a.EditGroup(e.GroupID, e.Change) }),
		"Reclaim":             again(func(a *Account, r reclamation) { _ = a.Reclaim(r.InstanceID, r.Notice) }),
		"StartExclusive":      again(func(a *Account, e Exclusive) { _, _ = a.StartExclusive(e) }),
		"NoteJoined":          again(func(a *Account, id string) { _ = a.NoteJoined(id) }),
	}
}

// again decodes what a change was done with and does it. The answer was given the
// first time.
func again[T any](do func(*Account, T)) func(*Account, Change) error {
	return func(a *Account, c Change) error {
		var with T
		if err := c.Read(&with); err != nil {
			return err
		}
		do(a, with)
		return nil
	}
}
