package engine

import "math"

// Weights and scales of kube-scheduler's default profile: NodeResourcesFit and
// NodeResourcesBalancedAllocation weigh 1, TaintToleration 3, and a score goes from
// 0 to 100. The other plugins give all nodes the same score here.
const (
	maxScore    = 100
	taintWeight = 3
)

// score is what the scheduler gives a node of the shelf for the demand; ok is false
// if the build does not fit.
func (w *world) score(d *demand, s *shelf) (points int32, ok bool) {
	if !s.left.holds(d.ask) || !w.allowed(d, s.kind) {
		return 0, false
	}
	k := &w.kinds[s.kind]
	left := s.left.less(d.ask, 1)
	before := [2]used{{k.allocatable.milliCPU, s.left.milliCPU}, {k.allocatable.memory, s.left.memory}}
	after := [2]used{{k.allocatable.milliCPU, left.milliCPU}, {k.allocatable.memory, left.memory}}
	total := w.settings.Scheduler.fit(after[0], after[1]) + balance(before, after)
	// TaintToleration sets nodes with fewer soft taints above all others, whatever
	// they score otherwise.
	avoided := k.avoided
	if s.avoided {
		avoided++
	}
	return total - avoided*taintWeight*maxScore, true
}

func (w *world) allowed(d *demand, kind int32) bool {
	for _, k := range d.kinds {
		if k == kind {
			return true
		}
	}
	return false
}

// used is one resource of a node: how much there is, and is left with the build on it.
type used struct {
	allocatable, left int64
}

func (u used) share() float64 {
	if u.allocatable == 0 {
		return 1
	}
	return min(1, float64(u.allocatable-u.left)/float64(u.allocatable))
}

// fit is NodeResourcesFit's score by the strategy (noderesources/least_allocated.go,
// most_allocated.go), in whole numbers as there.
func (s Scheduler) fit(cpu, memory used) int32 {
	of := func(u used) int64 {
		switch {
		case u.allocatable == 0:
			return 0
		case s == MostAllocated:
			return (u.allocatable - u.left) * maxScore / u.allocatable
		}
		return u.left * maxScore / u.allocatable
	}
	return int32((of(cpu) + of(memory)) / 2)
}

// balance is NodeResourcesBalancedAllocation's score: how much more even the use of the
// resources is with the build than without it; 75 where nothing changes
// (noderesources/balanced_allocation.go balancedResourceScorer).
func balance(before, after [2]used) int32 {
	return maxScore/2 + (maxScore/2+evenness(after)-evenness(before))/2
}

// evenness is maxScore less the standard deviation of the shares used.
func evenness(u [2]used) int32 {
	return int32((1 - math.Abs(u[0].share()-u[1].share())/2) * maxScore)
}
