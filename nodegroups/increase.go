package nodegroups

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

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
	from, err := p.base(ctx, m, group)
	if err != nil {
		return fmt.Errorf("increase group %q: %w", groupID, err)
	}
	want := to(from)
	if want <= from {
		return nil
	}
	if _, highest := bounds(m.config, group); want > highest {
		return fmt.Errorf("increase group %q by %d to %d: %w %d", groupID, want-from, want, cloudprovider.ErrAboveMax, highest)
	}
	return p.raise(ctx, m, from, want)
}

// raise writes the new target, counted from a number, and records it.
func (p *Provider) raise(ctx context.Context, m *member, base, to int) error {
	token, asked := p.NewToken(), p.Clock.Now()
	before, seen := p.stateOf(m)
	from := before.target
	activity, err := p.Cloud.SetCapacity(ctx, cloudprovider.SetCapacity{
		GroupID: m.cloudID, Total: to, Token: token, Metadata: signature{Token: token, From: before.number(seen.group), Total: to, At: asked}.String(),
	})
	log := p.Log.With("group", m.config.Name, "scaling_group", m.cloudID, "from", from, "to", to, "token", token)
	now := p.Clock.Now()
	switch {
	case err == nil, errors.Is(err, cloudprovider.ErrNoChange):
		p.change(m, func(s groupState) groupState {
			// Another provider may have given up instances that we count as failed: none of
			// those is among the missing that this write is for.
			s = s.increased(activity, to, now).trimmed(s.there(seen) + to - base).unthrottled()
			if !seen.group.ExpectedNumberMode {
				s = s.retried()
			}
			return s
		})
		log.Info("scale-up accepted", "activity", activity)
		p.rememberAsking(m)
		p.askedFor(m, from, to)
		return nil
	case errors.Is(err, cloudprovider.ErrOutcomeUnknown): // whatever else it says
		p.change(m, func(s groupState) groupState {
			return s.unanswered(doubt{token: token, delta: to - before.target, change: to - before.held, asked: asked, at: now})
		})
	case errors.Is(err, cloudprovider.ErrConflict):
		// A group outside expected-number mode runs one activity at a time. To refuse
		// CA would cost the group five minutes of backoff; the target is kept and
		// written when the group is free.
		p.change(m, func(s groupState) groupState { return s.owesMore(to) })
		log.Info("scale-up waits for the activity before", "error", err)
		p.rememberAsking(m)
		p.decided(m.config.Name, "will ask for %s once the scaling group is free", more(to-from))
		return nil
	default:
		p.refused(m, err)
	}
	return fmt.Errorf("increase group %q from %d to %d: %w", m.config.Name, from, to, err)
}

// base returns the number a scale-up counts from, given a reading just made. What that
// cannot tell because lists lag is asked of the activities, which costs a call more.
func (p *Provider) base(ctx context.Context, m *member, group cloudprovider.ScalingGroup) (int, error) {
	now := p.Clock.Now()
	state, _ := p.stateOf(m)
	alive := countersLive(group)
	outdated := group.ExpectedNumberMode && state.outdated(group.Desired, now)
	if len(state.doubts) == 0 && !outdated && !state.owed && (group.ExpectedNumberMode || alive <= state.target) {
		return state.base(group, alive), nil
	}
	exact, err := p.lookClosely(ctx, m, group)
	if err != nil {
		return 0, err
	}
	p.change(m, func(s groupState) groupState {
		return s.lose(m.seen.instances, exact).wake(m.seen, exact).settleDoubts(exact)
	})
	state, _ = p.stateOf(m)
	return state.countsFrom(exact, now), nil
}

// countsFrom is the number a scale-up counts from by a close look.
func (s groupState) countsFrom(o observation, now time.Time) int {
	exists := s.existing(o)
	outdated := o.group.ExpectedNumberMode && !s.more && s.outdated(o.group.Desired, now)
	switch {
	case outdated && s.owed:
		return max(s.lastNumber(o, now), exists)
	case outdated:
		return max(s.lastNumber(o, now), min(exists, o.group.Desired))
	case !o.group.ExpectedNumberMode, s.owed:
		return s.base(o.group, exists)
	}
	return s.base(o.group, countersLive(o.group))
}

// lastNumber is the one that our writes of late and the removals around them have come to,
// and no more than what CA wants where it has given some up since. The number that is
// shown may still be one that somebody has set since, so a scale-up counts from no less
// than what exists up to there.
func (s groupState) lastNumber(o observation, now time.Time) int {
	numbers := recentNumbers(o.activities, now)
	if !slices.Contains(numbers, o.group.Desired) {
		return s.target // somebody has set another in between, which no activity of theirs tells
	}
	last := numbers[len(numbers)-1]
	if s.owed {
		return min(last, s.target)
	}
	return last
}

// base is what the cloud has, or our target where the cloud holds no number or has yet
// to hear of ours, given a number that is not outdated. An absolute write below what
// exists would let the cloud choose instances to remove, and a build may run on them; an
// instance too many is the milder error.
func (s groupState) base(group cloudprovider.ScalingGroup, alive int) int {
	switch {
	case !group.ExpectedNumberMode, s.owed && s.more:
		return max(s.target, alive)
	case s.owed:
		return max(min(s.target, group.Desired), alive)
	}
	return max(group.Desired, alive)
}

// lookClosely reads a group's instances and activities now.
func (p *Provider) lookClosely(ctx context.Context, m *member, group cloudprovider.ScalingGroup) (observation, error) {
	o := observation{group: group, began: p.Clock.Now()}
	var err error
	if o.instances, err = p.Cloud.Instances(ctx, group.ID); err != nil {
		return o, fmt.Errorf("read instances of %q: %w", m.config.Name, err)
	}
	if o.activities, err = p.Cloud.Activities(ctx, group.ID); err != nil {
		return o, fmt.Errorf("read activities of %q: %w", m.config.Name, err)
	}
	if o.activities == nil {
		o.activities = []cloudprovider.Activity{}
	}
	return o, nil
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
