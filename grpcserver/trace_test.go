package grpcserver

import (
	"crypto/rand"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	healthpb "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	"k8s.io/utils/clock"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/ess"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// simulated is the real provider over the real SDK and a simulated account of one
// group with two nodes.
func simulated(t *testing.T) (*nodegroups.Provider, *esssim.Simulator) {
	t.Helper()
	accountConfig, err := esssim.Parse("account.yaml", []byte(`apiVersion: buildpool/v1alpha1
kind: Account
region: cn-hangzhou
accessKeys: [{id: sim-access-key, secret: sim-secret}]
vSwitches: [{id: vsw-h, zone: cn-hangzhou-h}]
instanceTypes: [{name: ecs.c7.2xlarge, cpus: 8, memoryGiB: 16, arch: X86, enis: 4, ipsPerENI: 15}]
delays: {create: 0s, join: 0s, remove: 0s, retry: 60s, check: 10ms}
scalingGroups:
  - {id: asg-1, name: g, min: 0, max: 20, desired: 2, expectedNumberMode: true, vSwitchIds: [vsw-h],
     scalingConfiguration: {id: asc-1, instanceTypes: [ecs.c7.2xlarge], systemDiskGiB: 120}}
`))
	require.NoError(t, err)
	groups, err := config.Parse("nodegroups.yaml", []byte(`apiVersion: buildpool/v1alpha1
kind: NodeGroups
region: cn-hangzhou
groups: [{name: builds, class: normal, scalingGroup: {id: asg-1}, max: 20}]
`))
	require.NoError(t, err)
	now := testingclock.NewFakePassiveClock(epoch)
	simulator, err := esssim.New(esssim.Options{Config: accountConfig, Clock: now})
	require.NoError(t, err)
	now.SetTime(epoch.Add(time.Hour))
	cloud, err := ess.New(ess.Options{
		Region: "cn-hangzhou", Credentials: ess.StaticCredentials("sim-access-key", "sim-secret", ""),
		Endpoint: "http://127.0.0.1:1", Transport: simulator.Transport(),
	})
	require.NoError(t, err)
	provider, err := nodegroups.New(groups, nodegroups.Settings{
		Cloud: cloud, Clock: clock.RealClock{}, Log: slog.New(slog.DiscardHandler), NewToken: rand.Text,
	})
	require.NoError(t, err)
	t.Cleanup(provider.Close)
	require.NoError(t, provider.Refresh(t.Context()))
	return provider, simulator
}

func TestATraceReachesFromTheRPCToTheCloud(t *testing.T) {
	provider, simulator := simulated(t)
	require.NoError(t, simulator.InjectFault(esssim.Fault{
		API: "ScaleWithAdjustment", Kind: esssim.FaultError, Code: "ServiceUnavailable", Status: 503, Count: 1}))
	spans := tracetest.NewInMemoryExporter()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	connection := dialPlain(t, Options{Provider: provider, Tracer: tracer})
	client := protos.NewCloudProviderClient(connection)

	// The client's own trace goes on.
	const parent = "4bf92f3577b34da6a3ce929d0e0e4736"
	ctx := metadata.AppendToOutgoingContext(t.Context(), "traceparent", "00-"+parent+"-00f067aa0ba902b7-01")
	_, err := client.NodeGroupIncreaseSize(ctx, &protos.NodeGroupIncreaseSizeRequest{Id: "builds", Delta: 1})
	require.NoError(t, err)
	_, err = healthpb.NewHealthClient(connection).Check(t.Context(), &healthpb.HealthCheckRequest{})
	require.NoError(t, err)

	var server tracetest.SpanStub
	require.Eventually(t, func() bool { // the server's span ends after the answer has left
		for _, span := range spans.GetSpans() {
			if span.SpanKind == trace.SpanKindServer {
				server = span
				return true
			}
		}
		return false
	}, waitLong, waitStep)
	assert.True(t, strings.HasSuffix(server.Name, "/NodeGroupIncreaseSize"), server.Name)
	byName := map[string]tracetest.SpanStub{}
	for _, span := range spans.GetSpans() {
		assert.Equal(t, parent, span.SpanContext.TraceID().String(), "one trace; health checks are in none: %s", span.Name)
		byName[span.Name] = span
	}
	write, made := byName["alibabacloud/ScaleWithAdjustment"]
	require.True(t, made, "spans: %v", byName)
	assert.Equal(t, server.SpanContext.SpanID(), write.Parent.SpanID())
	assert.Equal(t, trace.SpanKindClient, write.SpanKind)
	assert.Equal(t, codes.Unset, write.Status.Code)
	require.Len(t, write.Events, 2, "one of each attempt")
	outcomes := map[string]int{}
	for _, event := range write.Events {
		for _, attribute := range event.Attributes {
			if attribute.Key == "alibabacloud.code" {
				outcomes[attribute.Value.AsString()]++
			} else {
				assert.NotEmpty(t, attribute.Value.AsString(), attribute.Key)
			}
		}
	}
	assert.Equal(t, map[string]int{"ServiceUnavailable": 1, "OK": 1}, outcomes)
}

func TestACallThatFailsIsAFailedSpan(t *testing.T) {
	provider, simulator := simulated(t)
	require.NoError(t, simulator.InjectFault(esssim.Fault{API: "ScaleWithAdjustment", Kind: esssim.FaultError, Code: "Forbidden.RAM", Status: 403}))
	spans := tracetest.NewInMemoryExporter()
	client := protos.NewCloudProviderClient(dialPlain(t, Options{
		Provider: provider, Tracer: sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))}))
	_, err := client.NodeGroupIncreaseSize(t.Context(), &protos.NodeGroupIncreaseSizeRequest{Id: "builds", Delta: 1})
	require.Error(t, err)
	for _, span := range spans.GetSpans() {
		if span.Name == "alibabacloud/ScaleWithAdjustment" {
			assert.Equal(t, codes.Error, span.Status.Code)
			assert.Contains(t, span.Status.Description, "Forbidden.RAM")
			assert.NotContains(t, span.Status.Description, "sim-secret")
			return
		}
	}
	require.Fail(t, "no span of the write")
}

