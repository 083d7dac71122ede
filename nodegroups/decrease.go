package nodegroups

import (
	"context"
	"errors"
	"fmt"

	"github.com/buildpool/buildpool/cloudprovider"
)

// DecreaseTargetSize implements cloudprovider.Provider. CA gives up instances that
// never came; some may have come since it decided, and newer releases ask for the
// whole increase back even if a part arrived (kubernetes/autoscaler#9120). So the
// target stops at what exists, and the answer is OK: an error would abort CA's loop
// for ever (#6128).
func (p *Provider) DecreaseTargetSize(ctx context.Context, groupID string, delta int) error {
	if delta >= 0 {
		return fmt.Errorf("decrease target of group %q by %d: %w: delta must be negative", groupID, delta, cloudprovider.ErrInvalidArgument)
	}
	m, err := p.member(groupID)
	if err != nil {
		return err
	}
	if err := m.writing.acquire(ctx); err != nil {
		return fmt.Errorf("decrease target of group %q: wait for the write before: %w", groupID, err)
	}
	defer m.writing.release()

	alive, err := p.liveNow(ctx, m)
	if err != nil {
		p.Log.Warn("target is lowered by the last snapshot, the group cannot be read", "group", groupID, "error", err)
	}
	from := p.stateOf(m).target
	to := max(alive, from+delta)
	p.Log.Info("target lowered", "group", groupID, "scaling_group", m.cloudID, "asked", delta, "from", from, "to", to, "instances", alive)
	if to >= from {
		return nil
	}
	p.change(m, func(s groupState) groupState { return s.owes(to) })
	p.payNow(ctx, m)
	return nil
}

// liveNow counts the instances that exist now; with an error, those that existed at
// the last look.
func (p *Provider) liveNow(ctx context.Context, m *member) (int, error) {
	group, err := p.freshGroup(ctx, m)
	if err != nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		return m.seen.liveCount(), err
	}
	return countersLive(group), nil
}

// payDebts writes every target the cloud has yet to be told of.
func (p *Provider) payDebts(ctx context.Context) {
	p.mu.Lock()
	var debtors []*member
	for _, g := range p.cfg.Groups {
		if m := p.members[g.Name]; m.problem == "" && m.state.owed {
			debtors = append(debtors, m)
		}
	}
	p.mu.Unlock()
	for _, m := range debtors {
		if m.writing.acquire(ctx) != nil {
			return
		}
		p.payNow(ctx, m)
		m.writing.release()
	}
}

// payNow makes the cloud's desired number equal to the target, if that removes
// nothing. It may be put off to the next refresh without harm: the target that CA
// sees is right already. The caller holds the member's write semaphore.
func (p *Provider) payNow(ctx context.Context, m *member) {
	err := p.settle(ctx, m)
	switch {
	case err == nil:
	case errors.Is(err, errNotYet):
		p.Log.Debug("desired number is settled later", "group", m.config.Name, "reason", err)
	default:
		p.Log.Warn("desired number is settled later", "group", m.config.Name, "scaling_group", m.cloudID, "error", err)
	}
}

// errNotYet: lowering the desired number now could remove an instance.
var errNotYet = errors.New("not yet")

// settle writes the owed target. Lowering the desired number below what exists or is
// being created would make the cloud choose victims, so it waits until no creation
// is in progress, and never goes below what is there.
func (p *Provider) settle(ctx context.Context, m *member) error {
	state := p.stateOf(m)
	if !state.owed {
		return nil
	}
	group, err := p.freshGroup(ctx, m)
	if err != nil {
		return err
	}
	now := p.Clock.Now()
	alive := countersLive(group)
	lowering := group.ExpectedNumberMode && state.target < group.Desired
	if lowering {
		activities, err := p.Cloud.Activities(ctx, group.ID)
		if err != nil {
			return fmt.Errorf("read activities: %w", err)
		}
		if n := inProgress(activities); n > 0 || alive > state.target {
			return fmt.Errorf("%d instances in creation, %d exist, target %d: %w", n, alive, state.target, errNotYet)
		}
	}
	if group.Desired == state.target || (!group.ExpectedNumberMode && alive >= state.target) {
		p.change(m, func(s groupState) groupState { return s.paid(now) })
		return nil
	}
	token := p.NewToken()
	activity, err := p.Cloud.SetCapacity(ctx, cloudprovider.SetCapacity{
		GroupID: m.cloudID, Total: state.target, Token: token, Metadata: activityMetadata(token),
	})
	if err != nil && !errors.Is(err, cloudprovider.ErrNoChange) {
		return fmt.Errorf("set desired number %d: %w", state.target, err)
	}
	p.Log.Info("desired number settled", "group", m.config.Name, "scaling_group", m.cloudID,
		"from", group.Desired, "to", state.target, "activity", activity, "token", token)
	p.change(m, func(s groupState) groupState {
		if lowering {
			return s.paid(now)
		}
		return s.repaid(activity, state.target-alive, now)
	})
	return nil
}
