package main

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// collector keeps what it is sent, as an OpenTelemetry collector would.
type collector struct {
	collectorpb.UnimplementedTraceServiceServer
	mu    sync.Mutex
	about map[string]string
	spans []*tracepb.Span
}

func (c *collector) Export(_ context.Context, request *collectorpb.ExportTraceServiceRequest) (*collectorpb.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.about = map[string]string{}
	for _, resource := range request.GetResourceSpans() {
		for _, attribute := range resource.GetResource().GetAttributes() {
			c.about[attribute.GetKey()] = attribute.GetValue().GetStringValue()
		}
		for _, scope := range resource.GetScopeSpans() {
			c.spans = append(c.spans, scope.GetSpans()...)
		}
	}
	return &collectorpb.ExportTraceServiceResponse{}, nil
}

// find returns the span of a name.
func (c *collector) find(t *testing.T, suffix string) *tracepb.Span {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, span := range c.spans {
		if strings.HasSuffix(span.GetName(), suffix) {
			return span
		}
	}
	require.Failf(t, "no span", "%s among %d", suffix, len(c.spans))
	return nil
}

// collect runs a collector on loopback until the test ends.
func collect(t *testing.T) (*collector, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c, collecting := &collector{}, grpc.NewServer()
	collectorpb.RegisterTraceServiceServer(collecting, c)
	served := make(chan error, 1)
	go func() { served <- collecting.Serve(listener) }()
	t.Cleanup(func() {
		collecting.Stop()
		assert.NoError(t, <-served)
	})
	return c, "http://" + listener.Addr().String()
}

// end stops serve and waits until it has ended well.
func (s *server) end(t *testing.T) {
	t.Helper()
	s.stop()
	code := <-s.exitCode
	s.exitCode <- code // for the cleanup
	require.Zero(t, code, s.stderr.String())
}

func TestTracesAreSentAtTheEndAtTheLatest(t *testing.T) {
	for name, arguments := range map[string]func(endpoint string) (variables map[string]string, arguments []string){
		"by flag": func(endpoint string) (map[string]string, []string) {
			return nil, []string{"--otlp-endpoint", endpoint}
		},
		"by variable": func(endpoint string) (map[string]string, []string) {
			return map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}, nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, endpoint := collect(t)
			variables, more := arguments(endpoint)
			s := start(t, variables, append([]string{"--simulate"}, more...)...)
			s.refresh(t)
			_, err := s.NodeGroupIncreaseSize(t.Context(), &protos.NodeGroupIncreaseSizeRequest{Id: "builds-spot", Delta: 1})
			require.NoError(t, err)
			s.end(t)
			rpc, call := c.find(t, "/NodeGroupIncreaseSize"), c.find(t, "alibabacloud/ScaleWithAdjustment")
			assert.Equal(t, rpc.GetTraceId(), call.GetTraceId())
			assert.Equal(t, "buildpool", c.about["service.name"])
			assert.NotEmpty(t, c.about["service.version"])
		})
	}
}

func TestACollectorThatIsDownStopsNothing(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	s := start(t, nil, "--simulate", "--otlp-endpoint", "http://user:geheim@"+listener.Addr().String())
	s.refresh(t)
	s.end(t)
	s.await(t, "the last traces were not sent")
	assert.NotContains(t, s.stderr.String(), "geheim")
}
