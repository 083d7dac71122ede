package grpcserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/health"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/grpcserver/dialect"
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
	// AllowOptionsWithCA135 gives node groups' options to CA 1.35 and newer, which
	// take a node's time to start for 0 whenever they get any (autoscaler#10245). A
	// group can allow it for itself.
	AllowOptionsWithCA135 bool
	// Credentials are how clients are met, see TLS.Credentials. Default: plaintext.
	Credentials credentials.TransportCredentials
	// Limits bound what a client can make the server hold.
	Limits Limits
	// Reflection lets whoever may call the server list its services and messages.
	Reflection bool
	// Tracer takes one span per RPC. Default: no spans.
	Tracer trace.TracerProvider
	// Standby says why no RPC is to be answered now, such as that another replica
	// leads; empty: they are answered. Default: they always are.
	Standby func() string
}

// Server is a gRPC server of one service and gRPC health. It is NOT_SERVING until
// SetServing(true); health is for probes, and the RPCs are answered either way.
type Server struct {
	grpc   *grpc.Server
	health *health.Server
	// services are those that can be ready or not: all but health and reflection.
	services []string
	// endStreams ends the health service's watches, which would never end by
	// themselves and so hold up every graceful stop.
	endStreams context.CancelFunc
	// options and chain are what a sibling has in common with this server.
	options Options
	chain   []grpc.UnaryServerInterceptor
	client  *clientDialect
	// service is what answers the provider's RPCs; a sibling has none.
	service *service
	// methods are the RPCs of the service, by full name, for calls in process.
	methods map[string]unaryMethod
}

// New makes a server of externalgrpc that serves nothing until Serve. Stop ends it,
// whether it has served or not.
func New(options Options) *Server {
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	options.Limits = options.Limits.withDefaults()
	service := newService(options)
	observer := newObserver(options.Registerer, options.Clock, accessLog{options.Log})
	s := &Server{
		options: options,
		client:  service.client,
		service: service,
		chain: []grpc.UnaryServerInterceptor{ // from the wire inwards
			observer.observe,                          // sees what the client gets
			service.withStatus,                        // errors become codes
			ending(options.Limits.RPC, options.Clock), // no RPC lasts forever
			recovering(options.Log),                   // a panic becomes an error
		},
	}
	if options.Standby != nil {
		s.chain = append(s.chain, refusing(options.Standby))
	}
	s.open(options.Credentials, func(to grpc.ServiceRegistrar) { protos.RegisterCloudProviderServer(to, service) })
	return s
}

// Sibling makes a server of another service for another port, met with credentials
// of its own (nil: plaintext), behind the same limits, interceptors, metrics, access
// log and traces. register adds the service, and more are what it needs of gRPC beyond
// that. The sibling is served, set serving and stopped by itself.
func (s *Server) Sibling(meet credentials.TransportCredentials, register func(grpc.ServiceRegistrar), more ...grpc.ServerOption) *Server {
	sibling := &Server{options: s.options, chain: s.chain, client: s.client}
	sibling.open(meet, register, more...)
	return sibling
}

// streamWorkers are goroutines that answer one RPC after the other; while all of them
// are busy, an RPC gets one of its own. CA asks thousands of reads in a row, and a new
// goroutine has to grow its stack for each: that is most of what a read costs here more
// than in a server without interceptors.
const streamWorkers = 4

// open makes the gRPC server with what every port has.
func (s *Server) open(meet credentials.TransportCredentials, register func(grpc.ServiceRegistrar), more ...grpc.ServerOption) {
	streams, endStreams := context.WithCancel(context.Background())
	options := append(s.options.Limits.serverOptions(),
		grpc.NumStreamWorkers(streamWorkers),
		grpc.WaitForHandlers(true), // so that Stop returns after the last use of the provider
		grpc.ChainUnaryInterceptor(s.chain...),
		grpc.ChainStreamInterceptor(endingWith(streams), recoveringStream(s.options.Log)),
	)
	options = append(options, more...)
	if meet != nil {
		options = append(options, grpc.Creds(meet))
	}
	if s.options.Tracer != nil {
		options = append(options, traced(s.options.Tracer))
	}
	s.grpc, s.health, s.endStreams = grpc.NewServer(options...), health.NewServer(), endStreams
	s.methods = map[string]unaryMethod{}
	register(directory{s.grpc, s.methods})
	s.services = slices.Collect(maps.Keys(s.grpc.GetServiceInfo()))
	s.SetServing(false)
	healthpb.RegisterHealthServer(s.grpc, s.health)
	if s.options.Reflection {
		reflection.Register(s.grpc)
	}
}

// Dialect returns in which dialect CA was last heard, dialect.Unknown before that. A
// sibling returns the same.
func (s *Server) Dialect() dialect.Dialect { return s.client.current() }

// Serve answers on the listener, which it closes, until Stop. It returns nil after
// Stop.
func (s *Server) Serve(listener net.Listener) error {
	if err := s.grpc.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return fmt.Errorf("serve gRPC on %s: %w", listener.Addr(), err)
	}
	return nil
}

// SetServing says through gRPC's health service whether the server is ready: SERVING
// or NOT_SERVING, for the whole server and for its services by name. After Stop it
// has no effect.
func (s *Server) SetServing(ready bool) {
	state := healthpb.HealthCheckResponse_NOT_SERVING
	if ready {
		state = healthpb.HealthCheckResponse_SERVING
	}
	s.health.SetServingStatus("", state)
	for _, service := range s.services {
		s.health.SetServingStatus(service, state)
	}
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
