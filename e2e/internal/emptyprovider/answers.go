package main

import (
	"context"

	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// answers are those of another provider at one time. They are not written to, so all
// calls share them.
type answers struct {
	protos.UnimplementedCloudProviderServer

	groups    *protos.NodeGroupsResponse
	targets   map[string]*protos.NodeGroupTargetSizeResponse
	nodes     map[string]*protos.NodeGroupNodesResponse
	templates map[string]*protos.NodeGroupTemplateNodeInfoResponse
	groupOf   map[string]*protos.NodeGroupForNodeResponse // by provider ID
	gpuLabel  *protos.GPULabelResponse
	gpuTypes  *protos.GetAvailableGPUTypesResponse
}

func copyAnswers(ctx context.Context, from protos.CloudProviderClient) (*answers, error) {
	a := &answers{
		targets:   map[string]*protos.NodeGroupTargetSizeResponse{},
		nodes:     map[string]*protos.NodeGroupNodesResponse{},
		templates: map[string]*protos.NodeGroupTemplateNodeInfoResponse{},
		groupOf:   map[string]*protos.NodeGroupForNodeResponse{},
	}
	var err error
	if _, err = from.Refresh(ctx, &protos.RefreshRequest{}); err != nil {
		return nil, err
	}
	if a.groups, err = from.NodeGroups(ctx, &protos.NodeGroupsRequest{}); err != nil {
		return nil, err
	}
	if a.gpuLabel, err = from.GPULabel(ctx, &protos.GPULabelRequest{}); err != nil {
		return nil, err
	}
	if a.gpuTypes, err = from.GetAvailableGPUTypes(ctx, &protos.GetAvailableGPUTypesRequest{}); err != nil {
		return nil, err
	}
	for _, group := range a.groups.GetNodeGroups() {
		if err := a.copyGroup(ctx, from, group); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (a *answers) copyGroup(ctx context.Context, from protos.CloudProviderClient, group *protos.NodeGroup) error {
	id := group.GetId()
	var err error
	if a.targets[id], err = from.NodeGroupTargetSize(ctx, &protos.NodeGroupTargetSizeRequest{Id: id}); err != nil {
		return err
	}
	if a.nodes[id], err = from.NodeGroupNodes(ctx, &protos.NodeGroupNodesRequest{Id: id}); err != nil {
		return err
	}
	if a.templates[id], err = from.NodeGroupTemplateNodeInfo(ctx, &protos.NodeGroupTemplateNodeInfoRequest{Id: id}); err != nil {
		return err
	}
	for _, instance := range a.nodes[id].GetInstances() {
		a.groupOf[instance.GetId()] = &protos.NodeGroupForNodeResponse{NodeGroup: group}
	}
	return nil
}

// Refresh does nothing.
func (a *answers) Refresh(context.Context, *protos.RefreshRequest) (*protos.RefreshResponse, error) {
	return &protos.RefreshResponse{}, nil
}

// NodeGroups answers from memory, as do all the others.
func (a *answers) NodeGroups(context.Context, *protos.NodeGroupsRequest) (*protos.NodeGroupsResponse, error) {
	return a.groups, nil
}

// NodeGroupForNode knows the instances of the time of the copy.
func (a *answers) NodeGroupForNode(_ context.Context, request *protos.NodeGroupForNodeRequest) (*protos.NodeGroupForNodeResponse, error) {
	if group, ok := a.groupOf[request.GetNode().GetProviderID()]; ok {
		return group, nil
	}
	return &protos.NodeGroupForNodeResponse{NodeGroup: &protos.NodeGroup{}}, nil
}

// NodeGroupTargetSize never changes.
func (a *answers) NodeGroupTargetSize(_ context.Context, request *protos.NodeGroupTargetSizeRequest) (*protos.NodeGroupTargetSizeResponse, error) {
	return a.targets[request.GetId()], nil
}

// NodeGroupNodes never change.
func (a *answers) NodeGroupNodes(_ context.Context, request *protos.NodeGroupNodesRequest) (*protos.NodeGroupNodesResponse, error) {
	return a.nodes[request.GetId()], nil
}

// NodeGroupTemplateNodeInfo never changes.
func (a *answers) NodeGroupTemplateNodeInfo(_ context.Context, request *protos.NodeGroupTemplateNodeInfoRequest) (*protos.NodeGroupTemplateNodeInfoResponse, error) {
	return a.templates[request.GetId()], nil
}

// NodeGroupGetOptions leaves CA its flags.
func (a *answers) NodeGroupGetOptions(context.Context, *protos.NodeGroupAutoscalingOptionsRequest) (*protos.NodeGroupAutoscalingOptionsResponse, error) {
	return &protos.NodeGroupAutoscalingOptionsResponse{}, nil
}

// GPULabel never changes.
func (a *answers) GPULabel(context.Context, *protos.GPULabelRequest) (*protos.GPULabelResponse, error) {
	return a.gpuLabel, nil
}

// GetAvailableGPUTypes never change.
func (a *answers) GetAvailableGPUTypes(context.Context, *protos.GetAvailableGPUTypesRequest) (*protos.GetAvailableGPUTypesResponse, error) {
	return a.gpuTypes, nil
}

// Cleanup does nothing.
func (a *answers) Cleanup(context.Context, *protos.CleanupRequest) (*protos.CleanupResponse, error) {
	return &protos.CleanupResponse{}, nil
}
