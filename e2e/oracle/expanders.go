package oracle

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/autoscaler/cluster-autoscaler/expander"
	"k8s.io/autoscaler/cluster-autoscaler/expander/priority"
	"k8s.io/autoscaler/cluster-autoscaler/simulator/framework"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/record"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/simulations/engine"
)

// priorityFilter is upstream's priority expander with the groups' priorities of the
// node-group file in its ConfigMap. The factory's own would watch the API for ever.
func priorityFilter(s engine.Settings) expander.Filter {
	byPriority := map[int][]string{}
	for _, g := range s.Groups {
		byPriority[g.Config.Priority] = append(byPriority[g.Config.Priority], g.Config.Name)
	}
	var text strings.Builder
	for value, names := range byPriority {
		fmt.Fprintf(&text, "%d:\n", value)
		for _, name := range names {
			fmt.Fprintf(&text, "  - ^%s$\n", name)
		}
	}
	return priority.NewFilter(oneConfigMap{text.String()}, &record.FakeRecorder{})
}

type oneConfigMap struct{ priorities string }

func (c oneConfigMap) Get(name string) (*corev1.ConfigMap, error) {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{priority.ConfigMapKey: c.priorities}}, nil
}

func (c oneConfigMap) List(labels.Selector) ([]*corev1.ConfigMap, error) {
	m, err := c.Get(priority.PriorityConfigMapName)
	return []*corev1.ConfigMap{m}, err
}

var _ corelisters.ConfigMapNamespaceLister = oneConfigMap{}

// ourFilter is our own policy as upstream's grpc expander would ask for it. Upstream's
// client dials a host with TLS, which a bubble of virtual time cannot; so the provider
// is asked in process.
type ourFilter struct{ expander cloudprovider.Expander }

func (f ourFilter) BestOptions(options []expander.Option, nodes map[string]*framework.NodeInfo) []expander.Option {
	asked := make([]cloudprovider.ExpansionOption, len(options))
	for n, o := range options {
		asked[n] = cloudprovider.ExpansionOption{
			GroupID: o.NodeGroup.Id(), NodeCount: o.NodeCount, Debug: o.Debug,
			Demand: func() (cloudprovider.PodDemand, error) { return demandOf(o.Pods), nil },
			Node:   func() (cloudprovider.NodeOffer, bool) { return offerOf(nodes[o.NodeGroup.Id()]) },
		}
	}
	choice, err := f.expander.BestOptions(asked)
	if err != nil {
		return options // as upstream's client does
	}
	var best []expander.Option
	for _, o := range options {
		if slices.Contains(choice.Best, o.NodeGroup.Id()) {
			best = append(best, o)
		}
	}
	return best
}

func demandOf(pods []*corev1.Pod) cloudprovider.PodDemand {
	d := cloudprovider.PodDemand{Pods: len(pods)}
	for _, p := range pods {
		for _, c := range p.Spec.Containers {
			d.MilliCPU += c.Resources.Requests.Cpu().MilliValue()
			d.MemoryBytes += c.Resources.Requests.Memory().Value()
			if gpus, asks := c.Resources.Requests[cloudprovider.GPUResource]; asks && !gpus.IsZero() {
				d.GPU = true
			}
		}
	}
	return d
}

func offerOf(info *framework.NodeInfo) (cloudprovider.NodeOffer, bool) {
	if info == nil {
		return cloudprovider.NodeOffer{}, false
	}
	capacity := info.Node().Status.Capacity
	return cloudprovider.NodeOffer{MilliCPU: capacity.Cpu().MilliValue(), MemoryBytes: capacity.Memory().Value()}, true
}
