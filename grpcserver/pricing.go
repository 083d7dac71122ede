package grpcserver

import (
	"context"

	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/grpcserver/dialect"
)

// PricingNodePrice tells what a node costs from start to end. Only CA's price expander
// asks. A price that is not known is an error, on which CA drops the option: a price
// of 0 would make it take the node for free.
func (s *service) PricingNodePrice(_ context.Context, request *protos.PricingNodePriceRequest) (*protos.PricingNodePriceResponse, error) {
	if request.GetNode() == nil {
		return nil, invalid("the request has no node")
	}
	start, end, err := dialect.NodePriceTimes(request)
	if err != nil {
		return nil, err
	}
	price, err := s.provider.NodePrice(decodeNode(request.GetNode()), start, end)
	if err != nil {
		return nil, err
	}
	return &protos.PricingNodePriceResponse{Price: price}, nil
}

// PricingPodPrice tells the least that a pod costs from start to end. CA compares it
// with PricingNodePrice.
func (s *service) PricingPodPrice(_ context.Context, request *protos.PricingPodPriceRequest) (*protos.PricingPodPriceResponse, error) {
	pod, start, end, err := dialect.PodPriceArguments(request)
	if err != nil {
		return nil, err
	}
	price, err := s.provider.PodPrice(requestsOf(pod.Spec), start, end)
	if err != nil {
		return nil, err
	}
	return &protos.PricingPodPriceResponse{Price: price}, nil
}
