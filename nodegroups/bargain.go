package nodegroups

import (
	"fmt"
	"math"

	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/cloudprovider"
)

// Offer is what a node of a group offers and costs.
type Offer struct {
	amounts map[corev1.ResourceName]float64
	perHour float64
}

// NewOffer is the offer of a group by its template.
func NewOffer(template cloudprovider.NodeTemplate, perHour float64) Offer {
	return Offer{amounts: offerOf(template), perHour: perHour}
}

// PodPricePerHour is what PodPrice answers for groups of these offers, for an hour.
// ErrNoPrice: none of them has what the pod asks for.
func PodPricePerHour(offers []Offer, requests corev1.ResourceList) (float64, error) {
	best := newBargain(requests)
	for _, o := range offers {
		best.consider(o.amounts, o.perHour)
	}
	return best.perHour()
}

// bargain looks for the group on which a pod costs the least.
type bargain struct {
	wanted []amount
	// cheapest is the least that the pod's share of a node costs where it fits.
	cheapest float64
	// leastShare is the least share that it takes of any node, and what that costs.
	leastShare, leastShareCosts float64
}

func newBargain(requests corev1.ResourceList) bargain {
	return bargain{wanted: amountsOf(requests), cheapest: math.Inf(1), leastShare: math.Inf(1)}
}

func (b *bargain) consider(offer map[corev1.ResourceName]float64, nodePerHour float64) {
	share, offered := shareOf(offer, b.wanted)
	if !offered {
		return
	}
	perHour := share * nodePerHour
	if share <= 1 {
		b.cheapest = min(b.cheapest, perHour)
	}
	if share < b.leastShare {
		b.leastShare, b.leastShareCosts = share, perHour
	}
}

func (b *bargain) perHour() (float64, error) {
	switch {
	case !math.IsInf(b.cheapest, 1):
		return b.cheapest, nil
	case !math.IsInf(b.leastShare, 1):
		// CA has a real node with a little more room than the largest we promise.
		return b.leastShareCosts, nil
	}
	return 0, fmt.Errorf("no group with a price has what it asks for: %w", cloudprovider.ErrNoPrice)
}

// amount is how much of a resource is asked for.
type amount struct {
	name  corev1.ResourceName
	value float64
}

// amountsOf lists what a pod takes: its requests, and one of the node's places for
// pods, so that no pod is free.
func amountsOf(requests corev1.ResourceList) []amount {
	wanted := []amount{{corev1.ResourcePods, 1}}
	for name, q := range requests {
		if value := q.AsApproximateFloat64(); value > 0 && name != corev1.ResourcePods {
			wanted = append(wanted, amount{name, value})
		}
	}
	return wanted
}

// shareOf returns the largest share of a node that one of the amounts takes; offered is
// false if the node lacks one of the resources altogether.
func shareOf(offer map[corev1.ResourceName]float64, wanted []amount) (share float64, offered bool) {
	for _, a := range wanted {
		there := offer[a.name]
		if there <= 0 {
			return 0, false
		}
		share = max(share, a.value/there)
	}
	return share, true
}

// offerOf is a node's allocatable in plain numbers.
func offerOf(template cloudprovider.NodeTemplate) map[corev1.ResourceName]float64 {
	offer := make(map[corev1.ResourceName]float64, len(template.Allocatable))
	for name, q := range template.Allocatable {
		offer[name] = q.AsApproximateFloat64()
	}
	return offer
}
