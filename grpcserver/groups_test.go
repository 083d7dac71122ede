package grpcserver

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/cloudprovider"
)

func TestNodeGroups(t *testing.T) {
	for name, test := range map[string]struct {
		groups []cloudprovider.NodeGroup
		want   []string
	}{
		"none": {},
		"some": {
			groups: []cloudprovider.NodeGroup{
				{ID: "gpu", Min: 1, Max: 4, Debug: "asg-gpu"},
				{ID: "spot", Max: 40, Debug: "bad \xff byte"},
			},
			want: []string{"gpu 1..4 asg-gpu", "spot 0..40 bad \uFFFD byte"},
		},
		"bounds beyond the wire": {
			groups: []cloudprovider.NodeGroup{{ID: "huge", Min: math.MinInt, Max: math.MaxInt}},
			want:   []string{"huge -2147483648..2147483647 "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := connect(t, &account{groups: test.groups}, slog.LevelInfo)
			response, err := w.NodeGroups(t.Context(), &protos.NodeGroupsRequest{})
			require.NoError(t, err)
			var got []string
			for _, group := range response.GetNodeGroups() {
				got = append(got, formatGroup(group))
			}
			assert.Equal(t, test.want, got)
		})
	}
}

func formatGroup(group *protos.NodeGroup) string {
	return fmt.Sprintf("%s %d..%d %s", group.GetId(), group.GetMinSize(), group.GetMaxSize(), group.GetDebug())
}

func TestNodeGroupForNode(t *testing.T) {
	provider := &account{
		groups: []cloudprovider.NodeGroup{{ID: "spot", Min: 2, Max: 40, Debug: "asg-spot"}},
		owners: map[string]string{"cn-hangzhou.i-1": "spot"},
	}
	w := connect(t, provider, slog.LevelInfo)
	for name, test := range map[string]struct {
		node *protos.ExternalGrpcNode
		want string
	}{
		"ours":              {node: &protos.ExternalGrpcNode{Name: "n1", ProviderID: "cn-hangzhou.i-1"}, want: "spot 2..40 asg-spot"},
		"foreign":           {node: &protos.ExternalGrpcNode{Name: "n2", ProviderID: "cn-hangzhou.i-2"}, want: " 0..0 "},
		"no provider ID":    {node: &protos.ExternalGrpcNode{Name: "virtual-kubelet"}, want: " 0..0 "},
		"nothing but a box": {node: &protos.ExternalGrpcNode{}, want: " 0..0 "},
	} {
		t.Run(name, func(t *testing.T) {
			response, err := w.NodeGroupForNode(t.Context(), &protos.NodeGroupForNodeRequest{Node: test.node})
			require.NoError(t, err)
			require.NotNil(t, response.GetNodeGroup())
			assert.Equal(t, test.want, formatGroup(response.GetNodeGroup()))
		})
	}
}

func TestNodeGroupForNodePassesTheWholeNode(t *testing.T) {
	provider := &account{}
	w := connect(t, provider, slog.LevelInfo)
	_, err := w.NodeGroupForNode(t.Context(), &protos.NodeGroupForNodeRequest{Node: &protos.ExternalGrpcNode{
		Name:        "cn-hangzhou.i-1",
		ProviderID:  "cn-hangzhou.i-1",
		Labels:      map[string]string{"a": "b"},
		Annotations: map[string]string{cloudprovider.FakeNodeReason: "unregistered"},
	}})
	require.NoError(t, err)
	assert.Equal(t, cloudprovider.Node{
		Name:        "cn-hangzhou.i-1",
		ProviderID:  "cn-hangzhou.i-1",
		Labels:      map[string]string{"a": "b"},
		Annotations: map[string]string{cloudprovider.FakeNodeReason: "unregistered"},
	}, provider.asked)
	assert.True(t, provider.asked.Fake())
}

func TestNodeGroupForNodeFailures(t *testing.T) {
	provider := &account{}
	w := connect(t, provider, slog.LevelInfo)
	_, err := w.NodeGroupForNode(t.Context(), &protos.NodeGroupForNodeRequest{})
	requireStatus(t, err, codes.InvalidArgument, "no node")
	assert.Empty(t, provider.made(), "the provider must not be asked about no node")

	provider.fail = errors.New("broken")
	_, err = w.NodeGroupForNode(t.Context(), &protos.NodeGroupForNodeRequest{Node: &protos.ExternalGrpcNode{Name: "n"}})
	requireStatus(t, err, codes.Internal, "broken")
}
