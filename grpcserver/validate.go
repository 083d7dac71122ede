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
	for i, node := range request.GetNodes() {
		if node.GetName() == "" && node.GetProviderID() == "" {
			return invalid("node %d of %d has neither name nor provider ID", i+1, len(request.GetNodes()))
		}
	}
	return nil
}
