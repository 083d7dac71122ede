package grpcserver

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/test/bufconn"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/cloudprovider"
)

const serviceName = "clusterautoscaler.cloudprovider.v1.externalgrpc.CloudProvider"

func TestHealthFollowsReadiness(t *testing.T) {
	w := connect(t, &account{}, slog.LevelInfo)
	client := healthpb.NewHealthClient(w.connection)
	check := func(service string) healthpb.HealthCheckResponse_ServingStatus {
		response, err := client.Check(t.Context(), &healthpb.HealthCheckRequest{Service: service})
		require.NoError(t, err)
		return response.GetStatus()
	}
	for _, ready := range []bool{false, true, false, true} {
		want := healthpb.HealthCheckResponse_NOT_SERVING
		if ready {
			want = healthpb.HealthCheckResponse_SERVING
		}
		w.server.SetServing(ready)
		assert.Equal(t, want, check(""))
		assert.Equal(t, want, check(serviceName))
	}
	_, err := client.Check(t.Context(), &healthpb.HealthCheckRequest{Service: "other"})
	requireStatus(t, err, codes.NotFound)
}

func TestHealthStartsNotServing(t *testing.T) {
	w := connect(t, &account{}, slog.LevelInfo)
	response, err := healthpb.NewHealthClient(w.connection).Check(t.Context(), &healthpb.HealthCheckRequest{})
	require.NoError(t, err)
	assert.Equal(t, healthpb.HealthCheckResponse_NOT_SERVING, response.GetStatus())
}

// refreshHeld starts a Refresh and returns once the provider has it.
func refreshHeld(t *testing.T, w *wire, provider *account) <-chan error {
	t.Helper()
	answered := make(chan error, 1)
	go func() {
		_, err := w.Refresh(context.WithoutCancel(t.Context()), &protos.RefreshRequest{})
		answered <- err
	}()
	require.Eventually(t, func() bool { return len(provider.made()) == 1 }, waitLong, waitStep)
	return answered
}

func TestStopLetsRPCsFinish(t *testing.T) {
	provider := &account{hold: make(chan struct{})}
	w := connect(t, provider, slog.LevelInfo)
	w.server.SetServing(true)
	watch, err := healthpb.NewHealthClient(w.connection).Watch(t.Context(), &healthpb.HealthCheckRequest{})
	require.NoError(t, err)
	first, err := watch.Recv()
	require.NoError(t, err)
	require.Equal(t, healthpb.HealthCheckResponse_SERVING, first.GetStatus())
	answered := refreshHeld(t, w, provider)

	stopped := make(chan error, 1)
	go func() { stopped <- w.server.Stop(context.WithoutCancel(t.Context())) }()
	// The watch tells NOT_SERVING, or only ends; either way it must not hold up the stop.
	for err == nil {
		_, err = watch.Recv()
	}
	select {
	case <-answered:
		require.Fail(t, "the RPC ended before the provider answered")
	case <-stopped:
		require.Fail(t, "the server stopped under an RPC")
	default:
	}
	close(provider.hold)
	require.NoError(t, <-answered)
	require.NoError(t, <-stopped)
}

func TestStopCutsOffAtItsDeadline(t *testing.T) {
	provider := &account{hold: make(chan struct{})}
	w := connect(t, provider, slog.LevelInfo)
	answered := refreshHeld(t, w, provider)
	tooLate := errors.New("10 s are over")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(tooLate)
	require.ErrorIs(t, w.server.Stop(ctx), tooLate)
	require.Error(t, <-answered)
}

func TestServeReturnsAListenersError(t *testing.T) {
	server := New(Options{Provider: &account{}, Clock: testingclock.NewFakePassiveClock(epoch)})
	listener := bufconn.Listen(1)
	require.NoError(t, listener.Close())
	require.ErrorContains(t, server.Serve(listener), "serve gRPC on bufconn")
	require.NoError(t, server.Stop(t.Context()))
}

func TestARequestAboveGRPCsDefaultSizePasses(t *testing.T) {
	provider := &account{groups: []cloudprovider.NodeGroup{{ID: "spot"}}}
	w := connect(t, provider, slog.LevelInfo)
	big := &protos.ExternalGrpcNode{Name: "n", Annotations: map[string]string{"a": strings.Repeat("x", 5<<20)}}
	_, err := w.NodeGroupDeleteNodes(t.Context(), &protos.NodeGroupDeleteNodesRequest{Id: "spot", Nodes: []*protos.ExternalGrpcNode{big}})
	require.NoError(t, err)
	big.Annotations["a"] = strings.Repeat("x", maxRequestBytes)
	_, err = w.NodeGroupDeleteNodes(t.Context(), &protos.NodeGroupDeleteNodesRequest{Id: "spot", Nodes: []*protos.ExternalGrpcNode{big}})
	requireStatus(t, err, codes.ResourceExhausted)
	assert.Len(t, provider.made(), 1)
}

func TestNewPanicsOnMetricsRegisteredTwice(t *testing.T) {
	options := Options{Provider: &account{}, Registerer: prometheus.NewRegistry(), Clock: testingclock.NewFakePassiveClock(epoch)}
	require.NotPanics(t, func() { require.NoError(t, New(options).Stop(t.Context())) })
	require.Panics(t, func() { New(options) })
}
