package grpcserver

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	"k8s.io/utils/clock"
)

// benchSizes are the accounts that the documentation speaks of.
var benchSizes = []struct{ groups, nodesEach int }{{10, 30}, {10, 100}, {200, 50}}

// BenchmarkReadRPCs times our share of each reading RPC, all but the connection:
// decoding, interceptors with metrics, the answer, and its encoding. It reports the
// median and the 99th percentile beside the mean, which on a busy machine is mostly what
// others did.
func BenchmarkReadRPCs(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(fmt.Sprintf("%dx%d", size.groups, size.nodesEach), func(b *testing.B) {
			timeReads(b, newBenchAccount(b, size.groups, size.nodesEach))
		})
	}
}

func timeReads(b *testing.B, account benchAccount) {
	server := New(Options{Provider: account.provider, Clock: clock.RealClock{}, Log: infoLog(), Registerer: prometheus.NewRegistry()})
	defer func() { _ = server.Stop(context.Background()) }()
	group := func(n int) string { return account.groups[n%len(account.groups)] }
	rpcs := []struct {
		name    string
		method  string
		request func(n int) proto.Message
	}{
		{"NodeGroups", "NodeGroups", func(int) proto.Message { return &protos.NodeGroupsRequest{} }},
		{"NodeGroupForNode", "NodeGroupForNode", func(n int) proto.Message {
			return &protos.NodeGroupForNodeRequest{Node: benchNode(account.nodes[n%len(account.nodes)])}
		}},
		{"NodeGroupForNode/foreign", "NodeGroupForNode", func(int) proto.Message {
			return &protos.NodeGroupForNodeRequest{Node: benchNode("cn-hangzhou.i-foreign")}
		}},
		{"NodeGroupTargetSize", "NodeGroupTargetSize", func(n int) proto.Message {
			return &protos.NodeGroupTargetSizeRequest{Id: group(n)}
		}},
		{"NodeGroupNodes", "NodeGroupNodes", func(n int) proto.Message { return &protos.NodeGroupNodesRequest{Id: group(n)} }},
		{"NodeGroupTemplateNodeInfo", "NodeGroupTemplateNodeInfo", func(n int) proto.Message {
			return &protos.NodeGroupTemplateNodeInfoRequest{Id: group(n)}
		}},
		{"NodeGroupGetOptions", "NodeGroupGetOptions", func(n int) proto.Message { return optionsRequest(group(n)) }},
		{"GPULabel", "GPULabel", func(int) proto.Message { return &protos.GPULabelRequest{} }},
		{"GetAvailableGPUTypes", "GetAvailableGPUTypes", func(int) proto.Message { return &protos.GetAvailableGPUTypesRequest{} }},
	}
	for _, rpc := range rpcs {
		b.Run(rpc.name, func(b *testing.B) {
			requests := make([][]byte, 200)
			for n := range requests {
				encoded, err := proto.Marshal(rpc.request(n))
				require.NoError(b, err)
				requests[n] = encoded
			}
			timeShare(b, handlerOf(b, server, rpc.method), requests)
		})
	}
}

func timeShare(b *testing.B, handle handler, requests [][]byte) {
	b.Helper()
	real := clock.RealClock{}
	var took []time.Duration
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		began := real.Now()
		answer, err := handle(b.Context(), requests[n%len(requests)])
		if err == nil {
			_, err = proto.Marshal(answer)
		}
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, real.Since(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds()), "p50-ns")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "p99-ns")
}

// handler answers an encoded request.
type handler func(ctx context.Context, request []byte) (proto.Message, error)

// handlerOf is what gRPC calls for a method, with the server's interceptors around it.
func handlerOf(b *testing.B, s *Server, method string) handler {
	b.Helper()
	at := slices.IndexFunc(protos.CloudProvider_ServiceDesc.Methods, func(d grpc.MethodDesc) bool { return d.MethodName == method })
	require.GreaterOrEqual(b, at, 0, method)
	description := protos.CloudProvider_ServiceDesc.Methods[at]
	return func(ctx context.Context, request []byte) (proto.Message, error) {
		answer, err := description.Handler(s.service, ctx, func(to any) error { return proto.Unmarshal(request, to.(proto.Message)) }, chained(s.chain))
		if err != nil {
			return nil, err
		}
		return answer.(proto.Message), nil
	}
}

// chained makes one interceptor of several, as gRPC does.
func chained(chain []grpc.UnaryServerInterceptor) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		for i := len(chain) - 1; i >= 0; i-- {
			intercept, next := chain[i], handle
			handle = func(ctx context.Context, request any) (any, error) { return intercept(ctx, request, info, next) }
		}
		return handle(ctx, request)
	}
}
