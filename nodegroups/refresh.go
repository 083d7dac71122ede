package nodegroups

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/buildpool/buildpool/cloudprovider"
)

// parallelReads bounds how many groups are read in detail at once: enough to load
// 200 groups well inside a minute, few enough not to meet the account's rate limit.
const parallelReads = 8

// refresh reads the cloud and publishes what it saw. read tells whether the scaling
// groups could be read; the error may then be about the details of some.
func (p *Provider) refresh(ctx context.Context) (read bool, err error) {
	began := p.Clock.Now()
	members, groups, err := p.list(ctx)
	if err != nil {
		return false, err
	}
	there := slices.DeleteFunc(slices.Clone(members), func(m *member) bool { _, exists := groups[m.cloudID]; return !exists })
	full := p.fullLooksDue(there, began)
	looks := make([]look, len(members))
	var reading errgroup.Group
	reading.SetLimit(parallelReads)
	for n, m := range members {
		group, exists := groups[m.cloudID]
		if !exists {
			looks[n] = look{missing: true}
			continue
		}
		reading.Go(func() error {
			looks[n] = p.look(ctx, m, group, began, full[m])
			return nil
		})
	}
	_ = reading.Wait() // every look carries its own error

	p.mu.Lock()
	defer p.mu.Unlock()
	respelled := p.nodes.respelled.Swap(false)
	var failed []error
	for n, m := range members {
		if respelled {
			m.view = nil
		}
		if err := p.take(m, looks[n]); err != nil {
			failed = append(failed, err)
		}
	}
	if len(failed) == len(members) && len(failed) > 0 && p.current.Load() == nil {
		// No group at all would be taken for a cluster without any.
		return false, errors.Join(failed...)
	}
	p.refreshed = began
	if p.born.IsZero() {
		p.born = began
	}
	p.publish()
	p.nodes.forget(p.current.Load().owner, began)
	return true, errors.Join(failed...)
}

// list finds out which scaling groups there are. It is given little time once there is
// a snapshot to go on with.
func (p *Provider) list(ctx context.Context) ([]*member, map[string]cloudprovider.ScalingGroup, error) {
	if p.current.Load() != nil {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, listTime)
		defer cancel()
	}
	members, err := p.resolve(ctx)
	if err != nil {
		return nil, nil, err
	}
	groups, err := p.readGroups(ctx, members)
	return members, groups, err
}

// resolve finds the scaling group of every configured group and returns the members
// in the order of the configuration.
func (p *Provider) resolve(ctx context.Context) ([]*member, error) {
	p.mu.Lock()
	members := make([]*member, 0, len(p.cfg.Groups))
	for _, g := range p.cfg.Groups {
		members = append(members, p.members[g.Name])
	}
	p.mu.Unlock()
	for _, m := range members {
		if m.cloudID != "" {
			continue
		}
		found, err := p.Cloud.GroupsByTags(ctx, m.config.ScalingGroup.Tags)
		if err != nil {
			return nil, fmt.Errorf("find scaling group of %q by tags: %w", m.config.Name, err)
		}
		p.mu.Lock()
		switch len(found) {
		case 1:
			m.cloudID = found[0].ID
		case 0:
			p.setProblem(m, "no scaling group carries its tags")
		default:
			p.setProblem(m, fmt.Sprintf("%d scaling groups carry its tags, want one", len(found)))
		}
		p.mu.Unlock()
	}
	return p.distinct(members), nil
}

// distinct leaves out members whose tags led to a scaling group that another member
// has already: two targets for one group would undo each other.
func (p *Provider) distinct(members []*member) []*member {
	p.mu.Lock()
	defer p.mu.Unlock()
	taken := map[string]string{}
	return slices.DeleteFunc(members, func(m *member) bool {
		if other := taken[m.cloudID]; other != "" && m.cloudID != "" {
			p.setProblem(m, fmt.Sprintf("its scaling group %s belongs to group %q already", m.cloudID, other))
			return true
		}
		taken[m.cloudID] = m.config.Name
		return false
	})
}

// readGroups reads the scaling groups of all members in as few calls as can be.
func (p *Provider) readGroups(ctx context.Context, members []*member) (map[string]cloudprovider.ScalingGroup, error) {
	ids := make([]string, 0, len(members))
	for _, m := range members {
		if m.cloudID != "" && !slices.Contains(ids, m.cloudID) {
			ids = append(ids, m.cloudID)
		}
	}
	groups, err := p.Cloud.Groups(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read scaling groups: %w", err)
	}
	byID := make(map[string]cloudprovider.ScalingGroup, len(groups))
	for _, g := range groups {
		byID[g.ID] = g
	}
	return byID, nil
}

