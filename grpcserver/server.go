package grpcserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
)

// Options are what a Server needs. Provider and Clock are required.
type Options struct {
	// Provider answers the RPCs.
	Provider cloudprovider.Provider
	// Log takes the access log. Default: none.
	Log *slog.Logger
	// Registerer takes the server's metrics; New panics if they are there already.
	// Default: they are kept but shown nowhere.
	Registerer prometheus.Registerer
	// Clock measures how long an RPC takes.
	Clock clock.PassiveClock
}

// maxRequestBytes is above gRPC's default of 4 MiB, so that one message about very
// many nodes is not refused by its size.
const maxRequestBytes = 64 << 20

// minPing is how often a client may ping. gRPC's default is 5 minutes, and a client
// with a shorter keepalive, or a proxy's, would be cut off for it.
const minPing = 5 * time.Second

// Server is a gRPC server of externalgrpc and gRPC health. It is NOT_SERVING until
// SetServing(true); health is for probes, and the RPCs are answered either way.
type Server struct {
	grpc   *grpc.Server
	health *health.Server
	// endStreams ends the health service's watches, which would never end by
	// themselves and so hold up every graceful stop.
	endStreams context.CancelFunc
}

// New makes a server that serves nothing until Serve.
func New(options Options) *Server {
	log := options.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	service := &service{provider: options.Provider}
	observer := newObserver(options.Registerer, options.Clock, accessLog{log})
	streams, endStreams := context.WithCancel(context.Background())
	s := &Server{
		grpc: grpc.NewServer(
			grpc.MaxRecvMsgSize(maxRequestBytes),
			grpc.WaitForHandlers(true), // so that Stop returns after the last use of the provider
			grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPing, PermitWithoutStream: true}),
			grpc.ChainUnaryInterceptor( // from the wire inwards
				observer.observe,   // sees what the client gets
				service.withStatus, // errors become codes
				recovering(log),    // a panic becomes an error
			),
			grpc.StreamInterceptor(endingWith(streams)),
		),
		health:     health.NewServer(),
		endStreams: endStreams,
	}
	protos.RegisterCloudProviderServer(s.grpc, service)
	healthpb.RegisterHealthServer(s.grpc, s.health)
	s.SetServing(false)
	return s
}

// Serve answers on the listener, which it closes, until Stop. It returns nil after
// Stop.
func (s *Server) Serve(listener net.Listener) error {
	if err := s.grpc.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("serve gRPC on %s: %w", listener.Addr(), err)
	}
	return nil
}

// SetServing says through gRPC's health service whether the server is ready: SERVING
// or NOT_SERVING, for the whole server and for the provider's service. After Stop
// it has no effect.
func (s *Server) SetServing(ready bool) {
	state := healthpb.HealthCheckResponse_NOT_SERVING
	if ready {
		state = healthpb.HealthCheckResponse_SERVING
	}
	s.health.SetServingStatus("", state)
	s.health.SetServingStatus(protos.CloudProvider_ServiceDesc.ServiceName, state)
}

// Stop says NOT_SERVING, accepts nothing new and waits for the RPCs under way. When
// ctx ends first, it cancels them, waits until they have returned, and returns the
// context's error. After Stop no method of the provider is running.
func (s *Server) Stop(ctx context.Context) error {
	s.health.Shutdown()
	s.endStreams()
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		s.grpc.GracefulStop()
	}()
	select {
	case <-finished:
		return nil
	case <-ctx.Done():
		s.grpc.Stop() // makes GracefulStop return
		<-finished
		return fmt.Errorf("stop gRPC server: RPCs were cut off: %w", context.Cause(ctx))
	}
}
