package nodegroups

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

const (
	// protectTime bounds a call that protects instances.
	protectTime = 5 * time.Second
	// unprotectTime bounds the same before a removal, whose caller waits five seconds.
	unprotectTime = time.Second
)

// shield is the protection that we set last of an instance, and when: the list of
// instances shows it a little later.
type shield struct {
	on bool
	at time.Time
}

// ProtectBuilds has the cloud protect the instances on which builds run now, and no
// others, where the configuration says so. Which are protected stands in the cloud, so
// that nothing has to be remembered. While the cluster cannot be seen all stays as it is.
// What cannot be done in one group does not stop the others; the error tells of all.
func (p *Provider) ProtectBuilds(ctx context.Context) error {
	if p.Cluster == nil {
		return nil
	}
	plan, err := p.planProtection()
	if err != nil {
		return err
	}
	var failed []error
	for _, change := range plan {
		for batch := range slices.Chunk(change.ids, cloudprovider.MaxRemove) {
			err := p.protect(ctx, protectTime, change.m, batch, change.on)
			if (errors.Is(err, cloudprovider.ErrInstanceNotFound) || errors.Is(err, cloudprovider.ErrConflict)) && len(batch) > 1 {
				err = nil
				for _, id := range batch { // one of them stands in the others' way
					err = errors.Join(err, p.protect(ctx, protectTime, change.m, []string{id}, change.on))
				}
			}
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// protectionChange is what is to be set for instances of a group.
type protectionChange struct {
	m   *member
	ids []string
	on  bool
}

// planProtection compares who is protected with who is to be. An instance with a notice
// is not: ESS could not replace it when it is gone.
func (p *Provider) planProtection() ([]protectionChange, error) {
	unseen, away := p.Cluster.Current(), p.refuses()
	if unseen != nil || away != nil {
		return nil, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.cfg.InstanceProtection.Enabled || p.current.Load() == nil || p.Clock.Since(p.refreshed) > noticesKnown {
		return nil, nil // a provider that is not asked is not the one that leads
	}
	builds, err := newBuilds(p.cfg.LastLook)
	if err != nil {
		return nil, err
	}
	var plan []protectionChange
	for _, g := range p.cfg.Groups {
		m := p.members[g.Name]
		if m.problem != "" || writable(m.seen.group) != nil {
			continue
		}
		changes := map[bool][]string{}
		for _, i := range m.seen.instances {
			_, departed := m.state.departed[i.ID]
			if departed || i.Lifecycle != cloudprovider.InService && i.Lifecycle != cloudprovider.Protected {
				continue
			}
			_, noticed := m.notices[i.ID]
			pod, _ := builds.on(p.Cluster, i.ID)
			if want := pod != nil && !noticed; want != p.protects(m, i) {
				changes[want] = append(changes[want], i.ID)
			}
		}
		for _, on := range []bool{true, false} {
			if len(changes[on]) > 0 {
				plan = append(plan, protectionChange{m, changes[on], on})
			}
		}
	}
	return plan, nil
}

// protects reports whether the cloud protects an instance now: as we set it, until a list
// that is surely younger says so. In a dry run nothing is set, and said once. The caller
// holds mu.
func (p *Provider) protects(m *member, i cloudprovider.Instance) bool {
	if s, set := m.shields[i.ID]; set && (p.DryRun || m.looked.Sub(s.at) < settleTime) {
		return s.on
	}
	return i.Lifecycle == cloudprovider.Protected
}

func (p *Provider) protect(ctx context.Context, within time.Duration, m *member, ids []string, on bool) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	at := p.Clock.Now()
	err := p.Cloud.ProtectInstances(ctx, cloudprovider.ProtectInstances{GroupID: m.cloudID, InstanceIDs: ids, Protected: on})
	if err != nil && !errors.Is(err, cloudprovider.ErrDryRun) {
		return fmt.Errorf("group %q: %w", m.config.Name, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := map[string]shield{}
	for _, i := range m.seen.instances { // of those that are gone nothing is remembered
		if s, set := m.shields[i.ID]; set {
			kept[i.ID] = s
		}
	}
	for _, id := range ids {
		kept[id] = shield{on, at}
	}
	m.shields = kept
	if err == nil {
		p.Log.Info("protection of instances set", "group", m.config.Name, "scaling_group", m.cloudID, "instances", ids, "protected", on)
	}
	return nil
}

// unprotect takes the protection of instances back that are about to be removed. ESS
// removes them by their IDs all the same, so that it is no matter if this fails.
func (p *Provider) unprotect(ctx context.Context, m *member, ids []string) {
	p.mu.Lock()
	var shielded []string
	for _, i := range m.seen.instances {
		if slices.Contains(ids, i.ID) && p.protects(m, i) {
			shielded = append(shielded, i.ID)
		}
	}
	enabled := p.cfg.InstanceProtection.Enabled
	p.mu.Unlock()
	if !enabled || len(shielded) == 0 {
		return
	}
	if err := p.protect(ctx, unprotectTime, m, shielded, false); err != nil {
		p.Log.Warn("instances are removed while they are protected", "group", m.config.Name, "instances", shielded, "error", err)
	}
}
