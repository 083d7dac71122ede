package overflow

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// Period is how often a decision is made while builds wait.
const Period = 2 * time.Second

// Policy is what holds for the builds of one class.
type Policy struct {
	// Selector picks the pods that may move; nil picks none.
	Selector labels.Selector
	// Namespaces in which they may; empty: in all.
	Namespaces []string
	// Deployments lets the pods of Deployments move too. cluster-autoscaler drains a
	// little used node whose pods a virtual node would take, so that such a Deployment
	// ends up there for good.
	Deployments bool
	// TaintKey of the virtual node, which the pods are to tolerate.
	TaintKey string
	Start    Start
	// Margin is how much later than predicted a real node may be before its builds
	// stop waiting for it.
	Margin time.Duration
	// MaxPods on the virtual node at once, those on their way included; 0: none.
	MaxPods int
	// MaxCostPerHour of all pods on the virtual node together, in the currency of
	// Waiting.CostPerHour; 0: no limit.
	MaxCostPerHour float64
	// Price of pods on the virtual node.
	Price Price
	// Annotations that a pod gets when it moves, but for those that it has.
	Annotations map[string]string
}

// Start says when a build stops waiting for a real node; a zero field never starts one.
type Start struct {
	// After is the age at which it does.
	After time.Duration
	// PredictedLater: real nodes would take longer than this from now.
	PredictedLater time.Duration
	// WhenBlocked: every group that could serve it is at max, out of stock or backed
	// off, or cluster-autoscaler said so lately.
	WhenBlocked bool
}

// CostPerHour is what the pod costs once it has moved; negative: not known.
func (p Policy) CostPerHour(pod *corev1.Pod) float64 {
	return p.Price.PerHour(BilledOf(pod, p.Annotations))
}

// Toleration is what lets a pod onto a virtual node with the taint key. It takes any
// value and effect: of the two taints in use one has a provider's name for value, the
// other "true".
func (p Policy) Toleration() corev1.Toleration {
	return corev1.Toleration{Key: p.TaintKey, Operator: corev1.TolerationOpExists}
}
