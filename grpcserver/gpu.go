package grpcserver

import (
	"context"

	"google.golang.org/protobuf/types/known/anypb"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// GPULabel names the node label that carries the GPU type.
func (s *service) GPULabel(context.Context, *protos.GPULabelRequest) (*protos.GPULabelResponse, error) {
	return &protos.GPULabelResponse{Label: s.provider.GPUs().Label}, nil
}

// GetAvailableGPUTypes lists the GPU types in use. CA reads the keys only.
func (s *service) GetAvailableGPUTypes(context.Context, *protos.GetAvailableGPUTypesRequest) (*protos.GetAvailableGPUTypesResponse, error) {
	types := s.provider.GPUs().Types
	answer := make(map[string]*anypb.Any, len(types))
	for _, name := range types {
		answer[name] = &anypb.Any{}
	}
	return &protos.GetAvailableGPUTypesResponse{GpuTypes: answer}, nil
}
