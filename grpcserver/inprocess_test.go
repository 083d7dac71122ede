package grpcserver

import (
	"errors"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/cloudprovider"
)

func TestInProcessAnswersAsTheWireDoes(t *testing.T) {
	provider := &account{
		groups: []cloudprovider.NodeGroup{{ID: "spot", Min: 2, Max: 40, Debug: "asg-spot"}},
		owners: map[string]string{"cn-hangzhou.i-1": "spot"},
	}
	w := connect(t, provider, slog.LevelInfo)
	inside := protos.NewCloudProviderClient(w.server.InProcess())
	for name, ask := range map[string]func(protos.CloudProviderClient) (proto.Message, error){
		"groups": func(c protos.CloudProviderClient) (proto.Message, error) {
			return c.NodeGroups(t.Context(), &protos.NodeGroupsRequest{})
		},
		"the group of a node": func(c protos.CloudProviderClient) (proto.Message, error) {
			return c.NodeGroupForNode(t.Context(), &protos.NodeGroupForNodeRequest{Node: &protos.ExternalGrpcNode{ProviderID: "cn-hangzhou.i-1"}})
		},
		"options of an old client": func(c protos.CloudProviderClient) (proto.Message, error) {
			request := &protos.NodeGroupAutoscalingOptionsRequest{Id: "spot", Defaults: &protos.NodeGroupAutoscalingOptions{
				ScaleDownUnneededDuration: durationpb.New(1),
			}}
			request.Defaults.ProtoReflect().SetUnknown([]byte{0x1a, 0x02, 0x08, 0x05}) // field 3: 5 ns
			return c.NodeGroupGetOptions(t.Context(), request)
		},
		"a group that is not there": func(c protos.CloudProviderClient) (proto.Message, error) {
			return c.NodeGroupTargetSize(t.Context(), &protos.NodeGroupTargetSizeRequest{Id: "nobody"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			outer, outerErr := ask(w.CloudProviderClient)
			inner, innerErr := ask(inside)
			if outerErr != nil {
				require.Error(t, innerErr)
				assert.Equal(t, outerErr.Error(), innerErr.Error())
				return
			}
			require.NoError(t, innerErr)
			assert.True(t, proto.Equal(outer, inner), "%v, not %v", inner, outer)
		})
	}
	families, err := w.metrics.Gather()
	require.NoError(t, err)
	var counted float64
	for _, f := range families {
		if f.GetName() == "buildpool_grpc_requests_total" {
			for _, m := range f.GetMetric() {
				counted += m.GetCounter().GetValue()
			}
		}
	}
	assert.InDelta(t, 8, counted, 0, "calls in process are counted as those on the wire")
}

func TestInProcessRefusesWhatItHasNot(t *testing.T) {
	connection := connect(t, &account{}, slog.LevelInfo).server.InProcess()
	requireStatus(t, connection.Invoke(t.Context(), "/some.Service/Method", &protos.RefreshRequest{}, &protos.RefreshResponse{}), codes.Unimplemented, "Method")
	_, err := connection.NewStream(t.Context(), &grpc.StreamDesc{}, "/some.Service/Method")
	requireStatus(t, err, codes.Unimplemented, "streams")
}

func TestInProcessRefusesWhatIsNoMessage(t *testing.T) {
	assert.Error(t, overWire("text", &protos.RefreshRequest{}))
	assert.Error(t, overWire(&protos.RefreshRequest{}, errors.New("none")))
}

func BenchmarkInProcess(b *testing.B) {
	server := New(Options{Provider: &account{groups: []cloudprovider.NodeGroup{{ID: "spot", Max: 40}}}, Clock: testingclock.NewFakePassiveClock(epoch)})
	client := protos.NewCloudProviderClient(server.InProcess())
	for b.Loop() {
		if _, err := client.NodeGroups(b.Context(), &protos.NodeGroupsRequest{}); err != nil {
			b.Fatal(err)
		}
	}
}
