package config

import (
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/buildpool/buildpool/overflow"
)

// Overflow says which builds move to a virtual node when real nodes come too late.
type Overflow struct {
	// ScanInterval is cluster-autoscaler's --scan-interval: what it said of a build is
	// stale after two of them. Default: 10s.
	ScanInterval *Duration `json:"scanInterval,omitempty"`
	// Price of pods on the virtual node. Default: not known.
	Price *VirtualPrice `json:"price,omitempty"`
	// Classes of builds that may move; those of others stay.
	Classes []OverflowClass `json:"classes,omitempty"`
}

// VirtualPrice is what pods on the virtual node cost per hour, by their limits, where they
// have any, else their requests, rounded up to the sizes of Elastic Container Instances.
type VirtualPrice struct {
	// PerCPU per hour, such as 0.1764.
	PerCPU float64 `json:"perCPU"`
	// PerGiB of memory per hour, such as 0.02205.
	PerGiB float64 `json:"perGiB"`
	// InstanceTypes are the prices of pods that name an instance type by the annotation
	// k8s.aliyun.com/eci-use-specs, as those with GPUs do. Default: not known.
	InstanceTypes []VirtualInstanceType `json:"instanceTypes,omitempty"`
	// SpotDiscount is the share by which preemptible pods (k8s.aliyun.com/eci-spot-strategy)
	// are taken to be cheaper, such as 0.6. Default: 0, so that no limit is passed.
	SpotDiscount float64 `json:"spotDiscount,omitempty"`
	// Currency as an ISO 4217 code, such as CNY: that of the groups' prices.
	Currency string `json:"currency,omitempty"`
}

// VirtualInstanceType is what a pod of an instance type costs on the virtual node.
type VirtualInstanceType struct {
	// Name of the instance type, such as ecs.gn6i-c4g1.xlarge.
	Name string `json:"name"`
	// PerHour that it costs.
	PerHour float64 `json:"perHour"`
}

// PriceOf is the price as decisions use it; nil: not known.
func PriceOf(v *VirtualPrice) overflow.Price {
	if v == nil {
		return overflow.Price{}
	}
	p := overflow.Price{PerCPU: v.PerCPU, PerGiB: v.PerGiB, SpotDiscount: v.SpotDiscount}
	for _, t := range v.InstanceTypes {
		if p.InstanceTypes == nil {
			p.InstanceTypes = map[string]float64{}
		}
		p.InstanceTypes[t.Name] = t.PerHour
	}
	return p
}

// OverflowClass says which builds of a class move, when, and how many.
type OverflowClass struct {
	// Class of the node groups for whose builds it holds.
	Class Class `json:"class"`
	// PodSelector is a label selector, such as "app=build": only pods that it selects
	// move. The first class whose selector and namespaces fit a pod is the pod's.
	PodSelector string `json:"podSelector"`
	// Namespaces in which pods may move. Default: all.
	Namespaces []string `json:"namespaces,omitempty"`
	// Deployments lets the pods of Deployments move too; cluster-autoscaler then drains
	// them onto the virtual node for good. Default: false.
	Deployments bool `json:"deployments,omitempty"`
	// VirtualNode is where they move to.
	VirtualNode VirtualNode `json:"virtualNode,omitempty"`
	// StartWhen says when a build stops waiting for a real node; the rule that applies
	// first counts.
	StartWhen StartWhen `json:"startWhen"`
	// Margin is how much later than predicted a node may be before the build that asked
	// for it stops waiting. Default: 1m.
	Margin *Duration `json:"margin,omitempty"`
	// MaxPods of the class on the virtual node at once.
	MaxPods int `json:"maxPods"`
	// MaxCostPerHour of the class's pods on the virtual node together, in the currency of
	// the price. Default: no limit.
	MaxCostPerHour *float64 `json:"maxCostPerHour,omitempty"`
	// Annotations that a pod gets when it moves, unless it has them, such as
	// k8s.aliyun.com/eci-use-specs and k8s.aliyun.com/eci-spot-strategy.
	Annotations map[string]string `json:"annotations,omitempty"`
	// ScaleUpDelay is for builds that go to the virtual node first: how long
	// cluster-autoscaler leaves them alone, by the annotation
	// cluster-autoscaler.kubernetes.io/pod-scale-up-delay, which pods without it get.
	// Longer than startWhen.waitedFor. Default: none, real nodes come first.
	ScaleUpDelay *Duration `json:"scaleUpDelay,omitempty"`
}

// VirtualNode is a virtual kubelet's node.
type VirtualNode struct {
	// Selector is a label selector of the virtual nodes. Default: type=virtual-kubelet.
	Selector string `json:"selector,omitempty"`
	// TaintKey is the key of the taint that keeps other pods off: k8s.aliyun.com/vnode
	// where Alibaba Cloud hosts the virtual node. Default: virtual-kubelet.io/provider.
	TaintKey string `json:"taintKey,omitempty"`
}

// StartWhen says when a build stops waiting for a real node.
type StartWhen struct {
	// WaitedFor: it is older than this.
	WaitedFor *Duration `json:"waitedFor,omitempty"`
	// NodesLaterThan: a node that is asked for now is predicted to take longer than this.
	NodesLaterThan *Duration `json:"nodesLaterThan,omitempty"`
	// NoGroupCanGrow: every group that could serve it is at its max, out of stock or
	// backed off, or cluster-autoscaler has just said that none helps. Default: false.
	NoGroupCanGrow bool `json:"noGroupCanGrow,omitempty"`
}

// maxVirtualPods is more pods than one virtual node takes by a wide margin.
const maxVirtualPods = 10_000

// Policy is what the decision about a class's builds needs; it is for a class of a file
// that was parsed.
func (c OverflowClass) Policy(price *VirtualPrice) (overflow.Policy, error) {
	selector, err := labels.Parse(c.PodSelector)
	if err != nil {
		return overflow.Policy{}, fmt.Errorf("label selector %q: %w", c.PodSelector, err)
	}
	p := overflow.Policy{
		Selector: selector, Namespaces: c.Namespaces, Deployments: c.Deployments,
		TaintKey: c.VirtualNode.TaintKey,
		Start: overflow.Start{
			After: value(c.StartWhen.WaitedFor), PredictedLater: value(c.StartWhen.NodesLaterThan),
			WhenBlocked: c.StartWhen.NoGroupCanGrow,
		},
		Margin: value(c.Margin), MaxPods: c.MaxPods, Price: PriceOf(price), Annotations: c.Annotations,
	}
	if c.MaxCostPerHour != nil {
		p.MaxCostPerHour = *c.MaxCostPerHour
	}
	return p, nil
}

func value(d *Duration) time.Duration {
	if d == nil {
		return 0
	}
	return time.Duration(*d)
}

func overflowWithDefaults(o Overflow) Overflow {
	o.ScanInterval = or(o.ScanInterval, duration(10*time.Second))
	o.Classes = slices.Clone(o.Classes)
	for i := range o.Classes {
		c := &o.Classes[i]
		if c.VirtualNode.Selector == "" {
			c.VirtualNode.Selector = "type=virtual-kubelet"
		}
		if c.VirtualNode.TaintKey == "" {
			c.VirtualNode.TaintKey = "virtual-kubelet.io/provider"
		}
		c.Margin = or(c.Margin, duration(time.Minute))
	}
	return o
}
