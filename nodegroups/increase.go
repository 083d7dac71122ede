package nodegroups

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/buildpool/buildpool/cloudprovider"
)

// IncreaseSize implements cloudprovider.Provider.
func (p *Provider) IncreaseSize(ctx context.Context, groupID string, delta int) error {
	if delta < 1 {
		err := fmt.Errorf("increase group %q by %d: %w: delta must be at least 1", groupID, delta, cloudprovider.ErrInvalidArgument)
		p.note(groupID, err)
		return err
	}
	return p.grow(ctx, groupID, func(from int) int { return from + delta })
}

// grow raises the group's target to what is made of the number it counts from; nothing
// is written where that is no more.
func (p *Provider) grow(ctx context.Context, groupID string, to func(from int) int) (err error) {
	defer func() { p.note(groupID, err) }()
	m, err := p.member(groupID)
	if err != nil {
		return err
	}
	if err := m.writing.acquire(ctx); err != nil {
		return fmt.Errorf("increase group %q: wait for the write before: %w", groupID, err)
	}
	defer m.writing.release()

	if err := p.refuses(); err != nil {
		return fmt.Errorf("increase group %q: %w", groupID, err)
	}
	group, err := p.freshGroup(ctx, m)
	if err != nil {
		p.refused(m, err)
		return fmt.Errorf("increase group %q: %w", groupID, err)
	}
	if err := writable(group); err != nil {
		return fmt.Errorf("increase group %q: %w", groupID, err)
	}
	state, before := p.stateOf(m)
	from := base(state, before, group)
	want := to(from)
	if want <= from {
		return nil
	}
	if _, highest := bounds(m.config, group); want > highest {
		return fmt.Errorf("increase group %q by %d to %d: %w %d", groupID, want-from, want, cloudprovider.ErrAboveMax, highest)
	}
	return p.raise(ctx, m, state.target, want)
}

// raise writes the new target and records it.
func (p *Provider) raise(ctx context.Context, m *member, from, to int) error {
	token := p.NewToken()
	activity, err := p.Cloud.SetCapacity(ctx, cloudprovider.SetCapacity{
		GroupID: m.cloudID, Total: to, Token: token, Metadata: activityMetadata(token),
	})
	log := p.Log.With("group", m.config.Name, "scaling_group", m.cloudID, "from", from, "to", to, "token", token)
	now := p.Clock.Now()
	switch {
	case err == nil, errors.Is(err, cloudprovider.ErrNoChange):
		p.change(m, func(s groupState) groupState { return s.increased(activity, to, now).unthrottled() })
		log.Info("scale-up accepted", "activity", activity)
		p.askedFor(m, from, to)
		return nil
	case errors.Is(err, cloudprovider.ErrOutcomeUnknown): // whatever else it says
		p.change(m, func(s groupState) groupState { return s.unanswered(now) })
	case errors.Is(err, cloudprovider.ErrConflict):
		// A group outside expected-number mode runs one activity at a time. To refuse
		// CA would cost the group five minutes of backoff; the target is kept and
		// written when the group is free.
		p.change(m, func(s groupState) groupState { return s.owesMore(to) })
		log.Info("scale-up waits for the activity before", "error", err)
		p.decided(m.config.Name, "will ask for %s once the scaling group is free", more(to-from))
		return nil
	default:
		p.refused(m, err)
	}
	return fmt.Errorf("increase group %q from %d to %d: %w", m.config.Name, from, to, err)
}

// base is the number a scale-up counts from: our target, or what the cloud has
// where that is more. An absolute write below what exists would let the cloud choose
// instances to remove, and a build may run on them; an instance too many is the
// milder error. After a write without an answer our target is a guess, and only what
// the cloud shows counts, unless it does not even show our write before that one.
// before is the last look, fresh a reading just made.
func base(s groupState, before observation, fresh cloudprovider.ScalingGroup) int {
	doubtful := !s.doubted.IsZero() && !s.owed
	stale := s.sameAsBefore(before, fresh)
	if !doubtful && !s.owed && stale {
		return s.target
	}
	there := countersLive(fresh)
	if fresh.ExpectedNumberMode && !s.owed {
		there = max(there, fresh.Desired)
	}
	if doubtful && !stale {
		return there
	}
	return max(s.target, there)
}

// sameAsBefore reports whether a reading shows the group exactly as it was before our
// last write: an accepted write moves something, so the reading lags behind it.
func (s groupState) sameAsBefore(before observation, fresh cloudprovider.ScalingGroup) bool {
	return before.began.Before(s.lastWrite) &&
		fresh.Counters == before.group.Counters && fresh.Desired == before.group.Desired
}

// freshGroup reads one scaling group now.
func (p *Provider) freshGroup(ctx context.Context, m *member) (cloudprovider.ScalingGroup, error) {
	groups, err := p.Cloud.Groups(ctx, []string{m.cloudID})
	if err != nil {
		return cloudprovider.ScalingGroup{}, fmt.Errorf("read scaling group %s: %w", m.cloudID, err)
	}
	if len(groups) == 0 {
		return cloudprovider.ScalingGroup{}, fmt.Errorf("scaling group %s: %w", m.cloudID, cloudprovider.ErrGroupNotFound)
	}
	return groups[0], nil
}

// writable reports why the cloud would not scale the group out.
func writable(g cloudprovider.ScalingGroup) error {
	if g.Lifecycle != cloudprovider.GroupActive {
		return fmt.Errorf("scaling group %s is %s: %w", g.ID, g.Lifecycle, cloudprovider.ErrGroupInactive)
	}
	for _, process := range []string{"ScaleOut", "System"} {
		if slices.Contains(g.Suspended, process) {
			return fmt.Errorf("scaling group %s has %s suspended: %w", g.ID, process, cloudprovider.ErrGroupInactive)
		}
	}
	return nil
}

// stateOf reads a member's state and the last look at it.
func (p *Provider) stateOf(m *member) (groupState, observation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return m.state, m.seen
}

// targetOf reads a member's target.
func (p *Provider) targetOf(m *member) int {
	state, _ := p.stateOf(m)
	return state.target
}

// activityMetadata marks an activity as ours, for people and for our own restart.
func activityMetadata(token string) string { return `{"buildpool":"` + token + `"}` }
