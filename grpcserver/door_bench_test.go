package grpcserver

import (
	"context"
	"testing"

	"google.golang.org/grpc"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
)

// BenchmarkInterceptors is what every RPC pays before and after its handler.
func BenchmarkInterceptors(b *testing.B) {
	s := New(Options{Provider: &account{}, Clock: clock.RealClock{}, Log: infoLog()})
	defer func() { _ = s.Stop(context.Background()) }()
	info := &grpc.UnaryServerInfo{FullMethod: protos.CloudProvider_NodeGroupTargetSize_FullMethodName}
	request, answer := &protos.NodeGroupTargetSizeRequest{Id: "spot"}, &protos.NodeGroupTargetSizeResponse{}
	handle := func(context.Context, any) (any, error) { return answer, nil }
	intercept := chained(s.chain)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := intercept(b.Context(), request, info, handle); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTransports times one small RPC over each way to reach the server.
func BenchmarkTransports(b *testing.B) {
	for _, way := range benchTransports(b, newAuthority(b, "authority")) {
		b.Run(way.name, func(b *testing.B) {
			s := New(Options{
				Provider: &account{groups: []cloudprovider.NodeGroup{{ID: "spot"}}}, Clock: clock.RealClock{},
				Credentials: way.server,
			})
			client := way.dial(b, s.grpc)
			for b.Loop() {
				if _, err := client.NodeGroupTargetSize(b.Context(), &protos.NodeGroupTargetSizeRequest{Id: "spot"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
