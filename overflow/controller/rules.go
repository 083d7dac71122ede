package controller

import (
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/overflow"
)

// AnnotationScaleUpDelay makes cluster-autoscaler leave a pod alone until it is so old.
const AnnotationScaleUpDelay = "cluster-autoscaler.kubernetes.io/pod-scale-up-delay"

// Rules are what a node-group file says of overflow.
type Rules struct {
	// ScanInterval is cluster-autoscaler's.
	ScanInterval time.Duration
	Classes      []Class
}

// Class is the rules for the builds of one class.
type Class struct {
	Name   string
	Policy overflow.Policy
	// VirtualNodes picks the nodes that its builds move to.
	VirtualNodes labels.Selector
	// ScaleUpDelay is how long cluster-autoscaler is to leave its builds alone; 0: not at
	// all.
	ScaleUpDelay time.Duration
}

// RulesOf makes rules of a parsed file's section.
func RulesOf(o config.Overflow) (Rules, error) {
	r := Rules{ScanInterval: time.Duration(*o.ScanInterval)}
	for _, c := range o.Classes {
		policy, err := c.Policy(o.Price)
		if err != nil {
			return Rules{}, fmt.Errorf("overflow of class %s: %w", c.Class, err)
		}
		nodes, err := labels.Parse(c.VirtualNode.Selector)
		if err != nil {
			return Rules{}, fmt.Errorf("overflow of class %s: virtual node: %w", c.Class, err)
		}
		class := Class{Name: string(c.Class), Policy: policy, VirtualNodes: nodes}
		if c.ScaleUpDelay != nil {
			class.ScaleUpDelay = time.Duration(*c.ScaleUpDelay)
		}
		r.Classes = append(r.Classes, class)
	}
	return r, nil
}

// ClassOf returns the index of the first class that picks pods with the labels in the
// namespace; of those that pick the labels alone where none does; -1: none.
func (r Rules) ClassOf(namespace string, podLabels map[string]string) int {
	near := -1
	for n, c := range r.Classes {
		switch {
		case !c.Policy.Selector.Matches(labels.Set(podLabels)):
		case c.Policy.Allows(namespace):
			return n
		case near < 0:
			near = n
		}
	}
	return near
}

func (r Rules) classOf(pod *corev1.Pod) int { return r.ClassOf(pod.Namespace, pod.Labels) }
