package nodegroups

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

// DecreaseTargetSize implements cloudprovider.Provider. CA gives up instances that
// never came; some may have come since it decided, and newer releases ask for the
// whole increase back even if a part arrived (kubernetes/autoscaler#9120). So the
// target stops at what exists, and the answer is OK: an error would abort CA's loop
// for ever (#6128).
func (p *Provider) DecreaseTargetSize(ctx context.Context, groupID string, delta int) (err error) {
	defer func() { p.note(groupID, err) }()
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

	group, err := p.readBriefly(ctx, m)
	// What CA was shown exists, although the group's counters may be late.
	state, seen := p.stateOf(m)
	alive := state.there(seen)
	if err == nil {
		var counted int
		counted, _, err = p.existing(ctx, m, group)
		alive = max(alive, counted)
	}
	if err != nil {
		p.Log.Warn("target is lowered by the last snapshot, the group cannot be read", "group", groupID, "error", err)
	}
	from := p.targetOf(m)
	to := max(alive, from+delta)
	if p.keepsTarget(m, from, to) {
		return nil
	}
	p.Log.Info("target lowered", "group", groupID, "scaling_group", m.cloudID, "asked", delta, "from", from, "to", to, "instances", alive)
	if to >= from {
		return nil
	}
	p.change(m, func(s groupState) groupState { return s.decreased(to, alive) })
	p.decided(groupID, "lowered the target to %d, it was %d: the autoscaler gave up waiting", to, from)
	if err == nil {
		p.payNow(ctx, m, group)
	}
	return nil
}

// existing counts the instances that are there or on their way, given a reading just
// made. Right after a write of ours that reading may be older than what it began, and
// the activities have to tell: those it read, nil if it read none.
func (p *Provider) existing(ctx context.Context, m *member, group cloudprovider.ScalingGroup) (int, []cloudprovider.Activity, error) {
	state, _ := p.stateOf(m)
	if !state.lagging(p.Clock.Now()) && len(state.doubts) == 0 {
		return countersLive(group), nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, briefly)
	defer cancel()
	exact, err := p.lookClosely(ctx, m, group)
	if err != nil {
		return 0, nil, err
	}
	p.change(m, func(s groupState) groupState { return s.lose(m.seen.instances, exact).settleDoubts(exact) })
	state, _ = p.stateOf(m)
	return state.existing(exact), exact.activities, nil
}

// briefly bounds each of the cloud's calls that an RPC makes beside its own purpose.
// CA waits 5 s by default, and some of these RPCs must not fail.
const briefly = 2 * time.Second

// readBriefly reads a scaling group, if the cloud answers at all.
func (p *Provider) readBriefly(ctx context.Context, m *member) (cloudprovider.ScalingGroup, error) {
	if err := p.refuses(); err != nil {
		return cloudprovider.ScalingGroup{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, briefly)
	defer cancel()
	return p.freshGroup(ctx, m)
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
		p.pay(ctx, m)
		m.writing.release()
	}
}

// pay reads the group and settles its debt. The caller holds the write semaphore.
func (p *Provider) pay(ctx context.Context, m *member) {
	group, err := p.readBriefly(ctx, m)
	if err != nil {
		p.Log.Warn("desired number is settled later", "group", m.config.Name, "scaling_group", m.cloudID, "error", err)
		return
	}
	p.payNow(ctx, m, group)
}

// payNow makes the cloud's desired number equal to the target, if that removes
// nothing. It may be put off to the next refresh without harm: the target that CA
// sees is right already. group is a reading just made; the caller holds the member's
// write semaphore.
func (p *Provider) payNow(ctx context.Context, m *member, group cloudprovider.ScalingGroup) {
	ctx, cancel := context.WithTimeout(ctx, briefly)
	defer cancel()
	err := p.settle(ctx, m, group)
	switch {
	case err == nil:
	case errors.Is(err, errNotYet):
		p.Log.Debug("desired number is settled later", "group", m.config.Name, "reason", err)
	default:
		p.Log.Warn("desired number is settled later", "group", m.config.Name, "scaling_group", m.cloudID, "error", err)
	}
}

