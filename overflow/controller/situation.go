package controller

import (
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/explain"
	"github.com/buildpool/buildpool/overflow"
)

// usualBoot is how long a node is taken to need whose group has not been measured yet.
const usualBoot = 3 * time.Minute

// look is what one round saw. What is decided in the round depends on nothing else, so
// that its classes decide about the same cluster.
type look struct {
	now      time.Time
	groups   []Group
	nodes    []*cloudprovider.ClusterNode
	upcoming []overflow.Upcoming
	waiting  []waiting
	// virtual are the virtual nodes of each class, and bound the pods there, by node.
	virtual [][]*corev1.Node
	bound   map[string][]corev1.Pod
	// moved are the pods that were moved in this round.
	moved map[string]bool
}

// waiting is a pod without a node.
type waiting struct {
	pod *corev1.Pod
	ask overflow.Resources
	// tolerates: it may be placed on a virtual node already, whosever it is.
	tolerates bool
	// groups could serve it.
	groups                  []string
	triggered, notTriggered time.Time
}

// take keeps those of the pods that still wait, and what is known of each. One that has
// been bound to a real node since it was read takes room there already.
func (l *look) take(pods []corev1.Pod, rules Rules, cluster Cluster) {
	placed := map[string]bool{}
	for _, n := range l.nodes {
		if _, virtual := l.bound[n.Name]; virtual {
			continue
		}
		for _, p := range cluster.PodsOn(n.Name) {
			placed[p.UID] = true
		}
	}
	for n := range pods {
		pod := &pods[n]
		if placed[string(pod.UID)] {
			continue
		}
		if _, spare := pod.Labels[cloudprovider.LabelHeadroom]; spare {
			continue // it gives way to builds, and so does its node
		}
		w := waiting{pod: pod, ask: overflow.AskOf(pod), tolerates: l.tolerated(pod, rules)}
		w.triggered, w.notTriggered = cluster.Said(string(pod.UID))
		for _, g := range l.groups {
			if g.Template != nil && explain.Fits(pod, g.Template) {
				w.groups = append(w.groups, g.Name)
			}
		}
		l.waiting = append(l.waiting, w)
	}
}

// situation is what the class's policy decides about.
func (l *look) situation(rules Rules, class int, bucket overflow.Bucket) overflow.Situation {
	policy := rules.Classes[class].Policy
	s := overflow.Situation{Now: l.now, ScanInterval: rules.ScanInterval, Bucket: bucket, Upcoming: l.upcoming}
	for _, g := range l.groups {
		s.Groups = append(s.Groups, overflow.Group{Name: g.Name, Blocked: g.Blocked, Boot: g.Boot})
	}
	live := living{seen: map[string]bool{}}
	for _, node := range l.virtual[class] {
		for n := range l.bound[node.Name] {
			if pod := &l.bound[node.Name][n]; rules.classOf(pod) == class {
				live.add(string(pod.UID), policy.Price.PerHour(overflow.BilledOf(pod, nil)))
			}
		}
	}
	for _, w := range l.waiting {
		ineligible := l.eligible(rules, class, w)
		if ineligible == overflow.Tolerates && rules.classOf(w.pod) == class {
			live.add(string(w.pod.UID), policy.Price.PerHour(overflow.BilledOf(w.pod, nil)))
		}
		s.Waiting = append(s.Waiting, overflow.Waiting{
			Name: string(w.pod.UID), Created: w.pod.CreationTimestamp.Time, Ask: w.ask, CostPerHour: policy.CostPerHour(w.pod),
			Ineligible: ineligible, Triggered: w.triggered, NotTriggered: w.notTriggered, Groups: w.groups,
		})
	}
	s.Live, s.LiveCostPerHour = len(live.seen), live.cost
	return s
}

// tolerated reports whether the scheduler may place the pod on a virtual node, so that it
// needs no real one.
func (l *look) tolerated(pod *corev1.Pod, rules Rules) bool {
	for n, class := range rules.Classes {
		for _, node := range l.virtual[n] {
			if len(pod.Spec.SchedulingGates) == 0 && class.Policy.Tolerated(pod, node) {
				return true
			}
		}
	}
	return false
}

// eligible says why the pod may not move to any of the class's virtual nodes.
func (l *look) eligible(rules Rules, class int, w waiting) overflow.Reason {
	switch {
	case w.tolerates, l.moved[string(w.pod.UID)]:
		return overflow.Tolerates
	case rules.classOf(w.pod) != class:
		return overflow.NotSelected
	}
	why := overflow.NoVirtualNode
	for n, node := range l.virtual[class] {
		switch no := rules.Classes[class].Policy.Eligible(w.pod, node); {
		case no == "" || no == overflow.Tolerates:
			return no
		case n == 0:
			why = no
		}
	}
	return why
}

// virtualNodes are the nodes that the class's builds move to.
func virtualNodes(nodes []*cloudprovider.ClusterNode, c Class) []*corev1.Node {
	var out []*corev1.Node
	for _, n := range nodes {
		if !n.Leaving && c.VirtualNodes.Matches(labelSet(n.Labels)) {
			node := &corev1.Node{}
			node.Name, node.Labels, node.Spec.Taints = n.Name, n.Labels, n.Taints
			out = append(out, node)
		}
	}
	return out
}

// onTheirWay are the nodes that are on their way, and those that have been open for so
// short a time that the scheduler may not have placed builds on them yet.
func (l *look) onTheirWay(opened map[string]time.Time, cluster Cluster, margin time.Duration) []overflow.Upcoming {
	var out []overflow.Upcoming
	open := map[string]bool{} // by instance
	for _, n := range l.nodes {
		since, isOpen := opened[n.Name]
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
			out = append(out, overflow.Upcoming{Group: g.Name, Left: leftOn(n, g, cluster), Expected: since})
		}
	}
	coming := map[string]bool{} // by instance
	for _, g := range l.groups {
		if g.Template == nil {
			continue
		}
		for _, c := range g.Coming {
			coming[c.InstanceID] = true
			if c.InstanceID == "" || !open[c.InstanceID] {
				out = append(out, overflow.Upcoming{Group: g.Name, Left: templateRoom(g), Expected: c.Since.Add(g.boot())})
			}
		}
	}
	// Whoever says what is coming may have seen a node become Ready that is not so here.
	for _, n := range l.nodes {
		if n.InstanceID == "" || n.Leaving || open[n.InstanceID] || coming[n.InstanceID] {
			continue
		}
		if g := l.groupOf(n); g != nil {
			out = append(out, overflow.Upcoming{Group: g.Name, Left: templateRoom(*g), Expected: n.Created.Add(g.boot())})
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
		return overflow.ResourcesOf(g.Template.Allocatable, usualPods)
	}
	return overflow.ResourcesOf(g.Template.Allocatable, pods.Value())
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
	seen map[string]bool
	cost float64 // per hour; negative: not known
}

func (l *living) add(uid string, cost float64) {
	switch {
	case l.seen[uid]:
		return
	case cost < 0 || l.cost < 0:
		l.cost = -1
	default:
		l.cost += cost
	}
	l.seen[uid] = true
}