// accessLines are the access log's lines about a method.
func accessLines(log *logBuffer, method string) []string {
	var lines []string
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, "msg=rpc method="+method+" ") {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestTheAccessLogNamesTheCloudsRequests(t *testing.T) {
	provider, _ := simulated(t)
	log := &logBuffer{}
	client := protos.NewCloudProviderClient(dialPlain(t, Options{Provider: provider, Log: slog.New(slog.NewTextHandler(log, nil))}))
	_, err := client.NodeGroupIncreaseSize(t.Context(), &protos.NodeGroupIncreaseSizeRequest{Id: "builds", Delta: 1})
	require.NoError(t, err)
	lines := accessLines(log, "NodeGroupIncreaseSize")
	require.Len(t, lines, 1)
	assert.Contains(t, lines[0], "group=builds delta=1 code=OK")
	assert.Regexp(t, `cloud_requests=.*ScaleWithAdjustment:[0-9A-F-]{36}`, lines[0])
	assert.NotContains(t, lines[0], "sim-")

	// Two deletes share one call, and both lines name it.
	instances, err := provider.Instances("builds")
	require.NoError(t, err)
	var both sync.WaitGroup
	for _, instance := range instances[:2] {
		both.Go(func() {
			_, err := client.NodeGroupDeleteNodes(t.Context(), &protos.NodeGroupDeleteNodesRequest{
				Id: "builds", Nodes: []*protos.ExternalGrpcNode{{Name: instance.ID, ProviderID: instance.ID}}})
			assert.NoError(t, err)
		})
	}
	both.Wait()
	lines = accessLines(log, "NodeGroupDeleteNodes")
	require.Len(t, lines, 2)
	_, first, found := strings.Cut(lines[0], "cloud_requests=")
	require.True(t, found, lines[0])
	assert.Contains(t, first, "RemoveInstances:")
	assert.Contains(t, lines[1], "cloud_requests="+first)
}
