package grpcserver

import (
	"context"
	"path"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"google.golang.org/grpc"
	"google.golang.org/grpc/status"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
)

// observer measures every RPC once, for the metrics and the access log.
type observer struct {
	clock    clock.PassiveClock
	access   accessLog
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

// durationBuckets start where an answer from memory lies, at 10 µs, and end beyond
// CA's default deadline of 5 s, which bounds a write to the cloud.
var durationBuckets = []float64{
	10e-6, 25e-6, 50e-6, 100e-6, 250e-6, 500e-6,
	1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 500e-3,
	1, 2.5, 5, 10,
}

func newObserver(registerer prometheus.Registerer, clock clock.PassiveClock, access accessLog) *observer {
	register := promauto.With(registerer)
	return &observer{
		clock:  clock,
		access: access,
		requests: register.NewCounterVec(prometheus.CounterOpts{
			Name: "buildpool_grpc_requests_total",
			Help: "RPCs answered, by method and gRPC code.",
		}, []string{"method", "code"}),
		duration: register.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "buildpool_grpc_request_duration_seconds",
			Help:    "Time from an RPC's arrival to its answer, by method.",
			Buckets: durationBuckets,
		}, []string{"method"}),
	}
}

func (o *observer) observe(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	var cloud cloudprovider.CallRecorder
	started := o.clock.Now()
	response, err := handle(cloudprovider.WithCallRecorders(ctx, &cloud), request)
	o.record(ctx, call{
		method:  path.Base(info.FullMethod),
		request: request,
		err:     err,
		took:    o.clock.Since(started),
		cloud:   &cloud,
	})
	return response, err
}

// call is one RPC that has been answered.
type call struct {
	method  string
	request any
	err     error
	took    time.Duration
	cloud   *cloudprovider.CallRecorder // what was asked of the cloud for it; nil: nothing
}

func (o *observer) record(ctx context.Context, c call) {
	o.requests.WithLabelValues(c.method, status.Code(c.err).String()).Inc()
	o.duration.WithLabelValues(c.method).Observe(c.took.Seconds())
	o.access.write(ctx, c)
}
