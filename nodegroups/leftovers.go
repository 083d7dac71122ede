package nodegroups

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/cloudprovider"
)

const (
	// cleanupTime bounds what one refresh spends on Node objects, and cleanupBatch how
	// many it deletes: the next one goes on.
	cleanupTime  = 2 * time.Second
	cleanupBatch = 20
)

// clearLeftovers deletes the Node objects of instances of ours that are gone. whole says
// that every group was read in this refresh: what could not be read is not gone.
func (p *Provider) clearLeftovers(ctx context.Context, whole bool) {
	if p.Cluster == nil || p.NodeDeleter == nil || p.DryRun || !whole || p.Cluster.Current() != nil {
		return
	}
	running, asleep := p.whatRuns()
	if running == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, cleanupTime)
	defer cancel()
	tried := 0
	for _, n := range p.Cluster.Nodes() {
		if tried == cleanupBatch || ctx.Err() != nil {
			return
		}
		if running[n.InstanceID] || (!asleep[n.InstanceID] || !silent(n)) && !p.leftOver(n) {
			continue
		}
		tried++
		switch deleted, err := p.NodeDeleter.DeleteNode(ctx, n); {
		case err != nil:
			p.Log.Warn("node object of an instance that is gone stays", "node", n.Name, "instance", n.InstanceID, "error", err)
		case deleted:
			p.Log.Info("node object deleted: its instance is gone", "node", n.Name, "instance", n.InstanceID, "not_ready_since", n.ReadySince)
		}
	}
}

// whatRuns returns the instances of all groups that run or are on their way, and those
// that are stopped or only just being started again; nil if nodes are not ours to delete,
// or if one of the groups is not served, so that it is not known what runs.
func (p *Provider) whatRuns() (running, asleep map[string]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.cfg.NodeCleanup.Enabled {
		return nil, nil
	}
	running, asleep = map[string]bool{}, map[string]bool{}
	for _, m := range p.members {
		if m.problem != "" {
			return nil, nil
		}
		for _, i := range m.seen.instances {
			_, woken := m.state.woken[i.ID]
			switch {
			case i.Lifecycle == cloudprovider.Stopped, woken && i.Lifecycle == cloudprovider.Pending:
				// It comes back as a new node: the old object would pass for it, closed as
				// cluster-autoscaler left it.
				asleep[i.ID] = true
			default:
				running[i.ID] = true
			}
		}
	}
	return running, asleep
}

// silent reports whether the control plane misses the node's kubelet. One that comes up
// says itself that it is not ready.
func silent(n *cloudprovider.ClusterNode) bool {
	return !n.Leaving && n.Ready == corev1.ConditionUnknown
}

// leftOver reports whether the node's instance was ours, as CA has shown us, and its
// kubelet has been silent for so long.
func (p *Provider) leftOver(n *cloudprovider.ClusterNode) bool {
	if n.InstanceID == "" || n.Leaving || n.Labels[cloudprovider.LabelClass] == "" || n.Ready == corev1.ConditionTrue {
		return false
	}
	p.mu.Lock()
	after := time.Duration(*p.cfg.NodeCleanup.After)
	p.mu.Unlock()
	return p.nodes.known(n.InstanceID) && p.Clock.Since(n.ReadySince) >= after
}
