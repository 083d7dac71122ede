package grpcserver

import (
	"context"

	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/cloudprovider"
)

// NodeGroupTargetSize tells how many nodes the group is to have.
func (s *service) NodeGroupTargetSize(_ context.Context, request *protos.NodeGroupTargetSizeRequest) (*protos.NodeGroupTargetSizeResponse, error) {
	if err := checkGroup(request); err != nil {
		return nil, err
	}
	target, err := s.provider.TargetSize(request.GetId())
	if err != nil {
		return nil, err
	}
	return &protos.NodeGroupTargetSizeResponse{TargetSize: toInt32(target)}, nil
}

// NodeGroupIncreaseSize adds delta nodes to the group.
func (s *service) NodeGroupIncreaseSize(ctx context.Context, request *protos.NodeGroupIncreaseSizeRequest) (*protos.NodeGroupIncreaseSizeResponse, error) {
	if err := checkIncrease(request); err != nil {
		return nil, err
	}
	if err := s.provider.IncreaseSize(ctx, request.GetId(), int(request.GetDelta())); err != nil {
		return nil, err
	}
	return &protos.NodeGroupIncreaseSizeResponse{}, nil
}

// NodeGroupDeleteNodes removes exactly the named nodes.
func (s *service) NodeGroupDeleteNodes(ctx context.Context, request *protos.NodeGroupDeleteNodesRequest) (*protos.NodeGroupDeleteNodesResponse, error) {
	if err := checkDelete(request); err != nil {
		return nil, err
	}
	nodes := make([]cloudprovider.Node, len(request.GetNodes()))
	for i, node := range request.GetNodes() {
		nodes[i] = decodeNode(node)
	}
	if err := s.provider.DeleteNodes(ctx, request.GetId(), nodes); err != nil {
		return nil, err
	}
	return &protos.NodeGroupDeleteNodesResponse{}, nil
}

// NodeGroupDecreaseTargetSize takes back requests for nodes that do not exist yet;
// delta is negative.
func (s *service) NodeGroupDecreaseTargetSize(ctx context.Context, request *protos.NodeGroupDecreaseTargetSizeRequest) (*protos.NodeGroupDecreaseTargetSizeResponse, error) {
	if err := checkDecrease(request); err != nil {
		return nil, err
	}
	if err := s.provider.DecreaseTargetSize(ctx, request.GetId(), int(request.GetDelta())); err != nil {
		return nil, err
	}
	return &protos.NodeGroupDecreaseTargetSizeResponse{}, nil
}
