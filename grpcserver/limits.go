package grpcserver

import (
	"context"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
	"k8s.io/utils/clock"
)

// Limits bound what a client can make the server hold. A zero field has the default.
type Limits struct {
	// RequestBytes is the largest request. Default: 64 MiB, because gRPC's own 4 MiB
	// refuses one message about very many nodes, or an expander's about many pods.
	RequestBytes int
	// ResponseBytes is the largest answer. Default: 4 MiB, which is all that
	// cluster-autoscaler reads; a larger one would fail there anyway.
	ResponseBytes int
	// Streams is how many RPCs one connection may have under way; more of them wait in
	// the client. Default: 1000, above what cluster-autoscaler asks at once of the
	// largest account.
	Streams uint32
	// RPC ends an RPC although its client would wait longer, or forever. Default: 1m.
	RPC time.Duration
	// Handshake is how long a connection may take until its first HTTP/2 frame, TLS
	// included. Default: 10s.
	Handshake time.Duration
	// Age is how long a connection is used before the client is asked, without loss of
	// an RPC, to make another: for so long at most a certificate that has expired or
	// an authority that was taken away still counts. Default: 1h.
	Age time.Duration
}

func (l Limits) withDefaults() Limits {
	setDefault(&l.RequestBytes, maxRequestBytes)
	setDefault(&l.ResponseBytes, 4<<20)
	setDefault(&l.Streams, 1000)
	setDefault(&l.RPC, time.Minute)
	setDefault(&l.Handshake, 10*time.Second)
	setDefault(&l.Age, time.Hour)
	return l
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

const (
	maxRequestBytes = 64 << 20
	// minPing is how often a client may ping. gRPC's default is 5 minutes, and a client
	// with a shorter keepalive, or a proxy's, would be cut off for it.
	minPing = 5 * time.Second
	// pingAfter is how long a connection is quiet before we ask whether its client
	// still lives, and pingWait how long that may take: a peer that vanished without a
	// word holds its connection no longer than both.
	pingAfter = 2 * time.Minute
	pingWait  = 20 * time.Second
	// headerBytes is far above what a client of ours sends in headers.
	headerBytes = 64 << 10
)

func (l Limits) serverOptions() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.MaxRecvMsgSize(l.RequestBytes),
		grpc.MaxSendMsgSize(l.ResponseBytes),
		grpc.MaxConcurrentStreams(l.Streams),
		grpc.MaxHeaderListSize(headerBytes),
		grpc.ConnectionTimeout(l.Handshake),
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: minPing, PermitWithoutStream: true}),
		grpc.KeepaliveParams(keepalive.ServerParameters{
			Time: pingAfter, Timeout: pingWait,
			// Grace for as long as an RPC may take: none is cut off by its connection's age.
			MaxConnectionAge: l.Age, MaxConnectionAgeGrace: l.RPC,
		}),
	}
}

// ending bounds every RPC. A client's own, earlier deadline stays in force: CA sets one
// with each of its thousands of reads, which then cost no timer of ours.
func ending(after time.Duration, now clock.PassiveClock) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, request any, _ *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
		if deadline, ok := ctx.Deadline(); ok && deadline.Sub(now.Now()) <= after {
			return handle(ctx, request)
		}
		ctx, cancel := context.WithTimeout(ctx, after)
		defer cancel()
		return handle(ctx, request)
	}
}
