package grpcserver

import (
	"fmt"

	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/cloudprovider"
)

// The checks at the door: what no provider could make sense of is refused here, so
// that the provider is only asked about groups with a name and numbers with a sign.

func invalid(format string, arguments ...any) error {
	return fmt.Errorf("%w: %s", cloudprovider.ErrInvalidArgument, fmt.Sprintf(format, arguments...))
}

// maxGroupID bounds what is looked up, logged and sent back. A node group's name is
// at most a label value long.
const maxGroupID = 253

// maxNodeName bounds a node's name, of which Kubernetes takes 253 bytes, and its
// provider ID, which has no bound of its own; ours are under 100 bytes long.
const maxNodeName = 512

// maxDeletes is how many instances a scaling group can have.
const maxDeletes = 2000

func checkGroup(request interface{ GetId() string }) error {
	switch id := request.GetId(); {
	case id == "":
		return invalid("the request names no node group")
	case len(id) > maxGroupID:
		return invalid("the node group's ID is %d bytes long, at most %d are allowed", len(id), maxGroupID)
	}
	return nil
}

func checkIncrease(request *protos.NodeGroupIncreaseSizeRequest) error {
	if err := checkGroup(request); err != nil {
		return err
	}
	if request.GetDelta() < 1 {
		return invalid("delta is %d, but an increase is at least 1", request.GetDelta())
	}
	return nil
}

func checkDecrease(request *protos.NodeGroupDecreaseTargetSizeRequest) error {
	if err := checkGroup(request); err != nil {
		return err
	}
	if request.GetDelta() > -1 {
		return invalid("delta is %d, but a decrease is at most -1", request.GetDelta())
	}
	return nil
}

func checkDelete(request *protos.NodeGroupDeleteNodesRequest) error {
	if err := checkGroup(request); err != nil {
		return err
	}
	if len(request.GetNodes()) == 0 {
		return invalid("the request names no node to delete")
	}
	if n := len(request.GetNodes()); n > maxDeletes {
		return invalid("the request names %d nodes to delete, but no group has more than %d", n, maxDeletes)
	}
	for i, node := range request.GetNodes() {
		switch {
		case node.GetName() == "" && node.GetProviderID() == "":
			return invalid("node %d of %d has neither name nor provider ID", i+1, len(request.GetNodes()))
		case !plausible(node):
			return invalid("the name or provider ID of node %d of %d is longer than %d bytes", i+1, len(request.GetNodes()), maxNodeName)
		}
	}
	return nil
}

// plausible reports whether a node's names have a length that a node of ours can have.
func plausible(node *protos.ExternalGrpcNode) bool {
	return len(node.GetName()) <= maxNodeName && len(node.GetProviderID()) <= maxNodeName
}
