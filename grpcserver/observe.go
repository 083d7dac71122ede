package grpcserver

import (
	"context"
	"path"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
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
	methods  sync.Map // full name of a method → *method
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

// method is what is looked up once per method and not once per RPC: CA asks thousands
// of reads per loop, one after the other.
type method struct {
	name     string
	answered prometheus.Counter // with code OK
	duration prometheus.Observer
	// cloudless: its answer comes from memory, so there are no calls to record.
	cloudless bool
}

// method finds a method by its full name, of which there are no more than the
// server's services have: gRPC itself answers all others.
func (o *observer) method(full string) *method {
	if known, ok := o.methods.Load(full); ok {
		return known.(*method)
	}
	name := path.Base(full)
	known, _ := o.methods.LoadOrStore(full, &method{
		name:      name,
		answered:  o.requests.WithLabelValues(name, codes.OK.String()),
		duration:  o.duration.WithLabelValues(name),
		cloudless: !asksTheCloud(name),
	})
	return known.(*method)
}

func (o *observer) observe(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	method := o.method(info.FullMethod)
	c := call{method: method.name, request: request}
	if !method.cloudless {
		c.cloud = &cloudprovider.CallRecorder{}
		ctx = cloudprovider.WithCallRecorders(ctx, c.cloud)
	}
	started := o.clock.Now()
	response, err := handle(ctx, request)
	c.took, c.err = o.clock.Since(started), err
	o.record(ctx, method, c)
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

func (o *observer) record(ctx context.Context, m *method, c call) {
	if c.err == nil {
		m.answered.Inc()
	} else {
		o.requests.WithLabelValues(c.method, status.Code(c.err).String()).Inc()
	}
	m.duration.Observe(c.took.Seconds())
	o.access.write(ctx, c)
}
