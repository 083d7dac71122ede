package nodegroups

import (
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/cloudprovider"
)

// A stopped instance that is started again comes back under its old ID, often to its old
// Node object: a cloud-controller-manager keeps the node of an instance that is shut
// down. Until its kubelet is back, that object is of the life before. Taken for the
// node, it would be counted as one that is broken, instead of one that is coming, and
// cluster-autoscaler would ask for another.

// missedTime is how long a node may stay Ready after its kubelet fell silent.
const missedTime = time.Minute

// stopped are the instances that are kept for later. The caller holds mu.
func (p *Provider) stopped() map[string]bool {
	asleep := map[string]bool{}
	for _, m := range p.members {
		if m.seen.group.Counters.Stopped == 0 {
			continue
		}
		for _, i := range m.seen.instances {
			if i.Lifecycle == cloudprovider.Stopped {
				asleep[i.ID] = true
			}
		}
	}
	return asleep
}

// waking are the instances that have been started again and whose nodes are not back.
// The caller holds mu.
func (p *Provider) waking() map[string]time.Time {
	var waking map[string]time.Time
	now := p.Clock.Now()
	for _, m := range p.members {
		for id, at := range m.state.woken {
			if now.Sub(at) >= wakeTime || p.rejoined(m, id, at, now) {
				continue
			}
			if waking == nil {
				waking = map[string]time.Time{}
			}
			waking[id] = at
		}
	}
	return waking
}

// rejoined reports whether an instance that was started at that time has its node again:
// as the cluster says, or, where that is not seen, as soon as it is in service.
func (p *Provider) rejoined(m *member, id string, at, now time.Time) bool {
	if p.Cluster == nil || p.Cluster.Current() != nil {
		for _, i := range m.seen.instances {
			if i.ID == id {
				return i.Lifecycle != cloudprovider.Pending && i.Lifecycle != cloudprovider.PendingWait
			}
		}
		return true
	}
	nodes := p.Cluster.NodesOf(id)
	for _, n := range nodes {
		if !before(n, at, now) {
			return true
		}
	}
	return false
}

// before reports whether what is seen of a node is of before the time at which its
// instance was started.
func before(n *cloudprovider.ClusterNode, at, now time.Time) bool {
	at = at.Truncate(time.Second) // as Kubernetes tells times
	switch {
	case !n.Created.Before(at):
		return false
	case n.Ready == corev1.ConditionUnknown: // nothing was heard of its kubelet, whenever that was noticed
		return true
	case !n.ReadySince.Before(at):
		return false
	case n.Ready == corev1.ConditionTrue:
		return now.Sub(at) < missedTime
	}
	return true
}

// closedBefore reports whether cluster-autoscaler closed the node before that time. No one
// opens a node whose instance was stopped in the end.
func closedBefore(n *cloudprovider.ClusterNode, at time.Time) bool {
	for _, t := range n.Taints {
		if t.Key != cloudprovider.TaintToBeDeleted {
			continue
		}
		closed, err := strconv.ParseInt(t.Value, 10, 64)
		return err == nil && time.Unix(closed, 0).Before(at)
	}
	return false
}
