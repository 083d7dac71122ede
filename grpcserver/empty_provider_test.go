package grpcserver

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// emptyProvider gives the answers of one time from memory, with no interceptor, no log
// and no state: the least that a provider can be.
type emptyProvider struct {
	protos.UnimplementedCloudProviderServer
	groups    *protos.NodeGroupsResponse
	targets   map[string]*protos.NodeGroupTargetSizeResponse
	templates map[string]*protos.NodeGroupTemplateNodeInfoResponse
	groupOf   map[string]*protos.NodeGroupForNodeResponse // by provider ID
}

// copyAnswers asks a service once for all that a loop asks.
func copyAnswers(b *testing.B, from *service, account benchAccount) *emptyProvider {
	b.Helper()
	ctx := b.Context()
	e := &emptyProvider{
		targets:   map[string]*protos.NodeGroupTargetSizeResponse{},
		templates: map[string]*protos.NodeGroupTemplateNodeInfoResponse{},
		groupOf:   map[string]*protos.NodeGroupForNodeResponse{},
	}
	var err error
	e.groups, err = from.NodeGroups(ctx, &protos.NodeGroupsRequest{})
	require.NoError(b, err)
	for _, group := range account.groups {
		e.targets[group], err = from.NodeGroupTargetSize(ctx, &protos.NodeGroupTargetSizeRequest{Id: group})
		require.NoError(b, err)
		e.templates[group], err = from.NodeGroupTemplateNodeInfo(ctx, &protos.NodeGroupTemplateNodeInfoRequest{Id: group})
		require.NoError(b, err)
	}
	for _, node := range account.nodes {
		e.groupOf[node], err = from.NodeGroupForNode(ctx, &protos.NodeGroupForNodeRequest{Node: benchNode(node)})
		require.NoError(b, err)
	}
	return e
}

func (e *emptyProvider) Refresh(context.Context, *protos.RefreshRequest) (*protos.RefreshResponse, error) {
	return &protos.RefreshResponse{}, nil
}

func (e *emptyProvider) NodeGroups(context.Context, *protos.NodeGroupsRequest) (*protos.NodeGroupsResponse, error) {
	return e.groups, nil
}

func (e *emptyProvider) NodeGroupForNode(_ context.Context, r *protos.NodeGroupForNodeRequest) (*protos.NodeGroupForNodeResponse, error) {
	return e.groupOf[r.GetNode().GetProviderID()], nil
}

func (e *emptyProvider) NodeGroupTargetSize(_ context.Context, r *protos.NodeGroupTargetSizeRequest) (*protos.NodeGroupTargetSizeResponse, error) {
	return e.targets[r.GetId()], nil
}

func (e *emptyProvider) NodeGroupTemplateNodeInfo(_ context.Context, r *protos.NodeGroupTemplateNodeInfoRequest) (*protos.NodeGroupTemplateNodeInfoResponse, error) {
	return e.templates[r.GetId()], nil
}

func (e *emptyProvider) NodeGroupGetOptions(context.Context, *protos.NodeGroupAutoscalingOptionsRequest) (*protos.NodeGroupAutoscalingOptionsResponse, error) {
	return &protos.NodeGroupAutoscalingOptionsResponse{}, nil
}
