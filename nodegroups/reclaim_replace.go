package nodegroups

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/spot"
)

// leaver is an instance with a notice whose place is needed.
type leaver struct {
	id   string
	need spot.Need
}

// replaceAhead lets the member's instances with a notice go, if their place is needed.
// One write does it all: the instance leaves the group, the number that the cloud keeps
// stays, and the cloud makes the replacement. Nothing of it has to be remembered, undone
// or paid back, whatever happens next to us or to the instance, and no build ends early.
func (p *Provider) replaceAhead(ctx context.Context, m *member) {
	if m.writing.acquire(ctx) != nil {
		return
	}
	defer m.writing.release()
	if p.refuses() != nil {
		return
	}
	leavers := p.leavers(m)
	for batch := range slices.Chunk(leavers, cloudprovider.MaxRemove) {
		err := p.letGo(ctx, m, batch)
		if err == nil || len(batch) == 1 || errors.Is(err, cloudprovider.ErrOutcomeUnknown) {
			continue
		}
		for _, one := range batch { // one of them stands in the others' way
			_ = p.letGo(ctx, m, []leaver{one}) // which has said what is wrong
		}
	}
}

// leavers decides for each instance with a notice whether it is replaced ahead.
func (p *Provider) leavers(m *member) []leaver {
	p.mu.Lock()
	defer p.mu.Unlock()
	if writable(m.seen.group) != nil || !m.seen.group.ExpectedNumberMode {
		// The cloud would make no other. Without a number of its own it has to be told by
		// a second write, beside scale-ups that wait their turn: histories showed that such
		// a one could be made twice.
		return nil
	}
	var leavers []leaver
	for _, id := range slices.Sorted(maps.Keys(m.notices)) {
		n := m.notices[id]
		_, departed := m.state.departed[id]
		if n.settled || departed || !slices.ContainsFunc(m.seen.instances, func(i cloudprovider.Instance) bool {
			return i.ID == id && live(i)
		}) {
			continue
		}
		need := p.demandFor(m, id).Replacement()
		if need != spot.NotNeeded {
			leavers = append(leavers, leaver{id, need})
		} else if !n.unneeded {
			n.unneeded = true
			m.notices[id] = n
			p.decided(m.config.Name, "spot instance %s is not replaced ahead: no build runs on it, and none waits", id)
		}
	}
	return leavers
}

// letGo detaches instances and records it. The caller holds the write semaphore.
func (p *Provider) letGo(ctx context.Context, m *member, leavers []leaver) error {
	ids := make([]string, len(leavers))
	for n, l := range leavers {
		ids[n] = l.id
	}
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	p.unprotect(ctx, m, ids)
	token := p.NewToken()
	activity, err := p.Cloud.DetachInstances(ctx, cloudprovider.DetachInstances{GroupID: m.cloudID, InstanceIDs: ids, Token: token})
	now := p.Clock.Now()
	if err != nil {
		p.keptInGroup(m, ids, err)
		return fmt.Errorf("detach instances: %w", err)
	}
	p.mu.Lock()
	since := m.notices[ids[0]].since
	m.parted = maps.Clone(m.parted)
	if m.parted == nil {
		m.parted = map[string]time.Time{}
	}
	for _, id := range ids {
		m.parted[id] = m.notices[id].since
		delete(m.notices, id)
	}
	p.mu.Unlock()
	p.change(m, func(s groupState) groupState {
		return s.letGo(ids, now).removing(activity)
	})
	p.Log.Info("spot instances let go before they are taken back: others are created now", "group", m.config.Name,
		"scaling_group", m.cloudID, "instances", ids, "activity", activity, "token", token, "noticed", since)
	p.decided(m.config.Name, "let %s go before the cloud takes it back, so that another is created now: %s", named(ids), leavers[0].need)
	return nil
}

// keptInGroup says why instances could not be let go. What will not change is not tried
// again; the cloud replaces them when they are gone.
func (p *Provider) keptInGroup(m *member, ids []string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if errors.Is(err, cloudprovider.ErrOutcomeUnknown) || errors.Is(err, cloudprovider.ErrInstanceNotFound) {
		m.looked = time.Time{} // the list tells
	}
	final := errors.Is(err, cloudprovider.ErrForbidden) || errors.Is(err, cloudprovider.ErrBelowMin) || errors.Is(err, cloudprovider.ErrDryRun)
	if len(ids) == 1 || final {
		p.Log.Warn("a spot instance is not replaced before it is gone", "group", m.config.Name, "instances", ids, "final", final, "error", err)
	}
	if !final {
		return
	}
	for _, id := range ids {
		n, known := m.notices[id]
		if !known || n.settled {
			continue
		}
		n.settled = true
		m.notices[id] = n
		p.decided(m.config.Name, "spot instance %s is replaced only after it is gone: %s", id, err)
	}
}
