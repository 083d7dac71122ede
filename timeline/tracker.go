package timeline

import (
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
)

// Tracker follows builds and nodes. Safe for concurrent use.
type Tracker struct {
	clock clock.PassiveClock
	// born tells of an instance; ok is false for one that is none of ours.
	born func(instanceID string) (b Birth, ok bool)
	// node finds a node by name; nil: there is none.
	node     func(name string) *cloudprovider.ClusterNode
	listener Listener
	began    time.Time

	mu    sync.Mutex
	pods  map[string]*build // by UID
	nodes map[string]*host  // by UID
}

// build is a pod on its way.
type build struct {
	group   string // once it is bound to one of our nodes
	host    string // the node's UID
	running time.Time
	measured,
	foreign bool
}

// host is a node's life as far as it was measured.
type host struct {
	group string
	// life is when the instance's present one began: a stopped one that is started again
	// may come back to its old node.
	life        time.Time
	joined, gpu bool
	builds      int
	lastDone    time.Time
}

// New makes a tracker that measures what happens from now on.
func New(c clock.PassiveClock, born func(string) (Birth, bool), node func(string) *cloudprovider.ClusterNode, l Listener) *Tracker {
	return &Tracker{clock: c, born: born, node: node, listener: l, began: c.Now(), pods: map[string]*build{}, nodes: map[string]*host{}}
}

// Pod takes a pod's change into account: before is nil for a new one, after for one that
// has ended or gone.
func (t *Tracker) Pod(before, after *cloudprovider.Pod) {
	if after == nil {
		t.podEnded(before)
		return
	}
	if after.Mirror || after.OwnerKind == "DaemonSet" || after.Node == "" {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.pods[after.UID]
	if b == nil {
		b = &build{}
		t.pods[after.UID] = b
	}
	if b.foreign || !t.bind(b, after) {
		return
	}
	t.start(b, after)
}

// bind measures the way to a node, once. It is false while that node is not known.
func (t *Tracker) bind(b *build, pod *cloudprovider.Pod) bool {
	if b.group != "" {
		return true
	}
	n := t.node(pod.Node)
	if n == nil {
		return false
	}
	birth, ours := t.born(n.InstanceID)
	if !ours {
		// A node may be seen before its instance is; one that has no instance is none of ours.
		b.foreign = n.InstanceID == "" || t.clock.Now().Sub(n.Created) > foreignAfter
		return false
	}
	b.group, b.host = birth.Group, n.UID
	h := t.host(n.UID)
	h.group = birth.Group
	h.builds++
	t.joined(h, n, birth)
	if pod.Bound.IsZero() || pod.Bound.Before(t.began) {
		return true
	}
	t.listener.Passed(b.group, Wait, since(pod.Created, pod.Bound))
	if birth.Asked.After(pod.Created) {
		t.listener.Passed(b.group, Decide, since(pod.Created, birth.Asked))
	}
	t.listener.Passed(b.group, Bind, since(later(pod.Created, n.ReadySince), pod.Bound))
	return true
}

// foreignAfter is how long a node may be there before its instance is seen.
const foreignAfter = 10 * time.Minute

// start measures the way to running containers, once.
func (t *Tracker) start(b *build, pod *cloudprovider.Pod) {
	if pod.Phase != corev1.PodRunning || b.measured {
		return
	}
	b.measured = true
	if pod.Bound.IsZero() || pod.Bound.Before(t.began) {
		return // it may have run before we looked
	}
	b.running = t.clock.Now()
	t.listener.Passed(b.group, Start, since(pod.Bound, b.running))
	if pod.ImagesKnown {
		t.listener.Passed(b.group, Image, pod.Images)
	}
	waited := since(pod.Created, b.running)
	t.listener.Started(b.group, waited)
	n := t.node(pod.Node)
	if n == nil {
		return
	}
	if birth, ok := t.born(n.InstanceID); ok && birth.Asked.After(pod.Created) {
		t.listener.Tell(Object{pod.Namespace, pod.Name, pod.UID}, "WaitedForNode", journey(pod, n, birth, b.running))
	}
}

func (t *Tracker) podEnded(pod *cloudprovider.Pod) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.pods[pod.UID]
	delete(t.pods, pod.UID)
	if b == nil || b.group == "" {
		return
	}
	now := t.clock.Now()
	if h := t.nodes[b.host]; h != nil {
		h.builds--
		h.lastDone = now
	}
	if !b.running.IsZero() {
		t.listener.Passed(b.group, Run, since(b.running, now))
	}
}

// Node takes a node's change into account, likewise.
func (t *Tracker) Node(before, after *cloudprovider.ClusterNode) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if after == nil {
		if h := t.nodes[before.UID]; h != nil && h.group != "" && !h.lastDone.IsZero() && h.builds == 0 {
			t.listener.Passed(h.group, Idle, since(h.lastDone, t.clock.Now()))
		}
		delete(t.nodes, before.UID)
		return
	}
	if after.InstanceID == "" || after.Ready != corev1.ConditionTrue {
		return
	}
	h := t.host(after.UID)
	birth, ours := t.born(after.InstanceID)
	if !ours {
		return
	}
	h.group = birth.Group
	t.joined(h, after, birth)
}

func (t *Tracker) host(uid string) *host {
	h := t.nodes[uid]
	if h == nil {
		h = &host{}
		t.nodes[uid] = h
	}
	return h
}

// joined measures a Ready node's way into the cluster, once; its GPUs may come later.
func (t *Tracker) joined(h *host, n *cloudprovider.ClusterNode, birth Birth) {
	if h.life.Before(birth.Created) {
		h.life, h.joined, h.gpu = birth.Created, false, false
	}
	began := birth.Created.Truncate(time.Second) // as Kubernetes tells times
	if n.Ready != corev1.ConditionTrue || n.ReadySince.Before(t.began) || n.ReadySince.Before(began) {
		return
	}
	if !h.joined {
		h.joined = true
		if !birth.Asked.IsZero() {
			t.listener.Passed(birth.Group, Create, since(birth.Asked, birth.Created))
		}
		registered := later(birth.Created, n.Created)
		t.listener.Passed(birth.Group, Register, since(birth.Created, registered))
		t.listener.Passed(birth.Group, Ready, since(registered, n.ReadySince))
		t.listener.Tell(Object{Name: n.Name, UID: n.UID}, "JoinedNodeGroup", arrival(n, birth))
	}
	if !h.gpu && n.GPUs > 0 && n.Labels[cloudprovider.LabelGPU] != "" {
		h.gpu = true
		t.listener.Passed(birth.Group, GPU, since(n.ReadySince, t.clock.Now()))
	}
}

// since is how long from one instant to another; clocks that differ make it no negative.
func since(from, to time.Time) time.Duration { return max(0, to.Sub(from)) }

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
