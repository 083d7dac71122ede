package controller

import (
	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/explain"
	"github.com/buildpool/buildpool/overflow"
)

// passing are the reasons that pass by themselves: whoever waits is not told of them.
var passing = map[overflow.Reason]bool{
	overflow.AwaitsNode: true, overflow.Covered: true, overflow.AtRateLimit: true,
	overflow.NotDue: true, overflow.Tolerates: true, overflow.Gone: true, overflow.Gated: true,
}

// uncounted are the reasons of pods that are nobody's concern.
var uncounted = map[overflow.Reason]bool{
	overflow.NotDue: true, overflow.Tolerates: true, overflow.Gone: true, overflow.Gated: true,
}

// tell says why a pod stays: each reason once, in an event if its owner or the
// configuration can mend it.
func (c *Controller) tell(r Class, pod *corev1.Pod, why overflow.Reason) {
	uid := string(pod.UID)
	if c.told[uid][why] {
		return
	}
	if c.told[uid] == nil {
		c.told[uid] = map[overflow.Reason]bool{}
	}
	c.told[uid][why] = true
	if !uncounted[why] {
		c.Observer.Refused(r.Name, why)
	}
	if !passing[why] {
		c.cluster.Tell(pod, explain.OverflowRefused, "It does not move to the virtual node: "+why.String()+".")
	}
}

// forget drops what was told of pods that wait no more.
func (c *Controller) forget(l *look) {
	waits := make(map[string]bool, len(l.waiting))
	for _, w := range l.waiting {
		waits[string(w.pod.UID)] = true
	}
	for uid := range c.told {
		if !waits[uid] {
			delete(c.told, uid)
		}
	}
}

// observe reports how many pods are on the virtual nodes, and which of those that were
// moved run by now.
func (c *Controller) observe(rules Rules, nodes []*cloudprovider.ClusterNode) {
	now := c.Clock.Now()
	for n, class := range rules.Classes {
		live := living{seen: map[string]bool{}}
		for _, node := range virtualNodes(nodes, class) {
			for _, p := range c.cluster.PodsOn(node.Name) {
				if rules.ClassOf(p.Namespace, p.Labels) != n {
					continue
				}
				live.add(p.UID, class.Policy.Price.PerHour(overflow.Billed{
					MilliCPU: p.LimitMilliCPU, MemoryBytes: p.LimitMemoryBytes, GPUs: p.GPUs, Annotations: p.Virtual,
				}))
				if m, ours := c.moved[p.UID]; ours && p.Phase == corev1.PodRunning {
					delete(c.moved, p.UID)
					if m.boot > 0 {
						c.Observer.Saved(class.Name, max(0, m.boot-now.Sub(m.at)))
					}
				}
			}
		}
		cost := live.cost
		if !class.Policy.Price.Known() {
			cost = -1
		}
		c.Observer.Live(class.Name, len(live.seen), cost)
	}
	for uid, m := range c.moved {
		if now.Sub(m.at) > movedKept {
			delete(c.moved, uid)
		}
	}
}
