package grpcserver

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/cloudprovider"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// epoch is a moment like any other.
var epoch = time.Unix(1_790_000_000, 0)

// How long and how often a test looks for what another goroutine does.
const (
	waitLong = 10 * time.Second
	waitStep = time.Millisecond
)

// wire is a server under test and a client of it, joined by memory.
type wire struct {
	protos.CloudProviderClient
	connection *grpc.ClientConn
	server     *Server
	metrics    *prometheus.Registry
	log        *logBuffer
}

// logBuffer collects log lines written by the server's goroutines.
type logBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// connect serves the provider until the test ends.
func connect(t *testing.T, provider cloudprovider.Provider, level slog.Level) *wire {
	t.Helper()
	return connectTo(t, Options{Provider: provider}, level)
}

// connectTo serves with options to which it adds log, metrics and, unless they have
// one, a clock that stands still.
func connectTo(t *testing.T, options Options, level slog.Level) *wire {
	t.Helper()
	w := &wire{metrics: prometheus.NewRegistry(), log: &logBuffer{}}
	options.Log = slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: level}))
	options.Registerer = w.metrics
	if options.Clock == nil {
		options.Clock = testingclock.NewFakePassiveClock(epoch)
	}
	w.server = New(options)
	listener := bufconn.Listen(1 << 20)
	served := make(chan error, 1)
	go func() { served <- w.server.Serve(listener) }()

	connection, err := grpc.NewClient("passthrough:///buildpool",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	require.NoError(t, err)
	w.connection, w.CloudProviderClient = connection, protos.NewCloudProviderClient(connection)
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = w.server.Stop(ended) // a test may have stopped it already
		assert.NoError(t, connection.Close())
		assert.NoError(t, <-served)
	})
	return w
}

// requireStatus asserts an error's code and what its message must tell.
func requireStatus(t *testing.T, err error, want codes.Code, tells ...string) {
	t.Helper()
	require.Equal(t, want, status.Code(err), "error: %v", err)
	for _, text := range tells {
		assert.Contains(t, status.Convert(err).Message(), text)
	}
}
