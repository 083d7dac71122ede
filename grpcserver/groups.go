package grpcserver

import (
	"context"
	"errors"

	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/cloudprovider"
)

// noGroup is the answer for a node that CA is to leave alone. It is never written
// to, so all calls share it.
var noGroup = &protos.NodeGroupForNodeResponse{NodeGroup: &protos.NodeGroup{}}

// NodeGroups lists every group, with the bounds that hold now.
func (s *service) NodeGroups(context.Context, *protos.NodeGroupsRequest) (*protos.NodeGroupsResponse, error) {
	groups, err := s.provider.NodeGroups()
	if err != nil {
		return nil, err
	}
	return s.answers.nodeGroups(groups)
}

// NodeGroupForNode names the group of a node. A node that is not ours is answered
// with an empty ID and never with an error, because an error ends the whole loop of
// CA up to 1.34.3. Min and max are always filled: CA keeps this answer as the node's
// group and reads them from it.
func (s *service) NodeGroupForNode(_ context.Context, request *protos.NodeGroupForNodeRequest) (*protos.NodeGroupForNodeResponse, error) {
	if request.GetNode() == nil {
		return nil, invalid("the request has no node")
	}
	if !plausible(request.GetNode()) {
		// Purposefully no error: one strange node must not stop the whole autoscaler.
		return noGroup, nil
	}
	group, err := s.provider.NodeGroupForNode(decodeNode(request.GetNode()))
	if errors.Is(err, cloudprovider.ErrNotManaged) {
		return noGroup, nil
	}
	if err != nil {
		return nil, err
	}
	return &protos.NodeGroupForNodeResponse{NodeGroup: encodeNodeGroup(group)}, nil
}

func encodeNodeGroup(group cloudprovider.NodeGroup) *protos.NodeGroup {
	return &protos.NodeGroup{
		Id:      group.ID,
		MinSize: toInt32(group.Min),
		MaxSize: toInt32(group.Max),
		Debug:   validText(group.Debug),
	}
}

func decodeNode(node *protos.ExternalGrpcNode) cloudprovider.Node {
	return cloudprovider.Node{
		Name:        node.GetName(),
		ProviderID:  node.GetProviderID(),
		Labels:      node.GetLabels(),
		Annotations: node.GetAnnotations(),
	}
}
