package grpcserver

import (
	"context"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/cloudprovider"
)

// noOptions leaves CA's own flags in force: every CA takes it well. It is never
// written to, so all calls share it.
var noOptions = &protos.NodeGroupAutoscalingOptionsResponse{}

// NodeGroupGetOptions returns the options a group sets, on top of CA's defaults.
//
// A client that did not send its durations in the fields of CA 1.34.2 and later
// would not read them there either, and would take what it misses for zero or stop
// on it, so it keeps its own flags.
func (s *service) NodeGroupGetOptions(_ context.Context, request *protos.NodeGroupAutoscalingOptionsRequest) (*protos.NodeGroupAutoscalingOptionsResponse, error) {
	if err := checkGroup(request); err != nil {
		return nil, err
	}
	options, ok, err := s.provider.Options(request.GetId(), decodeOptions(request.GetDefaults()))
	if err != nil {
		return nil, err
	}
	if !ok || !readsDurations(request.GetDefaults()) {
		return noOptions, nil
	}
	return &protos.NodeGroupAutoscalingOptionsResponse{NodeGroupAutoscalingOptions: encodeOptions(options)}, nil
}

func readsDurations(defaults *protos.NodeGroupAutoscalingOptions) bool {
	return defaults.GetScaleDownUnneededDuration() != nil &&
		defaults.GetScaleDownUnreadyDuration() != nil &&
		defaults.GetMaxNodeProvisionDuration() != nil
}

func decodeOptions(options *protos.NodeGroupAutoscalingOptions) cloudprovider.Options {
	return cloudprovider.Options{
		ScaleDownUtilizationThreshold:    options.GetScaleDownUtilizationThreshold(),
		ScaleDownGPUUtilizationThreshold: options.GetScaleDownGpuUtilizationThreshold(),
		ScaleDownUnneededTime:            decodeDuration(options.GetScaleDownUnneededDuration()),
		ScaleDownUnreadyTime:             decodeDuration(options.GetScaleDownUnreadyDuration()),
		MaxNodeProvisionTime:             decodeDuration(options.GetMaxNodeProvisionDuration()),
		IgnoreDaemonSetsUtilization:      options.GetIgnoreDaemonSetsUtilization(),
	}
}

func decodeDuration(duration *durationpb.Duration) time.Duration {
	return duration.AsDuration() // zero for one that was not sent
}

// encodeOptions never sets zeroOrMaxNodeScaling: CA tells such groups apart by the
// address of its group object, of which the externalgrpc client makes one per node,
// so a group of more than one node would never shrink.
func encodeOptions(options cloudprovider.Options) *protos.NodeGroupAutoscalingOptions {
	return &protos.NodeGroupAutoscalingOptions{
		ScaleDownUtilizationThreshold:    options.ScaleDownUtilizationThreshold,
		ScaleDownGpuUtilizationThreshold: options.ScaleDownGPUUtilizationThreshold,
		ScaleDownUnneededDuration:        durationpb.New(options.ScaleDownUnneededTime),
		ScaleDownUnreadyDuration:         durationpb.New(options.ScaleDownUnreadyTime),
		MaxNodeProvisionDuration:         durationpb.New(options.MaxNodeProvisionTime),
		IgnoreDaemonSetsUtilization:      options.IgnoreDaemonSetsUtilization,
	}
}
