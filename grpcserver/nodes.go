package grpcserver

import (
	"context"
	"strings"

	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/cloudprovider"
)

// The states without a failure. They are never written to, so all instances of all
// answers share them.
var (
	running  = &protos.InstanceStatus{InstanceState: protos.InstanceStatus_instanceRunning}
	creating = &protos.InstanceStatus{InstanceState: protos.InstanceStatus_instanceCreating}
	deleting = &protos.InstanceStatus{InstanceState: protos.InstanceStatus_instanceDeleting}
)

// NodeGroupNodes lists a group's instances and the placeholders of those that the
// cloud failed to create.
func (s *service) NodeGroupNodes(_ context.Context, request *protos.NodeGroupNodesRequest) (*protos.NodeGroupNodesResponse, error) {
	if err := checkGroup(request); err != nil {
		return nil, err
	}
	instances, err := s.provider.Instances(request.GetId())
	if err != nil {
		return nil, err
	}
	return s.answers.instances(request.GetId(), instances)
}

func encodeInstances(instances []cloudprovider.InstanceStatus) *protos.NodeGroupNodesResponse {
	// One array for all instances: a group may hold thousands.
	array := make([]protos.Instance, len(instances))
	list := make([]*protos.Instance, len(instances))
	for i, instance := range instances {
		array[i].Id = instance.ID
		array[i].Status = encodeStatus(instance)
		list[i] = &array[i]
	}
	return &protos.NodeGroupNodesResponse{Instances: list}
}

// encodeStatus never returns "unspecified" for a state of the vocabulary: CA would
// take it for no status at all.
func encodeStatus(instance cloudprovider.InstanceStatus) *protos.InstanceStatus {
	shared := encodeState(instance.State)
	if instance.Failure == nil {
		return shared
	}
	return &protos.InstanceStatus{
		InstanceState: shared.GetInstanceState(),
		ErrorInfo: &protos.InstanceErrorInfo{
			ErrorCode:          failureCode(instance.Failure),
			ErrorMessage:       validText(instance.Failure.Message),
			InstanceErrorClass: int32(instance.Failure.Class),
		},
	}
}

func encodeState(state cloudprovider.InstanceState) *protos.InstanceStatus {
	switch state {
	case cloudprovider.Running:
		return running
	case cloudprovider.Creating:
		return creating
	case cloudprovider.Deleting:
		return deleting
	}
	return &protos.InstanceStatus{}
}

// failureCode is never empty, because CA ignores error information without a code.
func failureCode(failure *cloudprovider.Failure) string {
	if failure.Code != "" {
		return validText(failure.Code)
	}
	if failure.Class == cloudprovider.OutOfResources {
		return "OutOfResources"
	}
	return "Unknown"
}

// validText keeps a foreign text from spoiling a whole answer: protobuf refuses to
// encode a message that holds one string with invalid UTF-8.
func validText(text string) string {
	return strings.ToValidUTF8(text, "\uFFFD")
}
