package oracle

import (
	"math"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/simulations/engine"
)

// kube-scheduler 1.36 in its default profile, as far as builds touch it: filters by
// resources, class, labels and taints; scores by NodeResourcesFit (LeastAllocated or
// MostAllocated), NodeResourcesBalancedAllocation and TaintToleration with their
// default weights. Ties are broken at random, as kube-scheduler does. Left out: that
// above 100 nodes only a part of them is scored, ImageLocality, and the scheduler's
// own time.

const (
	maxScore              = 100
	weightTaintToleration = 3
	// What a pod without requests counts as in NodeResourcesFit's score.
	defaultMilliCPU = 100
	defaultMemory   = 200 << 20
)

// arrive lets the trace's next build come. mu is held.
func (w *world) arrive(now time.Time) {
	build := w.arrived
	w.arrived++
	w.place(w.add(build, now), now)
}

// place binds a new pod, or says that it is unschedulable.
func (w *world) place(p *pod, now time.Time) {
	if n := w.choose(p.shape, w.cluster.order); n != nil {
		w.bind(p, n, now)
		return
	}
	object := *p.object
	object.Status.Conditions = []corev1.PodCondition{{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, LastTransitionTime: seconds(now),
	}}
	p.object = &object
	w.cluster.pending = append(w.cluster.pending, p)
	select {
	case w.unschedulable <- struct{}{}:
	default:
	}
}

// scheduleFreed tries the waiting pods, in their order, on the nodes that have room
// now and had not before; on all others they have failed already.
func (w *world) scheduleFreed(now time.Time) {
	if len(w.cluster.freed) == 0 {
		return
	}
	var nodes []*node
	for _, n := range w.cluster.order {
		if w.cluster.freed[n] {
			nodes = append(nodes, n)
		}
	}
	clear(w.cluster.freed)
	failed := map[*shape]bool{}
	w.cluster.pending = slices.DeleteFunc(w.cluster.pending, func(p *pod) bool {
		if failed[p.shape] {
			return false
		}
		n := w.choose(p.shape, nodes)
		if n == nil {
			failed[p.shape] = true
			return false
		}
		w.bind(p, n, now)
		return true
	})
}

// choose returns the best of the nodes that take a pod, or nil.
func (w *world) choose(s *shape, nodes []*node) *node {
	var feasible []*node
	for _, n := range nodes {
		if s.fits(n) {
			feasible = append(feasible, n)
		}
	}
	var best *node
	var bestScore int64 = -1
	ties := 0
	for at, score := range scores(w.settings.Scheduler, s, feasible) {
		switch {
		case score > bestScore:
			best, bestScore, ties = feasible[at], score, 1
		case score == bestScore:
			ties++
			if w.rng.IntN(ties) == 0 {
				best = feasible[at]
			}
		}
	}
	return best
}

// scores are what the plugins give the nodes that take a pod, all together.
func scores(strategy engine.Scheduler, s *shape, feasible []*node) []int64 {
	soft := make([]int64, len(feasible))
	var worst int64
	for at, n := range feasible {
		soft[at] = s.softTaints(n)
		worst = max(worst, soft[at])
	}
	all := make([]int64, len(feasible))
	for at, n := range feasible {
		all[at] = score(strategy, s, n)
		if worst > 0 {
			all[at] += weightTaintToleration * (maxScore - maxScore*soft[at]/worst)
		}
	}
	return all
}

func schedulable(n *corev1.Node) bool {
	return !n.Spec.Unschedulable && !slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.Key == toBeDeleted })
}

// toBeDeleted is the taint with which cluster-autoscaler begins a node's end.
const toBeDeleted = "ToBeDeletedByClusterAutoscaler"

func (s *shape) fits(n *node) bool {
	r, u, q := n.room, n.used, s.requests
	if u.milliCPU+q.milliCPU > r.milliCPU || u.memory+q.memory > r.memory || u.gpus+q.gpus > r.gpus || u.pods+q.pods > r.pods {
		return false
	}
	labels := n.object.Labels
	for key, value := range s.spec.NodeSelector {
		if labels[key] != value {
			return false
		}
	}
	classes := s.spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms[0].MatchExpressions[0].Values
	if !slices.Contains(classes, labels[cloudprovider.LabelClass]) {
		return false
	}
	return schedulable(n.object) && !slices.ContainsFunc(n.object.Spec.Taints, func(t corev1.Taint) bool {
		return t.Effect != corev1.TaintEffectPreferNoSchedule && !s.tolerates(t)
	})
}

func (s *shape) tolerates(t corev1.Taint) bool {
	return slices.ContainsFunc(s.spec.Tolerations, func(o corev1.Toleration) bool {
		return o.Key == t.Key && o.Value == t.Value && (o.Effect == "" || o.Effect == t.Effect)
	})
}

func (s *shape) softTaints(n *node) int64 {
	var count int64
	for _, t := range n.object.Spec.Taints {
		if t.Effect == corev1.TaintEffectPreferNoSchedule && !s.tolerates(t) {
			count++
		}
	}
	return count
}

// score is what NodeResourcesFit and NodeResourcesBalancedAllocation say together.
func score(strategy engine.Scheduler, s *shape, n *node) int64 {
	cpu := orDefault(s.requests.milliCPU, defaultMilliCPU) + nonZero(n, func(r resources) int64 { return r.milliCPU }, defaultMilliCPU)
	memory := orDefault(s.requests.memory, defaultMemory) + nonZero(n, func(r resources) int64 { return r.memory }, defaultMemory)
	fit := (least(cpu, n.room.milliCPU) + least(memory, n.room.memory)) / 2
	if strategy == engine.MostAllocated {
		fit = (most(cpu, n.room.milliCPU) + most(memory, n.room.memory)) / 2
	}
	after := balance(n.used.milliCPU+s.requests.milliCPU, n.used.memory+s.requests.memory, n.room)
	before := balance(n.used.milliCPU, n.used.memory, n.room)
	return fit + maxScore/2 + (maxScore/2+after-before)/2
}

func orDefault(value, or int64) int64 {
	if value == 0 {
		return or
	}
	return value
}

func nonZero(n *node, of func(resources) int64, or int64) int64 {
	var sum int64
	for _, p := range n.pods {
		sum += orDefault(of(p.shape.requests), or)
	}
	return sum
}

func least(requested, capacity int64) int64 {
	if capacity == 0 || requested > capacity {
		return 0
	}
	return (capacity - requested) * maxScore / capacity
}

func most(requested, capacity int64) int64 {
	if capacity == 0 {
		return 0
	}
	return min(requested, capacity) * maxScore / capacity
}

// balance is how even the use of cpu and memory is.
func balance(milliCPU, memory int64, room resources) int64 {
	if room.milliCPU == 0 || room.memory == 0 {
		return maxScore
	}
	c := min(1, float64(milliCPU)/float64(room.milliCPU))
	m := min(1, float64(memory)/float64(room.memory))
	return int64((1 - math.Abs((c-m)/2)) * maxScore)
}
