package oracle

import (
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/simulations/engine"
)

// cluster is what kube-apiserver would hold: nodes, and the pods of builds.
type cluster struct {
	settings engine.Settings
	shapes   []shape
	nodes    map[string]*node
	// order of registration, for a repeatable run.
	order []*node
	pods  map[string]*pod
	// pending pods have no node.
	pending []*pod
	names   int
}

func newCluster(s engine.Settings, _ time.Time) cluster {
	c := cluster{settings: s, nodes: map[string]*node{}, pods: map[string]*pod{}}
	for n := range s.Trace.Shapes {
		c.shapes = append(c.shapes, newShape(s, n))
	}
	return c
}

// node is a node with what the scheduler and the kubelet know of it. object is never
// changed, only replaced: cluster-autoscaler may hold it.
type node struct {
	object  *corev1.Node
	machine *machine
	// room is allocatable, used what its pods request.
	room, used resources
	pods       []*pod
	// images are here from these times on; pulling ends the last pull so far.
	images    map[string]time.Time
	pulling   time.Time
	busySince time.Time
}

// resources are what the scheduler counts.
type resources struct{ milliCPU, memory, gpus, pods int64 }

func (r *resources) add(o resources, times int64) {
	r.milliCPU += times * o.milliCPU
	r.memory += times * o.memory
	r.gpus += times * o.gpus
	r.pods += times * o.pods
}

// pod is one attempt at a build.
type pod struct {
	object  *corev1.Pod
	build   int
	shape   *shape
	node    *node
	created time.Time
	gone    bool
}

// join registers a machine as a Ready node. mu is held.
func (w *world) join(m *machine, now time.Time) {
	g := w.settings.Groups[m.group]
	n := &node{object: newNode(g, m, regionOf(w.settings), now), machine: m, images: map[string]time.Time{}, room: roomOf(g.Template.Allocatable)}
	m.node = n
	w.cluster.nodes[n.object.Name] = n
	w.cluster.order = append(w.cluster.order, n)
	w.recordReady(m, now)
	w.register(n, now)
}

// newNode is the node as kubelet registers it and the node controller sees it Ready.
func newNode(g engine.Group, m *machine, region string, now time.Time) *corev1.Node {
	name := region + "." + m.id
	labels := maps.Clone(g.Template.Labels)
	labels[corev1.LabelHostname] = name
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels, CreationTimestamp: seconds(now)},
		Spec:       corev1.NodeSpec{ProviderID: name, Taints: slices.Clone(g.Template.Taints)},
		Status: corev1.NodeStatus{
			Capacity: g.Template.Capacity, Allocatable: g.Template.Allocatable,
			Conditions: []corev1.NodeCondition{{
				Type: corev1.NodeReady, Status: corev1.ConditionTrue, LastTransitionTime: seconds(now), LastHeartbeatTime: seconds(now),
			}},
		},
	}
}

// seconds is a time as kube-apiserver keeps it.
func seconds(t time.Time) metav1.Time { return metav1.NewTime(t.Truncate(time.Second)) }

func roomOf(list corev1.ResourceList) resources {
	gpus := list[cloudprovider.GPUResource]
	return resources{milliCPU: list.Cpu().MilliValue(), memory: list.Memory().Value(), gpus: gpus.Value(), pods: list.Pods().Value()}
}

// leave takes a node out of the cluster; the builds on it begin anew.
func (w *world) leave(n *node, now time.Time) {
	delete(w.cluster.nodes, n.object.Name)
	w.cluster.order = slices.DeleteFunc(w.cluster.order, func(o *node) bool { return o == n })
	for _, p := range slices.Clone(n.pods) {
		w.interrupt(p, now)
	}
}

// ordered returns machines in the order of their appearance.
func (c *cluster) ordered(machines map[string]*machine) []*machine {
	return slices.SortedFunc(maps.Values(machines), func(a, b *machine) int { return a.record - b.record })
}

// add makes a pod of a build.
func (w *world) add(build int, now time.Time) *pod {
	s := &w.cluster.shapes[w.settings.Trace.Builds[build].Shape]
	w.cluster.names++
	p := &pod{build: build, shape: s, created: now}
	p.object = s.newPod(fmt.Sprintf("build-%d-%d", build, w.cluster.names), now)
	w.cluster.pods[p.object.Name] = p
	return p
}
