package nodegroups

import (
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/cloudprovider"
)

// Coming is a node that is wanted and not Ready yet.
type Coming struct {
	// InstanceID is empty while the cloud lists no instance for it.
	InstanceID string
	// Since is when it was asked for, or its instance created.
	Since time.Time
}

// comingOf lists the nodes that the group is still to get. Where the cluster is not seen,
// every instance is among them: who reads it knows which have joined. The caller holds
// mu.
func (p *Provider) comingOf(m *member) []Coming {
	var coming []Coming
	listed := 0
	for _, i := range m.seen.instances {
		if !live(i) {
			continue
		}
		listed++
		if p.joined(i.ID) {
			continue
		}
		c := Coming{InstanceID: i.ID, Since: i.Created}
		if i.Lifecycle != cloudprovider.InService && m.state.raised.After(c.Since) {
			c.Since = m.state.raised // a stopped instance that is started again
		}
		coming = append(coming, c)
	}
	since := m.state.raised
	if since.IsZero() {
		since = p.Clock.Now() // asked for before our start, and not listed yet
	}
	for range m.state.target - len(m.state.placeholders) - listed {
		coming = append(coming, Coming{Since: since})
	}
	return coming
}

// joined reports whether the cluster is seen to have a Ready node of the instance.
func (p *Provider) joined(instanceID string) bool {
	if p.Cluster == nil || p.Cluster.Current() != nil {
		return false
	}
	for _, n := range p.Cluster.NodesOf(instanceID) {
		if n.Ready == corev1.ConditionTrue {
			return true
		}
	}
	return false
}
