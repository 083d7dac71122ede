package grpcserver

import (
	"context"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// errNoPrices is what the protocol prescribes for a server without prices. A price
// of 0 would be worse than none: CA would take the node for free.
var errNoPrices = status.Error(codes.Unimplemented, "buildpool serves no prices: use another expander than price")

// PricingNodePrice is purposefully unimplemented, because a node's price is not
// part of the vocabulary, and only CA's price expander asks for it.
func (s *service) PricingNodePrice(context.Context, *protos.PricingNodePriceRequest) (*protos.PricingNodePriceResponse, error) {
	return nil, errNoPrices
}

// PricingPodPrice is purposefully unimplemented, because of PricingNodePrice: CA
// compares the two, so that one without the other is of no use.
func (s *service) PricingPodPrice(context.Context, *protos.PricingPodPriceRequest) (*protos.PricingPodPriceResponse, error) {
	return nil, errNoPrices
}
