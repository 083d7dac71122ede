package engine

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/buildpool/buildpool/overflow"
	"github.com/buildpool/buildpool/simulations/workload"
)

// policyOf is the class's policy for builds that have all opted in.
func policyOf(c OverflowClass) overflow.Policy {
	p := c.Policy
	p.Selector, p.Namespaces = labels.Everything(), nil
	return p
}

// learn is what the controller sees of a demand's pods.
func (o *controller) learn(d *demand, shape workload.Shape) knownDemand {
	ask := overflow.Resources{MilliCPU: d.ask.milliCPU, MemoryBytes: d.ask.memory, GPUs: int64(d.ask.gpus), Pods: 1}
	out := knownDemand{class: -1, ineligible: overflow.NotSelected, ask: ask}
	for g, fits := range d.fits {
		if fits {
			out.groups = append(out.groups, o.world.settings.Groups[g].Config.Name)
		}
	}
	for c := range o.classes {
		class := &o.classes[c]
		if !slices.Contains(shape.Classes, string(class.Class)) {
			continue
		}
		pod := podOf(shape)
		out.class, out.costPerHour = c, class.policy.CostPerHour(pod)
		out.ineligible = class.policy.Eligible(pod, o.node(class.policy.TaintKey))
		if shape.GPUs > 0 {
			out.ineligible = overflow.AsksForOtherNode // the virtual node that is played has none
		}
		return out
	}
	return out
}

// node is the virtual node.
func (o *controller) node(taintKey string) *corev1.Node {
	n := &corev1.Node{}
	n.Name = "virtual"
	n.Labels = map[string]string{"type": "virtual-kubelet", "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"}
	maps.Copy(n.Labels, o.settings.Labels)
	n.Spec.Taints = []corev1.Taint{{Key: taintKey, Effect: corev1.TaintEffectNoSchedule}}
	return n
}

// podOf is the pod of a build of the shape.
func podOf(s workload.Shape) *corev1.Pod {
	return &corev1.Pod{Spec: corev1.PodSpec{
		NodeSelector: s.Labels,
		Containers: []corev1.Container{{Name: "build", Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{
			corev1.ResourceCPU:    *resource.NewMilliQuantity(s.MilliCPU, resource.DecimalSI),
			corev1.ResourceMemory: *resource.NewQuantity(s.MemoryBytes, resource.BinarySI),
		}}}},
	}}
}

// situation is what the controller sees when it decides about a class, and which builds
// its names stand for. Builds of other classes take room on real nodes, too.
func (o *controller) situation(c int) (overflow.Situation, []podRef) {
	w := o.world
	s := overflow.Situation{
		Now: w.clock(), ScanInterval: o.settings.ScanInterval, Bucket: o.bucket,
		Live: o.classes[c].live, LiveCostPerHour: o.classes[c].cost,
	}
	var refs []podRef
	for d := range w.demands {
		for i := range w.demands[d].waiting.len() {
			refs = append(refs, podRef{int32(d), int32(i)})
		}
	}
	turn := func(r podRef) int32 { return w.demands[r.demand].waiting.at(int(r.at)).turn }
	slices.SortFunc(refs, func(a, b podRef) int { return int(turn(a) - turn(b)) })
	for i, ref := range refs {
		demand, waiter := &o.demands[ref.demand], w.demands[ref.demand].waiting.at(int(ref.at))
		waiting := overflow.Waiting{
			Name: o.name(i), Created: o.created(waiter), Ask: demand.ask, CostPerHour: demand.costPerHour,
			Ineligible: demand.ineligible, Groups: demand.groups,
			Triggered: o.said.whenTriggered(w, waiter.build), NotTriggered: o.said.whenNot(w, waiter.build),
		}
		if demand.class != c {
			waiting.Ineligible = overflow.NotSelected
		}
		s.Waiting = append(s.Waiting, waiting)
	}
	for g := range w.groups {
		s.Groups = append(s.Groups, overflow.Group{Name: w.settings.Groups[g].Config.Name, Blocked: o.blocked(g), Boot: w.settings.Groups[g].Boot.typical()})
		s.Upcoming = o.upcoming(s.Upcoming, g)
	}
	return s, refs
}

// name is the name of a build in a decision; names order builds of one second as their
// places do.
func (o *controller) name(place int) string {
	for len(o.names) <= place {
		o.names = append(o.names, fmt.Sprintf("%010d", len(o.names)))
	}
	return o.names[place]
}

// since is a time as the engine counts it.
func (o *controller) since(at time.Time) time.Duration {
	return at.Sub(o.world.settings.Trace.Start)
}

// created is when the pod was created as Kubernetes tells it: in whole seconds.
func (o *controller) created(waiter *waiter) time.Time {
	return o.world.settings.Trace.Start.Add(waiter.since).Truncate(time.Second)
}

// blocked is why the group cannot grow.
func (o *controller) blocked(g int) overflow.Reason {
	group := &o.world.groups[g]
	switch {
	case group.failed > 0, group.backoff.holds(o.world.now) && group.backoff.stock:
		return overflow.MovedOutOfStock
	case group.backoff.holds(o.world.now):
		return overflow.MovedByBackoff
	case group.target >= o.world.max(g):
		return overflow.MovedAtMax
	}
	return ""
}

// upcoming appends the group's nodes that are on their way: those whose instances exist,
// and those of which it is not known yet that there is no instance for them.
func (o *controller) upcoming(to []overflow.Upcoming, g int) []overflow.Upcoming {
	w, group := o.world, &o.world.groups[g]
	boot := w.settings.Groups[g].Boot.typical()
	all := w.kinds[w.kindOf[g]].allocatable
	node := overflow.Upcoming{
		Group: w.settings.Groups[g].Config.Name,
		Left:  overflow.Resources{MilliCPU: all.milliCPU, MemoryBytes: all.memory, GPUs: int64(all.gpus), Pods: int64(all.pods)},
	}
	for _, id := range group.creating {
		if w.nodes[id].state == creating {
			node.Expected = w.settings.Trace.Start.Add(w.result.Nodes[id].Requested + boot)
			to = append(to, node)
		}
	}
	node.Expected = w.settings.Trace.Start.Add(group.scaledUp + boot)
	for range group.target - group.ready - group.unready - group.deleting - group.failed {
		to = append(to, node)
	}
	return to
}

// fourFifths is the standard normal distribution's quantile of which the provider's
// prediction is one: the time within which four of five nodes were there.
const fourFifths = 0.8416212335729143

// typical is what the provider predicts once it has seen nodes boot.
func (d Delay) typical() time.Duration {
	if d.P95 <= d.Median || d.Median <= 0 {
		return d.Median
	}
	sigma := math.Log(float64(d.P95)/float64(d.Median)) / ninetyFifth
	return time.Duration(float64(d.Median) * math.Exp(sigma*fourFifths))
}
