package oracle

import (
	"math"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/names"

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

// filters are the plugins that may refuse a build a node, in the order in which
// kube-scheduler asks them.
var filters = []string{names.NodeUnschedulable, names.TaintToleration, names.NodeAffinity, names.NodeResourcesFit}

// choose returns the best of the nodes that take a pod; if none does, which plugins
// refused it. A cluster has a node that is not for builds, where cluster-autoscaler
// itself runs.
func (w *world) choose(s *shape) (*node, sets.Set[string]) {
	rejectors := sets.New(names.NodeAffinity)
	var feasible []*node
	for _, n := range w.cluster.order {
		if by := s.refused(n); by != "" {
			rejectors.Insert(by)
		} else {
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
	return best, rejectors
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

// toBeDeleted is the taint with which cluster-autoscaler begins a node's end.
const toBeDeleted = "ToBeDeletedByClusterAutoscaler"

// refused returns the first plugin that refuses the pod a node, or "".
func (s *shape) refused(n *node) string {
	switch r, u, q := n.room, n.used, s.requests; {
	case n.object.Spec.Unschedulable:
		return names.NodeUnschedulable
	case slices.ContainsFunc(n.object.Spec.Taints, func(t corev1.Taint) bool {
		return t.Effect != corev1.TaintEffectPreferNoSchedule && !s.tolerates(t)
	}):
		return names.TaintToleration
	case !s.selects(n.object.Labels):
		return names.NodeAffinity
	case u.milliCPU+q.milliCPU > r.milliCPU || u.memory+q.memory > r.memory || u.gpus+q.gpus > r.gpus || u.pods+q.pods > r.pods:
		return names.NodeResourcesFit
	}
	return ""
}

func (s *shape) selects(labels map[string]string) bool {
	for key, value := range s.spec.NodeSelector {
		if labels[key] != value {
			return false
		}
	}
	classes := s.spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms[0].MatchExpressions[0].Values
	return slices.Contains(classes, labels[cloudprovider.LabelClass])
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