// look is what one refresh saw of one group.
type look struct {
	missing bool
	seen    observation
	// read: the instances were read again; full: although nothing may have moved.
	read   bool
	full   bool
	launch *launchKnowledge
	err    error
}

// look reads what has to be read of a group beyond its counters.
func (p *Provider) look(ctx context.Context, m *member, group cloudprovider.ScalingGroup, began time.Time, full bool) (l look) {
	p.mu.Lock()
	before, state, launch := m.seen, m.state, m.launch
	p.mu.Unlock()

	l = look{full: full, seen: observation{group: group, instances: before.instances, began: began, moved: before.moved}}
	if launch.outdated(group) || full {
		// It takes some calls, one after another, and nothing below needs it.
		learnt := make(chan launchKnowledge, 1)
		go func() { learnt <- p.learnLaunch(ctx, group, m.config) }()
		defer func() { k := <-learnt; l.launch = &k }()
	}
	if !state.known || group.Counters != before.group.Counters {
		l.seen.moved = began
	}
	// The list of instances may lag behind the counters: as long as it can, it is read
	// until the two agree, once more after that time at least.
	behind := before.began.Sub(l.seen.moved) < settleTime && !listShows(before.instances, group.Counters)
	if !state.known || full || began.Equal(l.seen.moved) || behind || len(state.doubts) > 0 {
		instances, err := p.Cloud.Instances(ctx, group.ID)
		if err != nil {
			l.err = fmt.Errorf("read instances of %q: %w", m.config.Name, err)
			return l
		}
		l.seen.instances, l.read = instances, true
	}
	target := state.target
	if group.ExpectedNumberMode && !state.owed {
		target = max(target, group.Desired)
	}
	if !state.known || len(state.doubts) > 0 || target > state.there(l.seen) {
		activities, err := p.Cloud.Activities(ctx, group.ID)
		if err != nil {
			l.err = fmt.Errorf("read activities of %q: %w", m.config.Name, err)
			return l
		}
		l.seen.activities = activities
		if activities == nil {
			l.seen.activities = []cloudprovider.Activity{}
		}
	}
	return l
}

// take makes a look the member's knowledge. A look that failed changes nothing but
// the problem of a group that was never read. The caller holds mu.
func (p *Provider) take(m *member, l look) error {
	switch {
	case l.missing && m.cloudID == "":
		return nil // resolve has said why
	case l.missing:
		p.setProblem(m, "scaling group "+m.cloudID+" does not exist in "+p.cfg.Region)
		m.cloudID = m.config.ScalingGroup.ID // tags may lead to another one now
		return nil
	case l.err != nil:
		m.failedRead = GroupError{Message: l.err.Error(), At: p.Clock.Now()}
		return l.err
	}
	m.failedRead = GroupError{}
	if l.read {
		p.moved = true
	}
	if l.full {
		m.looked = l.seen.began
	}
	now := p.Clock.Now()
	var before observation // nothing, unless there is something to compare
	if l.read && m.seen.group.ID == l.seen.group.ID {
		before = m.seen
	}
	state := m.state
	if l.read {
		state = state.lose(before.instances, l.seen).wake(before, l.seen)
	}
	state = state.diagnosed(before, l.seen, now).observe(l.seen, now)
	if l.read || l.launch != nil || !state.looksLike(m.state) || !sameBounds(l.seen.group, m.seen.group) || !sameService(l.seen.group, m.seen.group) {
		m.view = nil
	}
	p.sawChanges(m, m.state, state)
	p.nodes.begin(m.state.woken, state.woken)
	m.seen, m.state = l.seen, state
	m.boots = m.boots.measure(state, l.seen.instances, p.nodes.firstSeen, p.born)
	if l.launch != nil {
		m.launch = *l.launch
		if m.launch.err != nil {
			p.Log.Warn("no template for group", "group", m.config.Name, "scaling_group", m.cloudID, "error", m.launch.err)
		}
	}
	p.setProblem(m, "")
	return nil
}

func sameBounds(a, b cloudprovider.ScalingGroup) bool { return a.Min == b.Min && a.Max == b.Max }

// sameService: both would grow, or neither.
func sameService(a, b cloudprovider.ScalingGroup) bool {
	return (writable(a) == nil) == (writable(b) == nil)
}

// setProblem says why a group is not served, once per change. The caller holds mu.
func (p *Provider) setProblem(m *member, problem string) {
	if m.problem == problem {
		return
	}
	if problem != "" {
		p.Log.Warn("group is not served", "group", m.config.Name, "problem", problem)
		p.decided(m.config.Name, "not served any more: %s", problem)
	} else {
		p.Log.Info("group is served", "group", m.config.Name, "scaling_group", m.cloudID, "target", m.state.target)
	}
	m.problem = problem
	p.moved = true
}
