package grpcserver

import (
	"context"

	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/grpcserver/dialect"
)

// noOptions leaves CA's own flags in force: every CA takes it well. It is never
// written to, so all calls share it.
var noOptions = &protos.NodeGroupAutoscalingOptionsResponse{}

// NodeGroupGetOptions returns the options a group sets, on top of CA's defaults, if
// the CA that asks can take them: some releases zero a time that they do not find in
// the answer (see withholdingFor), and all of them take no options as their own flags.
func (s *service) NodeGroupGetOptions(ctx context.Context, request *protos.NodeGroupAutoscalingOptionsRequest) (*protos.NodeGroupAutoscalingOptionsResponse, error) {
	if err := checkGroup(request); err != nil {
		return nil, err
	}
	client := dialect.Of(request.GetDefaults())
	if request.GetDefaults() != nil { // else it is somebody with a tool, and no CA
		s.client.heard(ctx, client)
	}
	defaults, err := decodeOptions(request.GetDefaults())
	if err != nil {
		return nil, err
	}
	options, ok, err := s.provider.Options(request.GetId(), defaults)
	if err != nil {
		return nil, err
	}
	if !ok {
		return noOptions, nil
	}
	if reason, withhold := withholdingFor(client, s.allowOptionsWithCA135 || options.AllowWithCA135); withhold {
		s.notes.withhold(ctx, request.GetId(), client, reason)
		return noOptions, nil
	}
	s.notes.accept(ctx, request.GetId(), client)
	return &protos.NodeGroupAutoscalingOptionsResponse{NodeGroupAutoscalingOptions: encodeOptions(options)}, nil
}

func decodeOptions(options *protos.NodeGroupAutoscalingOptions) (cloudprovider.Options, error) {
	durations, err := dialect.ReadDurations(options)
	return cloudprovider.Options{
		ScaleDownUtilizationThreshold:    options.GetScaleDownUtilizationThreshold(),
		ScaleDownGPUUtilizationThreshold: options.GetScaleDownGpuUtilizationThreshold(),
		ScaleDownUnneededTime:            durations.Unneeded,
		ScaleDownUnreadyTime:             durations.Unready,
		MaxNodeProvisionTime:             durations.Provision,
		IgnoreDaemonSetsUtilization:      options.GetIgnoreDaemonSetsUtilization(),
	}, err
}

// encodeOptions never sets zeroOrMaxNodeScaling: CA tells such groups apart by the
// address of its group object, of which the externalgrpc client makes one per node,
// so a group of more than one node would never shrink.
func encodeOptions(options cloudprovider.Options) *protos.NodeGroupAutoscalingOptions {
	encoded := &protos.NodeGroupAutoscalingOptions{
		ScaleDownUtilizationThreshold:    options.ScaleDownUtilizationThreshold,
		ScaleDownGpuUtilizationThreshold: options.ScaleDownGPUUtilizationThreshold,
		IgnoreDaemonSetsUtilization:      options.IgnoreDaemonSetsUtilization,
	}
	dialect.SetDurations(encoded, dialect.Durations{
		Unneeded:  options.ScaleDownUnneededTime,
		Unready:   options.ScaleDownUnreadyTime,
		Provision: options.MaxNodeProvisionTime,
	})
	return encoded
}
