package grpcserver

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/cloudprovider"
)

func TestRequestsAreCountedByMethodAndCode(t *testing.T) {
	w := connect(t, &account{groups: []cloudprovider.NodeGroup{{ID: "spot"}}}, slog.LevelInfo)
	for _, id := range []string{"spot", "spot", "spto", ""} {
		_, _ = w.NodeGroupTargetSize(t.Context(), &protos.NodeGroupTargetSizeRequest{Id: id})
	}
	_, err := w.Refresh(t.Context(), &protos.RefreshRequest{})
	require.NoError(t, err)
	require.NoError(t, testutil.GatherAndCompare(w.metrics, strings.NewReader(`
# HELP buildpool_grpc_requests_total RPCs answered, by method and gRPC code.
# TYPE buildpool_grpc_requests_total counter
buildpool_grpc_requests_total{code="InvalidArgument",method="NodeGroupTargetSize"} 1
buildpool_grpc_requests_total{code="NotFound",method="NodeGroupTargetSize"} 1
buildpool_grpc_requests_total{code="OK",method="NodeGroupTargetSize"} 2
buildpool_grpc_requests_total{code="OK",method="Refresh"} 1
`), "buildpool_grpc_requests_total"))
}

func TestDurationsAreMeasured(t *testing.T) {
	clock := testingclock.NewFakePassiveClock(epoch)
	registry := prometheus.NewRegistry()
	o := newObserver(registry, clock, accessLog{slog.New(slog.DiscardHandler)})
	// Exactly at a bucket's bound belongs to the bucket.
	for _, took := range []time.Duration{10 * time.Microsecond, 11 * time.Microsecond, time.Millisecond, 11 * time.Second} {
		o.record(t.Context(), o.method("/service/NodeGroups"), call{method: "NodeGroups", took: took})
	}
	families, err := registry.Gather()
	require.NoError(t, err)
	histogram := families[0].GetMetric()[0].GetHistogram()
	require.Equal(t, "buildpool_grpc_request_duration_seconds", families[0].GetName())
	assert.EqualValues(t, 4, histogram.GetSampleCount())
	within := map[float64]uint64{}
	for _, bucket := range histogram.GetBucket() {
		within[bucket.GetUpperBound()] = bucket.GetCumulativeCount()
	}
	assert.EqualValues(t, 1, within[10e-6])
	assert.EqualValues(t, 2, within[25e-6])
	assert.EqualValues(t, 3, within[1e-3])
	assert.EqualValues(t, 3, within[10])
}

func TestAccessLog(t *testing.T) {
	failed := status.Error(codes.Aborted, "another scaling activity is in progress")
	node := &protos.ExternalGrpcNode{Name: "n", ProviderID: "cn-hangzhou.i-1"}
	for name, test := range map[string]struct {
		call call
		want string
	}{
		"read": {
			call{method: "NodeGroupTargetSize", request: &protos.NodeGroupTargetSizeRequest{Id: "spot"}, took: time.Millisecond},
			"level=DEBUG msg=rpc method=NodeGroupTargetSize group=spot code=OK duration=1ms\n",
		},
		"read of a node": {
			call{method: "NodeGroupForNode", request: &protos.NodeGroupForNodeRequest{Node: node}},
			"level=DEBUG msg=rpc method=NodeGroupForNode node=cn-hangzhou.i-1 code=OK duration=0s\n",
		},
		"read that failed": {
			call{method: "NodeGroups", request: &protos.NodeGroupsRequest{}, err: failed},
			"level=WARN msg=rpc method=NodeGroups code=Aborted duration=0s error=\"another scaling activity is in progress\"\n",
		},
		"increase": {
			call{method: "NodeGroupIncreaseSize", request: &protos.NodeGroupIncreaseSizeRequest{Id: "spot", Delta: 3}, took: 2 * time.Second},
			"level=INFO msg=rpc method=NodeGroupIncreaseSize group=spot delta=3 code=OK duration=2s\n",
		},
		"decrease": {
			call{method: "NodeGroupDecreaseTargetSize", request: &protos.NodeGroupDecreaseTargetSizeRequest{Id: "spot", Delta: -3}},
			"level=INFO msg=rpc method=NodeGroupDecreaseTargetSize group=spot delta=-3 code=OK duration=0s\n",
		},
		"delete": {
			call{method: "NodeGroupDeleteNodes", err: failed, request: &protos.NodeGroupDeleteNodesRequest{
				Id: "spot", Nodes: []*protos.ExternalGrpcNode{node, {Name: "named"}}}},
			"level=WARN msg=rpc method=NodeGroupDeleteNodes group=spot nodes=\"[cn-hangzhou.i-1 named]\" code=Aborted duration=0s error=\"another scaling activity is in progress\"\n",
		},
		"no prices": {
			call{method: "PricingPodPrice", request: &protos.PricingPodPriceRequest{}, err: status.Error(codes.Unimplemented, "no price known")},
			"level=DEBUG msg=rpc method=PricingPodPrice code=Unimplemented duration=0s error=\"no price known\"\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var text strings.Builder
			handler := slog.NewTextHandler(&text, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			}})
			accessLog{slog.New(handler)}.write(t.Context(), test.call)
			assert.Equal(t, test.want, text.String())
		})
	}
}

func TestAccessLogNamesNotTooManyNodes(t *testing.T) {
	nodes := make([]*protos.ExternalGrpcNode, mostNodesInLog+1)
	for i := range nodes {
		nodes[i] = &protos.ExternalGrpcNode{Name: "n"}
	}
	assert.Len(t, nodeNames(nodes[:mostNodesInLog]), mostNodesInLog)
	assert.NotContains(t, nodeNames(nodes[:mostNodesInLog]), "…")
	names := nodeNames(append(nodes, nodes...))
	assert.Len(t, names, mostNodesInLog+1)
	assert.Equal(t, "…", names[mostNodesInLog])
}

func TestEachRPCIsLoggedOnce(t *testing.T) {
	w := connect(t, &account{fail: errors.New("broken")}, slog.LevelDebug)
	_, err := w.NodeGroupIncreaseSize(t.Context(), &protos.NodeGroupIncreaseSizeRequest{Id: "spot", Delta: 1})
	requireStatus(t, err, codes.Internal)
	assert.Equal(t, 1, strings.Count(w.log.String(), "\n"), w.log.String())
	assert.Contains(t, w.log.String(), "peer=bufconn")
}

func TestPanicsAreRecovered(t *testing.T) {
	provider := &account{panicValue: "index out of range"}
	w := connect(t, provider, slog.LevelInfo)
	_, err := w.NodeGroups(t.Context(), &protos.NodeGroupsRequest{})
	requireStatus(t, err, codes.Internal, "internal error")
	assert.NotContains(t, err.Error(), "index out of range", "what went wrong inside is for the log only")
	assert.Contains(t, w.log.String(), "index out of range")
	assert.Contains(t, w.log.String(), "account_test.go", "the stack names the place")
	require.NoError(t, testutil.GatherAndCompare(w.metrics, strings.NewReader(`
# HELP buildpool_grpc_requests_total RPCs answered, by method and gRPC code.
# TYPE buildpool_grpc_requests_total counter
buildpool_grpc_requests_total{code="Internal",method="NodeGroups"} 1
buildpool_grpc_requests_total{code="OK",method="NodeGroups"} 0
`), "buildpool_grpc_requests_total"))

	provider.panicValue = nil
	_, err = w.NodeGroups(t.Context(), &protos.NodeGroupsRequest{})
	require.NoError(t, err, "the server goes on")
}
