package controller

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/resource"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/explain"
	"github.com/buildpool/buildpool/overflow"
)

// usualBoot is how long a node is taken to need whose group has not been measured yet.
const usualBoot = 3 * time.Minute

// look is what one round saw.
type look struct {
	now    time.Time
	groups []Group
	nodes  []*cloudprovider.ClusterNode
	// waiting are the pods without a node, and bound those on virtual nodes, by node.
	waiting []corev1.Pod
	bound   map[string][]corev1.Pod
	// serves are the groups that could serve each of the waiting.
	serves [][]string
	// moved are the pods that were moved in this round.
	moved map[string]bool
}

// askOf is what the pod asks of a node.
func askOf(pod *corev1.Pod) overflow.Resources {
	return resourcesOf(resource.PodRequests(pod, resource.PodResourcesOptions{}), 1)
}

func resourcesOf(list corev1.ResourceList, pods int64) overflow.Resources {
	gpus := list[cloudprovider.GPUResource]
	return overflow.Resources{MilliCPU: list.Cpu().MilliValue(), MemoryBytes: list.Memory().Value(), GPUs: gpus.Value(), Pods: pods}
}

// findGroups works out which groups could serve which pod.
func (l *look) findGroups() {
	l.serves = make([][]string, len(l.waiting))
	for n := range l.waiting {
		for _, g := range l.groups {
			if g.Template != nil && explain.Fits(&l.waiting[n], g.Template) {
				l.serves[n] = append(l.serves[n], g.Name)
			}
		}
	}
}

// situation is what the class's policy decides about.
func (l *look) situation(c *Controller, rules Rules, class int) overflow.Situation {
	policy := rules.Classes[class].Policy
	s := overflow.Situation{Now: l.now, ScanInterval: rules.ScanInterval, Bucket: c.bucket}
	for _, g := range l.groups {
		s.Groups = append(s.Groups, overflow.Group{Name: g.Name, Blocked: g.Blocked, Boot: g.Boot})
	}
	s.Upcoming = l.upcoming(c, policy.Margin)
	virtual := l.virtualNodes(rules.Classes[class])
	live := newLiving(policy.Price)
	for _, node := range virtual {
		for n := range l.bound[node.Name] {
			if pod := &l.bound[node.Name][n]; rules.classOf(pod) == class {
				live.add(pod)
			}
		}
	}
	for n := range l.waiting {
		pod := &l.waiting[n]
		if _, spare := pod.Labels[cloudprovider.LabelHeadroom]; spare {
			continue // it gives way to builds, and so does its node
		}
		w := overflow.Waiting{
			Name: string(pod.UID), Created: pod.CreationTimestamp.Time, Ask: askOf(pod), Groups: l.serves[n],
			Ineligible: l.eligible(rules, class, pod, virtual),
		}
		w.CostPerHour = policy.Price.PerHour(w.Ask)
		w.Triggered, w.NotTriggered = c.cluster.Said(string(pod.UID))
		if w.Ineligible == overflow.Tolerates && rules.classOf(pod) == class {
			live.add(pod)
		}
		s.Waiting = append(s.Waiting, w)
	}
	s.Live, s.LiveCostPerHour = len(live.seen), live.cost
	return s
}

// eligible says why the pod may not move to any of the class's virtual nodes.
func (l *look) eligible(rules Rules, class int, pod *corev1.Pod, virtual []*corev1.Node) overflow.Reason {
	switch {
	case l.moved[string(pod.UID)]:
		return overflow.Tolerates
	case rules.classOf(pod) != class:
		return overflow.NotSelected
	}
	why := overflow.NoVirtualNode
	for n, node := range virtual {
		switch no := rules.Classes[class].Policy.Eligible(pod, node); {
		case no == "" || no == overflow.Tolerates:
			return no
		case n == 0:
			why = no
		}
	}
	return why
}

// virtualNodes are the nodes that the class's builds move to.
func (l *look) virtualNodes(c Class) []*corev1.Node {
	var out []*corev1.Node
	for _, n := range l.nodes {
		if !n.Leaving && c.VirtualNodes.Matches(labelSet(n.Labels)) {
			node := &corev1.Node{}
			node.Name, node.Labels, node.Spec.Taints = n.Name, n.Labels, n.Taints
			out = append(out, node)
		}
	}
	return out
}

