package grpcserver

import (
	"context"
	"crypto/tls"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
)

// BenchmarkInterceptors is what every RPC pays before and after its handler.
func BenchmarkInterceptors(b *testing.B) {
	s := New(Options{Provider: &account{}, Clock: clock.RealClock{}, Log: slog.New(slog.DiscardHandler)})
	defer func() { _ = s.Stop(context.Background()) }()
	info := &grpc.UnaryServerInfo{FullMethod: protos.CloudProvider_NodeGroupTargetSize_FullMethodName}
	request, answer := &protos.NodeGroupTargetSizeRequest{Id: "spot"}, &protos.NodeGroupTargetSizeResponse{}
	handle := grpc.UnaryHandler(func(context.Context, any) (any, error) { return answer, nil })
	for i := len(s.chain) - 1; i >= 0; i-- {
		intercept, next := s.chain[i], handle
		handle = func(ctx context.Context, request any) (any, error) { return intercept(ctx, request, info, next) }
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := handle(b.Context(), request); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkTransports times one small RPC over each way to reach the server.
func BenchmarkTransports(b *testing.B) {
	ca := newAuthority(b, "authority")
	plain := insecure.NewCredentials()
	for _, transport := range []struct {
		name           string
		address        string
		server, client credentials.TransportCredentials
	}{
		{"socket", "unix://" + b.TempDir() + "/s", nil, plain},
		{"loopback", "127.0.0.1:0", nil, plain},
		{"mTLS", "127.0.0.1:0", credentials.NewTLS(&tls.Config{
			MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{ca.server(b)},
			ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.pool(), Time: func() time.Time { return epoch },
		}), credentials.NewTLS(&tls.Config{
			MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{ca.issue(b, nil)}, RootCAs: ca.pool(), Time: func() time.Time { return epoch },
		})},
	} {
		b.Run(transport.name, func(b *testing.B) {
			s := New(Options{
				Provider: &account{groups: []cloudprovider.NodeGroup{{ID: "spot"}}}, Clock: clock.RealClock{},
				Credentials: transport.server,
			})
			listener, err := Listen(transport.address, false)
			require.NoError(b, err)
			served := make(chan error, 1)
			go func() { served <- s.Serve(listener) }()
			target := listener.Addr().String()
			if IsSocket(transport.address) {
				target = transport.address
			}
			connection, err := grpc.NewClient(target, grpc.WithTransportCredentials(transport.client))
			require.NoError(b, err)
			client := protos.NewCloudProviderClient(connection)
			for b.Loop() {
				if _, err := client.NodeGroupTargetSize(b.Context(), &protos.NodeGroupTargetSizeRequest{Id: "spot"}); err != nil {
					b.Fatal(err)
				}
			}
			require.NoError(b, connection.Close())
			require.NoError(b, s.Stop(context.Background()))
			require.NoError(b, <-served)
		})
	}
}
