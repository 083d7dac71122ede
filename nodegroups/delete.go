package nodegroups

import (
	"context"
	"errors"
	"fmt"

	"github.com/buildpool/buildpool/cloudprovider"
)

// DeleteNodes implements cloudprovider.Provider. Each node is judged by itself; the
// instances that are to go share their call with other deletes of the same moment.
func (p *Provider) DeleteNodes(ctx context.Context, groupID string, nodes []cloudprovider.Node) (err error) {
	defer func() { p.note(groupID, err) }()
	if len(nodes) == 0 {
		return fmt.Errorf("delete nodes of group %q: %w: no node named", groupID, cloudprovider.ErrInvalidArgument)
	}
	m, err := p.member(groupID)
	if err != nil {
		return err
	}
	var failed []error
	var placeholders []string
	var waits []*removal
	for _, node := range nodes {
		r := &removal{}
		verdict, err := p.verdictOn(m, node, r)
		switch {
		case err != nil:
			failed = append(failed, fmt.Errorf("node %q: %w", node.Name, err))
		case verdict == dropPlaceholder:
			placeholders = append(placeholders, node.ProviderID)
		case verdict == remove:
			p.enqueue(ctx, m, r)
			waits = append(waits, r)
		case verdict == alreadyGone:
			p.Log.Info("node is already gone", "group", groupID, "node", node.Name, "provider_id", node.ProviderID)
		}
	}
	if len(placeholders) > 0 {
		if err := p.deletePlaceholders(ctx, m, placeholders); err != nil {
			failed = append(failed, err)
		}
	}
	for _, r := range waits {
		if err := r.wait(ctx); err != nil {
			failed = append(failed, fmt.Errorf("instance %s: %w", r.instanceID, err))
		}
	}
	if err := errors.Join(failed...); err != nil {
		return fmt.Errorf("delete nodes of group %q: %w", groupID, err)
	}
	return nil
}

// verdict is what deleting a node comes to.
type verdict int

const (
	remove verdict = iota + 1
	dropPlaceholder
	alreadyGone
)

// verdictOn decides what deleting one node means, by what is known of it, and fills in
// the removal that it may mean.
func (p *Provider) verdictOn(m *member, node cloudprovider.Node, r *removal) (verdict, error) {
	if isPlaceholderID(node.ProviderID) {
		return dropPlaceholder, nil
	}
	id, _, err := cloudprovider.ParseProviderID(node.ProviderID)
	if err != nil {
		return 0, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if id.Region != p.cfg.Region {
		return 0, fmt.Errorf("it is in region %s, our groups are in %s: %w", id.Region, p.cfg.Region, cloudprovider.ErrNotManaged)
	}
	if node.Fake() {
		// CA takes the instance for one whose node never came. If its node is alive,
		// the two do not match by name, and a running build would pay for it.
		if s, alive := p.nodes.alive(id.InstanceID, p.Clock.Now()); alive {
			return 0, fmt.Errorf("its node is alive under the provider ID form %s, check providerID in the configuration: %w", s.form, cloudprovider.ErrNodeInUse)
		}
	}
	if _, left := m.state.departed[id.InstanceID]; left {
		return alreadyGone, nil
	}
	for _, i := range m.seen.instances {
		if i.ID != id.InstanceID {
			continue
		}
		if !live(i) {
			return alreadyGone, nil
		}
		if !i.AutoCreated {
			return 0, fmt.Errorf("it was attached to scaling group %s by hand, and ESS would only detach it and leave it running: %w; detach or release it in the console",
				m.cloudID, cloudprovider.ErrNotManaged)
		}
		if node.Fake() && p.blind() {
			return 0, fmt.Errorf("its node may be alive, cluster-autoscaler has not shown us the cluster's nodes since we started: %w", cloudprovider.ErrNodeInUse)
		}
		// A machine whose node never came, or that is ill, is not worth starting again.
		// Nothing holds a stopped spot instance's stock and price.
		r.instanceID, r.keep = i.ID, m.seen.group.Recycles && i.Healthy && !i.Spot && !node.Fake() && p.mayStop()
		return remove, nil
	}
	if owner := p.current.Load().owner[id.InstanceID]; owner != "" {
		return 0, fmt.Errorf("it belongs to group %q: %w", owner, cloudprovider.ErrInvalidArgument)
	}
	if node.Fake() {
		return alreadyGone, nil // CA made it from our own list
	}
	return 0, fmt.Errorf("no group owns it: %w", cloudprovider.ErrNotManaged)
}

// deletePlaceholders takes failed instances off the target. Groups' min does not
// count here: nothing is removed. CA's view is right at once; that the cloud stops
// trying may have to wait for a quiet moment.
func (p *Provider) deletePlaceholders(ctx context.Context, m *member, ids []string) error {
	if err := m.writing.acquire(ctx); err != nil {
		return fmt.Errorf("placeholders: wait for the write before: %w", err)
	}
	defer m.writing.release()
	if err := p.keepsPlaceholders(m, ids); err != nil {
		return err
	}
	dropped := 0
	p.change(m, func(s groupState) groupState {
		s, dropped = s.dropPlaceholders(ids)
		return s
	})
	if dropped == 0 {
		return nil
	}
	p.Log.Info("failed instances given up", "group", m.config.Name, "scaling_group", m.cloudID, "count", dropped, "target", p.targetOf(m))
	p.decided(m.config.Name, "gave up %s that could not be created: target %d", instances(dropped), p.targetOf(m))
	p.pay(ctx, m)
	return nil
}
