package nodegroups

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

// flushTimeout bounds a removal whose callers named no deadline, or a later one.
const flushTimeout = 10 * time.Second

// deleteQueue gathers the deletes of one group. CA deletes one node per RPC, many at
// once; ESS takes up to 20 instances in a call and counts calls, not instances.
type deleteQueue struct {
	mu   sync.Mutex
	open *batch // takes more; nil when none
}

// batch is one RemoveInstances in the making.
type batch struct {
	removals []*removal
	full     chan struct{}
	// deadline is the earliest of the callers': after it, one of them is told that
	// its delete failed.
	deadline time.Time
}

// removal is one caller's instance. Its result is set before done is closed.
type removal struct {
	instanceID string
	done       chan struct{}
	err        error
}

func (r *removal) wait(ctx context.Context) error {
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// enqueue adds an instance to the group's open batch, and opens one if there is none.
func (p *Provider) enqueue(ctx context.Context, m *member, instanceID string) *removal {
	r := &removal{instanceID: instanceID, done: make(chan struct{})}
	deadline, bounded := ctx.Deadline()
	q := m.deletes
	q.mu.Lock()
	defer q.mu.Unlock()
	b := q.open
	if b == nil {
		b = &batch{full: make(chan struct{})}
		q.open = b
		p.flushes.Go(func() { p.flushWhenDue(context.WithoutCancel(ctx), m, b) })
	}
	b.removals = append(b.removals, r)
	if bounded && (b.deadline.IsZero() || deadline.Before(b.deadline)) {
		b.deadline = deadline
	}
	if len(b.removals) == cloudprovider.MaxRemove {
		q.open = nil
		close(b.full)
	}
	return r
}

// flushWhenDue sends the batch when it is full or its window has passed.
func (p *Provider) flushWhenDue(ctx context.Context, m *member, b *batch) {
	timer := p.Clock.NewTimer(p.DeleteWindow)
	defer timer.Stop()
	select {
	case <-b.full:
	case <-timer.C():
	}
	m.deletes.mu.Lock()
	if m.deletes.open == b {
		m.deletes.open = nil
	}
	removals, deadline := b.removals, b.deadline
	m.deletes.mu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	if !deadline.IsZero() {
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	p.flush(ctx, m, removals)
	for _, r := range removals {
		close(r.done)
	}
}

// flush removes the batch's instances and gives every caller its own result.
func (p *Provider) flush(ctx context.Context, m *member, removals []*removal) {
	if err := m.writing.acquire(ctx); err != nil {
		fail(removals, fmt.Errorf("wait for the write before: %w", err))
		return
	}
	defer m.writing.release()
	removals = p.admit(m, removals)
	err := p.removeInstances(ctx, m, removals)
	if !errors.Is(err, cloudprovider.ErrInstanceNotFound) {
		fail(removals, err)
		return
	}
	// One instance that is not there any more refuses the whole call. Those that are
	// there are asked for once more; the others are what the caller wanted.
	instances, readErr := p.Cloud.Instances(ctx, m.cloudID)
	if readErr != nil {
		fail(removals, fmt.Errorf("%w; read instances: %w", err, readErr))
		return
	}
	present := slices.Collect(func(yield func(*removal) bool) {
		for _, r := range removals {
			if slices.ContainsFunc(instances, func(i cloudprovider.Instance) bool { return i.ID == r.instanceID && live(i) }) {
				if !yield(r) {
					return
				}
			}
		}
	})
	now := p.Clock.Now()
	absent := slices.DeleteFunc(slices.Clone(removals), func(r *removal) bool { return slices.Contains(present, r) })
	p.change(m, func(s groupState) groupState { return s.gone(instanceIDs(absent), now) })
	fail(present, p.removeInstances(ctx, m, present))
}

// admit refuses, one by one, what would leave fewer instances than the group's min,
// and drops what another batch has removed meanwhile.
func (p *Provider) admit(m *member, removals []*removal) []*removal {
	p.mu.Lock()
	defer p.mu.Unlock()
	lowest, _ := bounds(m.config, m.seen.group)
	left := m.state.target
	var admitted []*removal
	for _, r := range removals {
		_, departed := m.state.departed[r.instanceID]
		again := slices.ContainsFunc(admitted, func(a *removal) bool { return a.instanceID == r.instanceID })
		switch {
		case departed, again:
		case left <= lowest:
			r.err = fmt.Errorf("group %q has a target of %d: %w %d", m.config.Name, left, cloudprovider.ErrBelowMin, lowest)
		default:
			left--
			admitted = append(admitted, r)
		}
	}
	return admitted
}

// removeInstances makes the one call and records its effect.
func (p *Provider) removeInstances(ctx context.Context, m *member, removals []*removal) error {
	if len(removals) == 0 {
		return nil
	}
	ids := instanceIDs(removals)
	token := p.NewToken()
	activity, err := p.Cloud.RemoveInstances(ctx, cloudprovider.RemoveInstances{GroupID: m.cloudID, InstanceIDs: ids, Token: token})
	now := p.Clock.Now()
	if err != nil {
		if errors.Is(err, cloudprovider.ErrOutcomeUnknown) {
			p.change(m, func(s groupState) groupState { return s.unanswered(now) })
		}
		return fmt.Errorf("remove instances: %w", err)
	}
	from := p.stateOf(m).target
	p.change(m, func(s groupState) groupState { return s.removed(ids, now) })
	p.Log.Info("scale-down accepted", "group", m.config.Name, "scaling_group", m.cloudID,
		"from", from, "to", p.stateOf(m).target, "instances", ids, "activity", activity, "token", token)
	return nil
}

func instanceIDs(removals []*removal) []string {
	ids := make([]string, len(removals))
	for n, r := range removals {
		ids[n] = r.instanceID
	}
	return ids
}

func fail(removals []*removal, err error) {
	for _, r := range removals {
		r.err = err
	}
}
