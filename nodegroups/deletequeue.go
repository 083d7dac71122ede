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
	// recorders are the callers': each is told of the calls it shares.
	recorders []*cloudprovider.CallRecorder
	// abandon ends it when nobody waits for any of the removals.
	abandon context.CancelFunc
}

// removal is one caller's instance. Its result is set before done is closed.
type removal struct {
	instanceID string
	// keep: it is stopped, to be started again, and not released.
	keep bool
	done chan struct{}
	err  error
	// twin is another removal of the same instance in the batch, whose result counts.
	twin *removal
	// leave says that its caller waits no longer, and left that it was said.
	leave func()
	left  bool
}

func (r *removal) wait(ctx context.Context) error {
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		r.leave()
		return ctx.Err()
	}
}

// leave takes back a removal that has not been sent. A batch that nobody waits for any
// more is not repeated either: whoever asked has died, and its successor opens the
// nodes for builds again.
func (q *deleteQueue) leave(b *batch, r *removal) {
	q.mu.Lock()
	defer q.mu.Unlock()
	r.left = true
	if slices.ContainsFunc(b.removals, func(r *removal) bool { return !r.left }) {
		return
	}
	b.abandon()
	if q.open == b {
		q.open = nil
	}
}

// enqueue adds a removal to the group's open batch, and opens one if there is none.
func (p *Provider) enqueue(ctx context.Context, m *member, r *removal) {
	deadline, bounded := ctx.Deadline()
	q := m.deletes
	q.mu.Lock()
	defer q.mu.Unlock()
	b := q.open
	if b == nil {
		shared, abandon := context.WithCancel(context.WithoutCancel(ctx))
		b = &batch{full: make(chan struct{}), abandon: abandon}
		q.open = b
		p.flushes.Go(func() { p.flushWhenDue(shared, m, b) })
	}
	r.done = make(chan struct{})
	r.leave = func() { q.leave(b, r) }
	b.removals = append(b.removals, r)
	for _, recorder := range cloudprovider.CallRecorders(ctx) {
		if !slices.Contains(b.recorders, recorder) {
			b.recorders = append(b.recorders, recorder)
		}
	}
	if bounded && (b.deadline.IsZero() || deadline.Before(b.deadline)) {
		b.deadline = deadline
	}
	if len(b.removals) == cloudprovider.MaxRemove {
		q.open = nil
		close(b.full)
	}
}

