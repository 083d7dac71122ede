package grpcserver

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/cloudprovider"
)

// flags are options as CA 1.36 sends them.
func flags() *protos.NodeGroupAutoscalingOptions {
	return &protos.NodeGroupAutoscalingOptions{
		ScaleDownUtilizationThreshold:    0.5,
		ScaleDownGpuUtilizationThreshold: 0.4,
		ZeroOrMaxNodeScaling:             true,
		IgnoreDaemonSetsUtilization:      true,
		ScaleDownUnneededDuration:        durationpb.New(10 * time.Minute),
		ScaleDownUnreadyDuration:         durationpb.New(20 * time.Minute),
		MaxNodeProvisionDuration:         durationpb.New(15 * time.Minute),
	}
}

func TestOptions(t *testing.T) {
	provider := &account{options: map[string]cloudprovider.Options{"spot": {
		ScaleDownUtilizationThreshold:    0.7,
		ScaleDownGPUUtilizationThreshold: 0.6,
		ScaleDownUnneededTime:            3 * time.Minute,
		ScaleDownUnreadyTime:             4 * time.Minute,
		MaxNodeProvisionTime:             5*time.Minute + time.Nanosecond,
		IgnoreDaemonSetsUtilization:      true,
	}}}
	w := connect(t, provider, slog.LevelInfo)
	response, err := w.NodeGroupGetOptions(t.Context(), &protos.NodeGroupAutoscalingOptionsRequest{Id: "spot", Defaults: flags()})
	require.NoError(t, err)
	assert.Equal(t, cloudprovider.Options{
		ScaleDownUtilizationThreshold:    0.5,
		ScaleDownGPUUtilizationThreshold: 0.4,
		ScaleDownUnneededTime:            10 * time.Minute,
		ScaleDownUnreadyTime:             20 * time.Minute,
		MaxNodeProvisionTime:             15 * time.Minute,
		IgnoreDaemonSetsUtilization:      true,
	}, provider.defaults)
	want := &protos.NodeGroupAutoscalingOptionsResponse{NodeGroupAutoscalingOptions: &protos.NodeGroupAutoscalingOptions{
		ScaleDownUtilizationThreshold:    0.7,
		ScaleDownGpuUtilizationThreshold: 0.6,
		ZeroOrMaxNodeScaling:             false, // never, whatever CA's flag says
		IgnoreDaemonSetsUtilization:      true,
		ScaleDownUnneededDuration:        durationpb.New(3 * time.Minute),
		ScaleDownUnreadyDuration:         durationpb.New(4 * time.Minute),
		MaxNodeProvisionDuration:         durationpb.New(5*time.Minute + time.Nanosecond),
	}}
	assert.True(t, proto.Equal(want, response), "want %v, got %v", want, response)
}

func TestOptionsEmptyAnswers(t *testing.T) {
	set := map[string]cloudprovider.Options{"spot": {ScaleDownUnneededTime: time.Minute}}
	without := func(clear func(*protos.NodeGroupAutoscalingOptions)) *protos.NodeGroupAutoscalingOptions {
		f := flags()
		clear(f)
		return f
	}
	for name, test := range map[string]struct {
		options  map[string]cloudprovider.Options
		defaults *protos.NodeGroupAutoscalingOptions
	}{
		"the group sets none":              {nil, flags()},
		"a client that sends nothing":      {set, nil},
		"a client without unneeded time":   {set, without(func(f *protos.NodeGroupAutoscalingOptions) { f.ScaleDownUnneededDuration = nil })},
		"a client without unready time":    {set, without(func(f *protos.NodeGroupAutoscalingOptions) { f.ScaleDownUnreadyDuration = nil })},
		"a client without provisions time": {set, without(func(f *protos.NodeGroupAutoscalingOptions) { f.MaxNodeProvisionDuration = nil })},
	} {
		t.Run(name, func(t *testing.T) {
			w := connect(t, &account{options: test.options}, slog.LevelInfo)
			response, err := w.NodeGroupGetOptions(t.Context(), &protos.NodeGroupAutoscalingOptionsRequest{Id: "spot", Defaults: test.defaults})
			require.NoError(t, err)
			assert.Nil(t, response.GetNodeGroupAutoscalingOptions(), "CA must fall back to its own flags")
		})
	}
}

func TestOptionsOfNoGroup(t *testing.T) {
	w := connect(t, &account{}, slog.LevelInfo)
	_, err := w.NodeGroupGetOptions(t.Context(), &protos.NodeGroupAutoscalingOptionsRequest{Defaults: flags()})
	requireStatus(t, err, codes.InvalidArgument, "names no node group")
}