// errNotYet: settling the desired number now could remove an instance, or would be
// refused.
var errNotYet = errors.New("not yet")

// freshTime is how old at most a reading may be by which a number is lowered: the cloud
// begins creations by itself, for a reclaimed instance as for one that failed.
const freshTime = time.Second

// settle writes the owed target. Lowering the desired number below what exists or is
// being created would make the cloud choose victims, so it waits until no creation
// is in progress, and never goes below what is there. Raising it is for a scale-up
// that had to wait; a debt of another kind must create nothing.
func (p *Provider) settle(ctx context.Context, m *member, group cloudprovider.ScalingGroup) error {
	state, _ := p.stateOf(m)
	if !state.owed {
		return nil
	}
	if group.ExpectedNumberMode && state.lagging(p.Clock.Now()) {
		return fmt.Errorf("the reading may be older than our last write: %w", errNotYet)
	}
	read := p.Clock.Now()
	alive, activities, err := p.existing(ctx, m, group)
	if err != nil {
		return err
	}
	state, _ = p.stateOf(m) // a doubt may have been settled
	has := group.Desired
	if !group.ExpectedNumberMode {
		has = alive
	}
	switch {
	case !state.owed:
		return nil
	case !group.ExpectedNumberMode && (!state.more || has >= state.target):
		// Such a group holds no number of its own to correct.
		p.change(m, func(s groupState) groupState { s.target = max(s.target, alive); return s.square() })
		return nil
	case has == state.target:
		p.change(m, func(s groupState) groupState { s.held = has; return s.square() })
		return nil
	case has < state.target && !state.more:
		p.change(m, func(s groupState) groupState {
			s.target, s.held = max(has, alive), has
			return s.square().trimmed(alive)
		})
		return nil
	}
	if activities == nil {
		read = p.Clock.Now()
		if activities, err = p.Cloud.Activities(ctx, group.ID); err != nil {
			return fmt.Errorf("read activities: %w", err)
		}
	}
	switch running := inProgress(activities, nil); {
	case has > state.target && (running > 0 || alive > state.target):
		return fmt.Errorf("%d instances in creation, %d exist, target %d: %w", running, alive, state.target, errNotYet)
	case has > state.target && p.Clock.Since(read) > freshTime:
		return fmt.Errorf("the cloud took its time to answer, and may be creating instances by now: %w", errNotYet)
	case has < state.target && !group.ExpectedNumberMode && busy(activities):
		return fmt.Errorf("another activity is in progress: %w", errNotYet)
	}
	return p.writeDebt(ctx, m, state.target, has, alive)
}

// busy reports whether any activity is in progress.
func busy(activities []cloudprovider.Activity) bool {
	return slices.ContainsFunc(activities, func(a cloudprovider.Activity) bool { return a.Status == cloudprovider.ActivityInProgress })
}

// writeDebt makes the write and records it.
func (p *Provider) writeDebt(ctx context.Context, m *member, target, has, alive int) error {
	token, asked := p.NewToken(), p.Clock.Now()
	activity, err := p.Cloud.SetCapacity(ctx, cloudprovider.SetCapacity{
		GroupID: m.cloudID, Total: target, Token: token, Metadata: signature{Token: token, From: has, Total: target, At: asked}.String(),
	})
	if errors.Is(err, cloudprovider.ErrOutcomeUnknown) {
		now := p.Clock.Now()
		p.change(m, func(s groupState) groupState {
			return s.unanswered(doubt{token: token, change: target - s.held, asked: asked, at: now})
		})
	}
	if err != nil && !errors.Is(err, cloudprovider.ErrNoChange) {
		return fmt.Errorf("set desired number %d: %w", target, err)
	}
	p.Log.Info("desired number settled", "group", m.config.Name, "scaling_group", m.cloudID,
		"from", has, "to", target, "activity", activity, "token", token)
	now := p.Clock.Now()
	p.change(m, func(s groupState) groupState {
		if target < has {
			return s.paid(now)
		}
		return s.repaid(activity, target-alive, now)
	})
	return nil
}
