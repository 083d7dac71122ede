package grpcserver

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	reflectionpb "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/cloudprovider"
)

// dialPlain serves on loopback in plaintext until the test ends.
func dialPlain(t *testing.T, options Options) *grpc.ClientConn {
	t.Helper()
	options.Clock = testingclock.NewFakePassiveClock(epoch)
	address := serveOnLoopback(t, New(options))
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, connection.Close()) })
	return connection
}

func TestAnRPCWithoutADeadlineEnds(t *testing.T) {
	provider := &account{hold: make(chan struct{})} // never closed: it would last forever
	client := protos.NewCloudProviderClient(dialPlain(t, Options{Provider: provider, Limits: Limits{RPC: 20 * time.Millisecond}}))
	_, err := client.Refresh(t.Context(), &protos.RefreshRequest{})
	requireStatus(t, err, codes.DeadlineExceeded)
}

func TestAnswersAreBounded(t *testing.T) {
	group := cloudprovider.NodeGroup{ID: "spot"}
	provider := &account{groups: []cloudprovider.NodeGroup{group}}
	client := protos.NewCloudProviderClient(dialPlain(t, Options{Provider: provider, Limits: Limits{ResponseBytes: 1000}}))
	_, err := client.NodeGroups(t.Context(), &protos.NodeGroupsRequest{})
	require.NoError(t, err)
	provider.groups[0].Debug = strings.Repeat("x", 1000)
	_, err = client.NodeGroups(t.Context(), &protos.NodeGroupsRequest{})
	requireStatus(t, err, codes.ResourceExhausted)
}

func TestMoreStreamsThanAllowedWait(t *testing.T) {
	provider := &account{hold: make(chan struct{})}
	client := protos.NewCloudProviderClient(dialPlain(t, Options{Provider: provider, Limits: Limits{Streams: 2}}))
	answered := make(chan error, 3)
	for range 3 {
		go func() {
			_, err := client.Refresh(t.Context(), &protos.RefreshRequest{})
			answered <- err
		}()
	}
	require.Eventually(t, func() bool { return len(provider.made()) == 2 }, waitLong, waitStep)
	require.Never(t, func() bool { return len(provider.made()) > 2 }, 50*time.Millisecond, waitStep)
	close(provider.hold)
	for range 3 {
		require.NoError(t, <-answered, "none is refused")
	}
}

func TestNoRPCIsLostWhenAConnectionIsOld(t *testing.T) {
	log := &logBuffer{}
	client := protos.NewCloudProviderClient(dialPlain(t, Options{
		Provider: &account{}, Limits: Limits{Age: 20 * time.Millisecond},
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}))
	connections := map[string]bool{}
	require.Eventually(t, func() bool {
		_, err := client.NodeGroups(t.Context(), &protos.NodeGroupsRequest{})
		require.NoError(t, err)
		lines := accessLines(log, "NodeGroups")
		_, peer, found := strings.Cut(lines[len(lines)-1], "peer=")
		require.True(t, found)
		connections[peer] = true
		return len(connections) > 3
	}, waitLong, waitStep, "the client was never asked to connect anew")
}

func TestReflectionOnlyWhenAsked(t *testing.T) {
	list := func(connection *grpc.ClientConn) (*reflectionpb.ServerReflectionResponse, error) {
		stream, err := reflectionpb.NewServerReflectionClient(connection).ServerReflectionInfo(t.Context())
		require.NoError(t, err)
		// A refused stream may fail here already; Recv tells why.
		_ = stream.Send(&reflectionpb.ServerReflectionRequest{MessageRequest: &reflectionpb.ServerReflectionRequest_ListServices{}})
		require.NoError(t, stream.CloseSend())
		return stream.Recv()
	}
	_, err := list(dialPlain(t, Options{Provider: &account{}}))
	requireStatus(t, err, codes.Unimplemented)

	response, err := list(dialPlain(t, Options{Provider: &account{}, Reflection: true}))
	require.NoError(t, err)
	var names []string
	for _, service := range response.GetListServicesResponse().GetService() {
		names = append(names, service.GetName())
	}
	assert.Contains(t, names, serviceName)
}

// panicking is a health service with a bug.
type panicking struct {
	healthpb.UnimplementedHealthServer
}

func (panicking) Watch(*healthpb.HealthCheckRequest, grpc.ServerStreamingServer[healthpb.HealthCheckResponse]) error {
	panic("out of range")
}

