package nodegroups

import (
	"context"

	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/cloudprovider"
)

// reopenNodes opens the nodes of instances that were started again for builds: those that
// cluster-autoscaler had closed to remove them, in the life before. Kubelet leaves the
// taints of a Node object that is there as they are.
func (p *Provider) reopenNodes(ctx context.Context) {
	if p.Cluster == nil || p.NodeReopener == nil || p.DryRun || p.Cluster.Current() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, cleanupTime)
	defer cancel()
	for n, node := range p.closedNodes() {
		if n == cleanupBatch || ctx.Err() != nil {
			return
		}
		switch reopened, err := p.NodeReopener.ReopenNode(ctx, node); {
		case err != nil:
			p.locked.Store(true)
			p.Log.Warn("node of an instance that was started again stays closed to builds", "node", node.Name, "instance", node.InstanceID, "error", err)
			return // the others will fail likewise
		case reopened:
			p.locked.Store(false)
			p.Log.Info("node reopened: its instance was started again", "node", node.Name, "instance", node.InstanceID)
		}
	}
}

// closedNodes are the nodes of woken instances that were closed in the life before. Those
// that look Ready may only not be missed yet.
func (p *Provider) closedNodes() []*cloudprovider.ClusterNode {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.Clock.Now()
	var closed []*cloudprovider.ClusterNode
	for _, m := range p.members {
		for id, at := range m.state.woken {
			for _, n := range p.Cluster.NodesOf(id) {
				if closedBefore(n, at) && !n.Leaving && (n.Ready != corev1.ConditionTrue || !before(n, at, now)) {
					closed = append(closed, n)
				}
			}
		}
	}
	return closed
}

// mayStop reports whether an instance that is stopped can come back as a node that builds
// get: closed for ever it would only cost money, and is better released. The caller holds
// mu.
func (p *Provider) mayStop() bool {
	if p.cfg.NodeCleanup.Enabled && p.NodeDeleter != nil {
		return true
	}
	return p.NodeReopener != nil && !p.locked.Load()
}