// flushWhenDue sends the batch when it is full or its window has passed.
func (p *Provider) flushWhenDue(ctx context.Context, m *member, b *batch) {
	defer b.abandon()
	timer := p.Clock.NewTimer(p.DeleteWindow)
	defer timer.Stop()
	select {
	case <-b.full:
	case <-timer.C():
	case <-ctx.Done():
	}
	m.deletes.mu.Lock()
	if m.deletes.open == b {
		m.deletes.open = nil
	}
	removals := slices.DeleteFunc(slices.Clone(b.removals), func(r *removal) bool { return r.left })
	deadline, recorders := b.deadline, b.recorders
	m.deletes.mu.Unlock()

	ctx = cloudprovider.WithCallRecorders(ctx, recorders...)
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	if !deadline.IsZero() {
		ctx, cancel = context.WithDeadline(ctx, deadline)
		defer cancel()
	}
	p.flush(ctx, m, removals)
	for _, r := range removals {
		if r.twin != nil {
			r.err = r.twin.err
		}
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
	if err := p.refuses(); err != nil {
		fail(removals, err)
		return
	}
	for _, alike := range byFate(p.admit(m, p.spare(removals))) {
		err := p.removeInstances(ctx, m, alike)
		if errors.Is(err, cloudprovider.ErrInstanceNotFound) || errors.Is(err, cloudprovider.ErrConflict) {
			p.removeThoseLeft(ctx, m, alike, err)
			continue
		}
		fail(alike, err)
	}
}

// byFate parts the removals that one call cannot share: those whose instances are
// stopped, and those whose are released.
func byFate(removals []*removal) [][]*removal {
	var kept, released []*removal
	for _, r := range removals {
		if r.keep {
			kept = append(kept, r)
		} else {
			released = append(released, r)
		}
	}
	return slices.DeleteFunc([][]*removal{kept, released}, func(alike []*removal) bool { return len(alike) == 0 })
}

// removeThoseLeft finds out which instance made the cloud refuse the whole call, one
// that is gone or that somebody else is removing, and asks for the others once more.
// Those that left are what their callers wanted.
func (p *Provider) removeThoseLeft(ctx context.Context, m *member, removals []*removal, cause error) {
	instances, err := p.Cloud.Instances(ctx, m.cloudID)
	if err != nil {
		fail(removals, fmt.Errorf("%w; read instances: %w", cause, err))
		return
	}
	there := map[string]bool{}
	for _, i := range instances {
		there[i.ID] = live(i)
	}
	var left, gone []*removal
	for _, r := range removals {
		if there[r.instanceID] {
			left = append(left, r)
		} else {
			gone = append(gone, r)
		}
	}
	if len(gone) == 0 {
		fail(removals, cause)
		return
	}
	now := p.Clock.Now()
	p.change(m, func(s groupState) groupState { return s.gone(instanceIDs(gone), now) })
	left = p.spare(left) // the answer may have taken its time
	fail(left, p.removeInstances(ctx, m, left))
}

// admit refuses, one by one, what would leave fewer instances than the group's min,
// and drops what another batch has removed meanwhile.
func (p *Provider) admit(m *member, removals []*removal) []*removal {
	p.mu.Lock()
	defer p.mu.Unlock()
	lowest := p.keptMin(m)
	left := m.state.target
	var admitted []*removal
	for _, r := range removals {
		_, departed := m.state.departed[r.instanceID]
		again := slices.IndexFunc(admitted, func(a *removal) bool { return a.instanceID == r.instanceID })
		switch {
		case departed:
		case again >= 0:
			r.twin = admitted[again]
		case left <= lowest:
			r.err = fmt.Errorf("group %q has a target of %d: %w %d", m.config.Name, left, cloudprovider.ErrBelowMin, lowest)
		default:
			left--
			admitted = append(admitted, r)
		}
	}
	return admitted
}

// removeInstances makes the one call for removals that are alike, and records its effect.
func (p *Provider) removeInstances(ctx context.Context, m *member, removals []*removal) error {
	if len(removals) == 0 {
		return nil
	}
	ids := instanceIDs(removals)
	p.unprotect(ctx, m, ids)
	token, asked := p.NewToken(), p.Clock.Now()
	p.asking(m, ids)
	activity, err := p.Cloud.RemoveInstances(ctx, cloudprovider.RemoveInstances{GroupID: m.cloudID, InstanceIDs: ids, Keep: removals[0].keep, Token: token})
	now := p.Clock.Now()
	if err != nil {
		if errors.Is(err, cloudprovider.ErrOutcomeUnknown) {
			p.change(m, func(s groupState) groupState { return s.unanswered(doubt{ids: ids, asked: asked, at: now}) })
		}
		return fmt.Errorf("remove instances: %w", err)
	}
	from := p.targetOf(m)
	p.change(m, func(s groupState) groupState { return s.removed(ids, now).removing(activity) })
	accepted, did := "scale-down accepted", "removed"
	if removals[0].keep {
		accepted, did = "scale-down accepted, instances are stopped and kept", "stopped"
	}
	p.Log.Info(accepted, "group", m.config.Name, "scaling_group", m.cloudID,
		"from", from, "to", p.targetOf(m), "instances", ids, "activity", activity, "token", token)
	if p.Removed != nil {
		p.Removed(m.config.Name, ids)
	}
	p.decided(m.config.Name, "%s %s: target %d, it was %d", did, instances(len(ids)), p.targetOf(m), from)
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
