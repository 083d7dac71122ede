package grpcserver

import (
	"crypto/tls"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/durationpb"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// benchNode is a node as CA sends it: names, labels and annotations.
func benchNode(id string) *protos.ExternalGrpcNode {
	return &protos.ExternalGrpcNode{
		ProviderID: id, Name: id,
		Labels: map[string]string{
			"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": id,
			"node.kubernetes.io/instance-type": "ecs.c7.2xlarge", "topology.kubernetes.io/region": "cn-hangzhou",
			"topology.kubernetes.io/zone": "cn-hangzhou-h", "buildpool.io/class": "normal",
		},
		Annotations: map[string]string{"node.alpha.kubernetes.io/ttl": "0"},
	}
}

// optionsRequest is in the newest dialect.
func optionsRequest(group string) *protos.NodeGroupAutoscalingOptionsRequest {
	return &protos.NodeGroupAutoscalingOptionsRequest{Id: group, Defaults: &protos.NodeGroupAutoscalingOptions{
		ScaleDownUtilizationThreshold: 0.5, ScaleDownGpuUtilizationThreshold: 0.5,
		ScaleDownUnneededDuration: durationpb.New(10 * time.Minute), ScaleDownUnreadyDuration: durationpb.New(20 * time.Minute),
		MaxNodeProvisionDuration: durationpb.New(15 * time.Minute),
	}}
}

// infoLog is a log as serve has it, that keeps nothing.
func infoLog() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// benchTransport is one way to reach a server.
type benchTransport struct {
	name, address  string
	server, client credentials.TransportCredentials
}

func benchTransports(b *testing.B, ca *authority) []benchTransport {
	b.Helper()
	plain := insecure.NewCredentials()
	at := func() time.Time { return epoch }
	return []benchTransport{
		{"socket", "unix://" + b.TempDir() + "/s", nil, plain},
		{"loopback", "127.0.0.1:0", nil, plain},
		{"mTLS", "127.0.0.1:0", credentials.NewTLS(&tls.Config{
			MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{ca.server(b)},
			ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.pool(), Time: at,
		}), credentials.NewTLS(&tls.Config{
			MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{ca.issue(b, nil)}, RootCAs: ca.pool(), Time: at,
		})},
	}
}

// dial serves until the benchmark ends and returns a client.
func (w benchTransport) dial(b *testing.B, server *grpc.Server) protos.CloudProviderClient {
	b.Helper()
	return protos.NewCloudProviderClient(w.connect(b, server))
}

// connect serves until the benchmark ends and connects to it.
func (w benchTransport) connect(b *testing.B, server *grpc.Server) *grpc.ClientConn {
	b.Helper()
	address := w.address
	if IsSocket(address) {
		address = "unix://" + b.TempDir() + "/s"
	}
	listener, err := Listen(address, false)
	require.NoError(b, err)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	target := listener.Addr().String()
	if IsSocket(address) {
		target = address
	}
	connection, err := grpc.NewClient(target, grpc.WithTransportCredentials(w.client))
	require.NoError(b, err)
	b.Cleanup(func() {
		require.NoError(b, connection.Close())
		server.Stop()
		require.NoError(b, <-served)
	})
	return connection
}
