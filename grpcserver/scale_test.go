package grpcserver

import (
	"context"
	"log/slog"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/cloudprovider"
)

func TestTargetSize(t *testing.T) {
	w := connect(t, &account{
		groups:  []cloudprovider.NodeGroup{{ID: "spot"}, {ID: "huge"}},
		targets: map[string]int{"spot": 7, "huge": math.MaxInt},
	}, slog.LevelInfo)
	for group, want := range map[string]int32{"spot": 7, "huge": math.MaxInt32} {
		response, err := w.NodeGroupTargetSize(t.Context(), &protos.NodeGroupTargetSizeRequest{Id: group})
		require.NoError(t, err)
		assert.Equal(t, want, response.GetTargetSize(), group)
	}
}

func TestScaleRequestsAtTheirLimits(t *testing.T) {
	nodes := func(nodes ...*protos.ExternalGrpcNode) []*protos.ExternalGrpcNode { return nodes }
	increase := func(id string, delta int32) func(context.Context, *wire) error {
		return func(ctx context.Context, w *wire) error {
			_, err := w.NodeGroupIncreaseSize(ctx, &protos.NodeGroupIncreaseSizeRequest{Id: id, Delta: delta})
			return err
		}
	}
	decrease := func(id string, delta int32) func(context.Context, *wire) error {
		return func(ctx context.Context, w *wire) error {
			_, err := w.NodeGroupDecreaseTargetSize(ctx, &protos.NodeGroupDecreaseTargetSizeRequest{Id: id, Delta: delta})
			return err
		}
	}
	remove := func(id string, nodes []*protos.ExternalGrpcNode) func(context.Context, *wire) error {
		return func(ctx context.Context, w *wire) error {
			_, err := w.NodeGroupDeleteNodes(ctx, &protos.NodeGroupDeleteNodesRequest{Id: id, Nodes: nodes})
			return err
		}
	}
	long := strings.Repeat("g", maxGroupID)
	for name, test := range map[string]struct {
		do   func(context.Context, *wire) error
		call string // "": refused at the door
		says string
	}{
		"increase by 1":             {do: increase("spot", 1), call: "IncreaseSize spot 1"},
		"increase by the most":      {do: increase("spot", math.MaxInt32), call: "IncreaseSize spot 2147483647"},
		"increase by 0":             {do: increase("spot", 0), says: "delta is 0, but an increase is at least 1"},
		"increase by less":          {do: increase("spot", math.MinInt32), says: "delta is -2147483648"},
		"increase nothing":          {do: increase("", 1), says: "names no node group"},
		"decrease by 1":             {do: decrease("spot", -1), call: "DecreaseTargetSize spot -1"},
		"decrease by the most":      {do: decrease("spot", math.MinInt32), call: "DecreaseTargetSize spot -2147483648"},
		"decrease by 0":             {do: decrease("spot", 0), says: "delta is 0, but a decrease is at most -1"},
		"decrease upwards":          {do: decrease("spot", 1), says: "delta is 1, but"},
		"decrease nothing":          {do: decrease("", -1), says: "names no node group"},
		"delete by provider ID":     {do: remove("spot", nodes(&protos.ExternalGrpcNode{ProviderID: "p"})), call: "DeleteNodes spot 1"},
		"delete by name":            {do: remove("spot", nodes(&protos.ExternalGrpcNode{Name: "n"})), call: "DeleteNodes spot 1"},
		"delete no node":            {do: remove("spot", nil), says: "names no node to delete"},
		"delete a node of no name":  {do: remove("spot", nodes(&protos.ExternalGrpcNode{Name: "n"}, &protos.ExternalGrpcNode{})), says: "node 2 of 2 has neither"},
		"delete from nothing":       {do: remove("", nodes(&protos.ExternalGrpcNode{Name: "n"})), says: "names no node group"},
		"the longest ID":            {do: increase(long, 1), call: "IncreaseSize " + long + " 1"},
		"an ID longer than allowed": {do: increase(long+"g", 1), says: "254 bytes long, at most 253"},
	} {
		t.Run(name, func(t *testing.T) {
			provider := &account{groups: []cloudprovider.NodeGroup{{ID: "spot"}, {ID: long}}}
			err := test.do(t.Context(), connect(t, provider, slog.LevelInfo))
			if test.call == "" {
				requireStatus(t, err, codes.InvalidArgument, test.says)
				assert.Empty(t, provider.made(), "the provider must not see a request that is wrong in itself")
				return
			}
			require.NoError(t, err)
			assert.Equal(t, []string{test.call}, provider.made())
		})
	}
}

func TestDeleteNodesPassesNodesInOrder(t *testing.T) {
	provider := &account{groups: []cloudprovider.NodeGroup{{ID: "spot"}}}
	w := connect(t, provider, slog.LevelInfo)
	_, err := w.NodeGroupDeleteNodes(t.Context(), &protos.NodeGroupDeleteNodesRequest{Id: "spot", Nodes: []*protos.ExternalGrpcNode{
		{Name: "b", ProviderID: "cn-hangzhou.i-b", Labels: map[string]string{"l": "1"}},
		{Name: "a", ProviderID: "cn-hangzhou.i-a", Annotations: map[string]string{"an": "2"}},
	}})
	require.NoError(t, err)
	assert.Equal(t, []cloudprovider.Node{
		{Name: "b", ProviderID: "cn-hangzhou.i-b", Labels: map[string]string{"l": "1"}},
		{Name: "a", ProviderID: "cn-hangzhou.i-a", Annotations: map[string]string{"an": "2"}},
	}, provider.deleted)
}
