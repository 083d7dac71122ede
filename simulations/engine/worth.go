package engine

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups"
)

// worths are what pods cost for an hour as buildpool tells cluster-autoscaler
// (nodegroups PodPrice), worked out when first asked for.
type worths struct {
	offers []nodegroups.Offer
	known  map[room]float64
}

// of is what a pod with these requests is worth; 0 if no group could tell, which CA
// takes for an option that it cannot compare.
func (w *worths) of(s *Settings, ask room) float64 {
	if w.offers == nil {
		w.known = map[room]float64{}
		for _, g := range s.Groups {
			w.offers = append(w.offers, nodegroups.NewOffer(g.Template, g.PricePerHour))
		}
	}
	price, ok := w.known[ask]
	if !ok {
		requests := corev1.ResourceList{
			corev1.ResourceCPU:    *resource.NewMilliQuantity(ask.milliCPU, resource.DecimalSI),
			corev1.ResourceMemory: *resource.NewQuantity(ask.memory, resource.BinarySI),
		}
		if ask.gpus > 0 {
			requests[cloudprovider.GPUResource] = *resource.NewQuantity(int64(ask.gpus), resource.DecimalSI)
		}
		// Where no group has what is asked for, the price stays 0.
		price, _ = nodegroups.PodPricePerHour(w.offers, requests)
		w.known[ask] = price
	}
	return price
}