// upcoming are the nodes that are on their way, and those that have been open for so
// short a time that the scheduler may not have placed builds on them yet.
func (l *look) upcoming(c *Controller, margin time.Duration) []overflow.Upcoming {
	var out []overflow.Upcoming
	open := map[string]bool{} // by instance
	for _, n := range l.nodes {
		since, isOpen := c.opened[n.Name]
		if !isOpen {
			continue
		}
		if n.InstanceID != "" {
			open[n.InstanceID] = true
		}
		if l.now.After(since.Add(margin)) {
			continue
		}
		if g := l.groupOf(n); g != nil {
			out = append(out, overflow.Upcoming{Group: g.Name, Left: leftOn(n, g, c.cluster), Expected: since})
		}
	}
	for _, g := range l.groups {
		if g.Template == nil {
			continue
		}
		room := templateRoom(g)
		coming := map[string]bool{} // by instance
		for _, c := range g.Coming {
			coming[c.InstanceID] = true
			if c.InstanceID == "" || !open[c.InstanceID] {
				out = append(out, overflow.Upcoming{Group: g.Name, Left: room, Expected: c.Since.Add(g.boot())})
			}
		}
		for _, n := range l.nodes {
			if n.InstanceID != "" && starting(n) && !coming[n.InstanceID] && explain.Owns(g.Class, g.Template, n.Labels) {
				out = append(out, overflow.Upcoming{Group: g.Name, Left: room, Expected: n.Created.Add(g.boot())})
			}
		}
	}
	return out
}

// boot is how long a node of the group is taken to need.
func (g Group) boot() time.Duration {
	if g.Boot == 0 {
		return usualBoot
	}
	return g.Boot
}

// startupTaints keep builds off a node that is Ready and not open yet.
var startupTaints = []string{
	corev1.TaintNodeNotReady, corev1.TaintNodeNetworkUnavailable, "node.cloudprovider.kubernetes.io/uninitialized",
}

// startupPrefix begins the keys of taints of the same meaning that anybody may make up.
const startupPrefix = "startup-taint.cluster-autoscaler.kubernetes.io/"

// starting reports whether the node is Ready, and something else of it is not.
func starting(n *cloudprovider.ClusterNode) bool {
	return n.Ready == corev1.ConditionTrue && !n.Leaving && slices.ContainsFunc(n.Taints, func(t corev1.Taint) bool {
		return slices.Contains(startupTaints, t.Key) || strings.HasPrefix(t.Key, startupPrefix)
	})
}

// noteOpen notes since when each node has been open for builds. After a start all of
// them have been only since then, so that for a moment more builds stay than would.
func (c *Controller) noteOpen(nodes []*cloudprovider.ClusterNode) {
	open := make(map[string]time.Time, len(nodes))
	for _, n := range nodes {
		if n.Ready != corev1.ConditionTrue || n.Leaving || starting(n) {
			continue
		}
		since, known := c.opened[n.Name]
		if !known {
			since = c.Clock.Now()
		}
		open[n.Name] = since
	}
	c.opened = open
}

// groupOf is the group that the node looks like one of; nil: none.
func (l *look) groupOf(n *cloudprovider.ClusterNode) *Group {
	for i := range l.groups {
		if g := &l.groups[i]; g.Template != nil && explain.Owns(g.Class, g.Template, n.Labels) {
			return g
		}
	}
	return nil
}

// usualPods is how many pods a node takes whose template does not say.
const usualPods = 110

func templateRoom(g Group) overflow.Resources {
	pods, said := g.Template.Allocatable[corev1.ResourcePods]
	if !said {
		return resourcesOf(g.Template.Allocatable, usualPods)
	}
	return resourcesOf(g.Template.Allocatable, pods.Value())
}

// leftOn is what a node of the group has left.
func leftOn(n *cloudprovider.ClusterNode, g *Group, cluster Cluster) overflow.Resources {
	left := overflow.Resources{MilliCPU: n.MilliCPU, MemoryBytes: n.MemoryBytes, GPUs: n.GPUs, Pods: templateRoom(*g).Pods}
	for _, p := range cluster.PodsOn(n.Name) {
		left.MilliCPU -= p.MilliCPU
		left.MemoryBytes -= p.MemoryBytes
		left.GPUs -= p.GPUs
		left.Pods--
	}
	return left
}

// living counts the pods that are or may be on the virtual node, each once.
type living struct {
	price overflow.Price
	seen  map[string]bool
	cost  float64 // negative: not known
}

func newLiving(price overflow.Price) *living { return &living{price: price, seen: map[string]bool{}} }

func (l *living) add(pod *corev1.Pod) {
	if l.seen[string(pod.UID)] {
		return
	}
	l.seen[string(pod.UID)] = true
	l.pay(l.price.PerHour(askOf(pod)))
}

func (l *living) pay(cost float64) {
	if cost < 0 || l.cost < 0 {
		l.cost = -1
		return
	}
	l.cost += cost
}