func TestPanicsInStreamsAreRecovered(t *testing.T) {
	log := &logBuffer{}
	server := grpc.NewServer(grpc.StreamInterceptor(recoveringStream(slog.New(slog.NewTextHandler(log, nil)))))
	healthpb.RegisterHealthServer(server, panicking{})
	address := serveOnLoopback(t, &Server{grpc: server, health: health.NewServer(), endStreams: func() {}})
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer func() { assert.NoError(t, connection.Close()) }()
	stream, err := healthpb.NewHealthClient(connection).Watch(t.Context(), &healthpb.HealthCheckRequest{})
	require.NoError(t, err)
	_, err = stream.Recv()
	requireStatus(t, err, codes.Internal, "internal error")
	assert.NotContains(t, err.Error(), "out of range")
	assert.Contains(t, log.String(), "limits_test.go", "the stack names the place")
}

func TestASiblingIsBehindTheSameDoor(t *testing.T) {
	provider := &account{panicValue: "broken"}
	log := &logBuffer{}
	server := New(Options{Provider: provider, Clock: testingclock.NewFakePassiveClock(epoch), Log: slog.New(slog.NewTextHandler(log, nil))})
	sibling := server.Sibling(nil, func(to grpc.ServiceRegistrar) {
		protos.RegisterCloudProviderServer(to, &service{provider: provider})
	})
	sibling.SetServing(true)
	address := serveOnLoopback(t, sibling)
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer func() { assert.NoError(t, connection.Close()) }()

	_, err = protos.NewCloudProviderClient(connection).NodeGroups(t.Context(), &protos.NodeGroupsRequest{})
	requireStatus(t, err, codes.Internal, "internal error")
	assert.Contains(t, log.String(), "method=NodeGroups", "one access log")
	health, err := healthpb.NewHealthClient(connection).Check(t.Context(), &healthpb.HealthCheckRequest{Service: serviceName})
	require.NoError(t, err)
	assert.Equal(t, healthpb.HealthCheckResponse_SERVING, health.GetStatus())
	require.NoError(t, server.Stop(t.Context()), "each is stopped by itself")
	_, err = healthpb.NewHealthClient(connection).Check(t.Context(), &healthpb.HealthCheckRequest{})
	require.NoError(t, err)
}

func TestNamesAtTheirLimits(t *testing.T) {
	longest := strings.Repeat("x", maxNodeName)
	named := func(node *protos.ExternalGrpcNode, n int) []*protos.ExternalGrpcNode {
		return slices.Repeat([]*protos.ExternalGrpcNode{node}, n)
	}
	for name, test := range map[string]struct {
		nodes []*protos.ExternalGrpcNode
		says  string // "": it reaches the provider
	}{
		"the longest names":      {nodes: named(&protos.ExternalGrpcNode{Name: longest, ProviderID: longest}, 1)},
		"a name too long":        {nodes: named(&protos.ExternalGrpcNode{Name: longest + "x"}, 1), says: "node 1 of 1 is longer than 512 bytes"},
		"an ID too long":         {nodes: named(&protos.ExternalGrpcNode{ProviderID: longest + "x"}, 1), says: "node 1 of 1 is longer than 512 bytes"},
		"as many as can be":      {nodes: named(&protos.ExternalGrpcNode{Name: "n"}, maxDeletes)},
		"more than there can be": {nodes: named(&protos.ExternalGrpcNode{Name: "n"}, maxDeletes+1), says: "names 2001 nodes to delete"},
	} {
		t.Run(name, func(t *testing.T) {
			provider := &account{groups: []cloudprovider.NodeGroup{{ID: "spot"}}}
			w := connect(t, provider, slog.LevelDebug)
			_, err := w.NodeGroupDeleteNodes(t.Context(), &protos.NodeGroupDeleteNodesRequest{Id: "spot", Nodes: test.nodes})
			if test.says == "" {
				require.NoError(t, err)
				return
			}
			requireStatus(t, err, codes.InvalidArgument, test.says)
			assert.Empty(t, provider.made())
		})
	}
}

func TestANodeWithAStrangeNameIsNobodys(t *testing.T) {
	provider := &account{}
	w := connect(t, provider, slog.LevelDebug)
	response, err := w.NodeGroupForNode(t.Context(), &protos.NodeGroupForNodeRequest{
		Node: &protos.ExternalGrpcNode{Name: "n", ProviderID: strings.Repeat("x", maxNodeName+1)}})
	require.NoError(t, err, "an error would end the loop of an older autoscaler")
	assert.Empty(t, response.GetNodeGroup().GetId())
	assert.Empty(t, provider.made())
	assert.Less(t, len(w.log.String()), 2*mostForeignText, "the log takes only so much of it")
}
