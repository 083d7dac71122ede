package grpcserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/encoding/protowire"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/autoscaler/cluster-autoscaler/expander/grpcplugin/protos"

	"github.com/buildpool/buildpool/cloudprovider"
)

// oracle is an expander that answers what it was told to and keeps what it was asked.
type oracle struct {
	answer cloudprovider.Expansion
	err    error
	asked  []cloudprovider.ExpansionOption
}

func (o *oracle) BestOptions(options []cloudprovider.ExpansionOption) (cloudprovider.Expansion, error) {
	o.asked = options
	return o.answer, o.err
}

// advise serves an expander beside the provider's server until the test ends.
func advise(t *testing.T, expander cloudprovider.Expander) (protos.ExpanderClient, *wire) {
	t.Helper()
	w := connect(t, &account{}, slog.LevelInfo)
	server := w.server.Expander(nil, expander)
	listener := bufconn.Listen(1 << 20)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	connection, err := grpc.NewClient("passthrough:///expander",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	require.NoError(t, err)
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = server.Stop(ended)
		assert.NoError(t, connection.Close())
		assert.NoError(t, <-served)
	})
	return protos.NewExpanderClient(connection), w
}

// podOf is an encoded pod that asks for so much.
func podOf(t testing.TB, cpu, memory, gpus string) []byte {
	t.Helper()
	return encodePod(t, corev1.PodSpec{Containers: []corev1.Container{container(list(cpu, memory, gpus))}})
}

func nodeOf(t testing.TB, cpu, memory string) []byte {
	t.Helper()
	node := corev1.Node{Status: corev1.NodeStatus{Capacity: corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory),
	}}}
	encoded, err := node.Marshal()
	require.NoError(t, err)
	return encoded
}

func TestOptionsReachTheExpanderAsTheyWereSent(t *testing.T) {
	o := &oracle{answer: cloudprovider.Expansion{Best: []string{"b", "a"}, Reason: cloudprovider.ChosenForeign}}
	client, _ := advise(t, o)
	answer, err := client.BestOptions(t.Context(), &protos.BestOptionsRequest{
		Options: []*protos.Option{
			{NodeGroupId: "a", NodeCount: 3, Debug: "a (3)", PodBytes: [][]byte{podOf(t, "1", "1Gi", ""), podOf(t, "250m", "1Gi", "1")}},
			{NodeGroupId: "b"},
		},
		NodeBytesMap: map[string][]byte{"a": nodeOf(t, "8", "16Gi")},
	})
	require.NoError(t, err)
	require.Len(t, answer.GetOptions(), 2)
	assert.Equal(t, "b", answer.GetOptions()[0].GetNodeGroupId(), "in the order of the answer")
	assert.Equal(t, "a", answer.GetOptions()[1].GetNodeGroupId())

	require.Len(t, o.asked, 2)
	a, b := o.asked[0], o.asked[1]
	assert.Equal(t, []any{"a", 3, "a (3)"}, []any{a.GroupID, a.NodeCount, a.Debug})
	demand, err := a.Demand()
	require.NoError(t, err)
	assert.Equal(t, cloudprovider.PodDemand{Pods: 2, MilliCPU: 1250, MemoryBytes: 2 << 30, GPU: true}, demand)
	offer, ok := a.Node()
	assert.True(t, ok)
	assert.Equal(t, cloudprovider.NodeOffer{MilliCPU: 8000, MemoryBytes: 16 << 30}, offer)
	demand, err = b.Demand()
	require.NoError(t, err)
	assert.Zero(t, demand)
	_, ok = b.Node()
	assert.False(t, ok)
}

// TestOldDialectIsRead: up to CA 1.34 pods and nodes travel in fields that upstream's
// messages no longer have.
func TestOldDialectIsRead(t *testing.T) {
	o := &oracle{}
	client, _ := advise(t, o)
	option := &protos.Option{NodeGroupId: "a", NodeCount: 1}
	option.ProtoReflect().SetUnknown(bytesField(nil, 4, podOf(t, "2", "1Gi", "")))
	request := &protos.BestOptionsRequest{Options: []*protos.Option{option}}
	request.ProtoReflect().SetUnknown(bytesField(nil, 2, bytesField(bytesField(nil, 1, []byte("a")), 2, nodeOf(t, "8", "16Gi"))))
	_, err := client.BestOptions(t.Context(), request)
	require.NoError(t, err)
	demand, err := o.asked[0].Demand()
	require.NoError(t, err)
	assert.Equal(t, cloudprovider.PodDemand{Pods: 1, MilliCPU: 2000, MemoryBytes: 1 << 30}, demand)
	offer, ok := o.asked[0].Node()
	assert.True(t, ok)
	assert.Equal(t, int64(8000), offer.MilliCPU)
}

// TestALargeRequestIsReadInItsPieces: it comes in thousands of frames.
func TestALargeRequestIsReadInItsPieces(t *testing.T) {
	o := &oracle{}
	client, _ := advise(t, o)
	pods := [][]byte{}
	for n := range 3000 {
		encoded, err := buildPod(n).Marshal()
		require.NoError(t, err)
		pods = append(pods, encoded)
	}
	_, err := client.BestOptions(t.Context(), &protos.BestOptionsRequest{Options: []*protos.Option{
		{NodeGroupId: "a", PodBytes: pods}, {NodeGroupId: "b", PodBytes: pods[:1000]},
	}})
	require.NoError(t, err)
	for i, pods := range []int{3000, 1000} {
		demand, err := o.asked[i].Demand()
		require.NoError(t, err)
		assert.Equal(t, cloudprovider.PodDemand{Pods: pods, MilliCPU: int64(pods) * 2250, MemoryBytes: int64(pods) * (4<<30 + 512<<20)}, demand)
	}
}

// An RPC that upstream adds must not go unnoticed as Unimplemented.
func TestEveryRPCOfTheExpanderIsAnswered(t *testing.T) {
	names := func(methods []grpc.MethodDesc) (names []string) {
		for _, method := range methods {
			names = append(names, method.MethodName)
		}
		return names
	}
	assert.Equal(t, names(protos.Expander_ServiceDesc.Methods), names(expanderDescription.Methods))
	assert.Empty(t, protos.Expander_ServiceDesc.Streams)
}

func bytesField(to []byte, number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(to, number, protowire.BytesType), value)
}

func TestVetoIsAnEmptyListAndAnErrorIsAnError(t *testing.T) {
	o := &oracle{answer: cloudprovider.Expansion{Reason: cloudprovider.ChosenNone}}
	client, w := advise(t, o)
	ask := func() (*protos.BestOptionsResponse, error) {
		return client.BestOptions(t.Context(), &protos.BestOptionsRequest{Options: []*protos.Option{{NodeGroupId: "a"}}})
	}
	answer, err := ask()
	require.NoError(t, err)
	assert.Empty(t, answer.GetOptions())

	o.err = cloudprovider.ErrNotReady
	_, err = ask()
	requireStatus(t, err, codes.Unavailable)
	o.err = errors.New("broken")
	_, err = ask()
	requireStatus(t, err, codes.Internal)
	count, err := testutil.GatherAndCount(w.metrics, "buildpool_expander_choices_total")
	require.NoError(t, err)
	assert.Equal(t, 1, count, "what was not chosen is not counted")
}

func TestRequestsThatNoChoiceCanBeMadeOf(t *testing.T) {
	long := strings.Repeat("g", maxGroupID)
	for name, test := range map[string]struct {
		options []*protos.Option
		says    string
	}{
		"no options":  {},
		"the longest": {options: []*protos.Option{{NodeGroupId: long}}},
		"too long":    {options: []*protos.Option{{NodeGroupId: "a"}, {NodeGroupId: long + "g"}}, says: "ID of option 2 is 254 bytes long"},
		"no name":     {options: []*protos.Option{{NodeGroupId: "a"}, {}}, says: "option 2 of 2 names no node group"},
	} {
		t.Run(name, func(t *testing.T) {
			o := &oracle{}
			client, _ := advise(t, o)
			_, err := client.BestOptions(t.Context(), &protos.BestOptionsRequest{Options: test.options})
			if test.says == "" {
				require.NoError(t, err)
				assert.Len(t, o.asked, len(test.options))
				return
			}
			requireStatus(t, err, codes.InvalidArgument, test.says)
			assert.Nil(t, o.asked)
		})
	}
}

func TestPodsThatAreNoPods(t *testing.T) {
	o := &oracle{}
	client, _ := advise(t, o)
	_, err := client.BestOptions(t.Context(), &protos.BestOptionsRequest{
		Options:      []*protos.Option{{NodeGroupId: "a", PodBytes: [][]byte{podOf(t, "1", "1Gi", ""), []byte("\xff\xff")}}},
		NodeBytesMap: map[string][]byte{"a": []byte("\xff\xff")},
	})
	require.NoError(t, err, "the choice may not need them")
	_, err = o.asked[0].Demand()
	assert.ErrorIs(t, err, cloudprovider.ErrInvalidArgument)
	_, ok := o.asked[0].Node()
	assert.False(t, ok)
}

func TestEveryChoiceIsExplained(t *testing.T) {
	waste, price := 0.25, 0.0456
	until := time.Date(2026, 11, 23, 15, 4, 5, 0, time.UTC)
	o := &oracle{answer: cloudprovider.Expansion{
		Best: []string{"normal-a"}, Reason: cloudprovider.ChosenLeastWaste,
		Ranked: []cloudprovider.RankedOption{
			{GroupID: "normal-a", NodeCount: 3, Tier: 2, Priority: 5, Waste: &waste, PricePerPod: &price},
			{GroupID: "elsewhere", Foreign: true},
			{GroupID: "spot-a", Tier: 1, Skips: []cloudprovider.Skip{
				{Reason: cloudprovider.SkippedOutOfStock, Code: "OperationDenied.NoStock", Until: until},
				{Reason: cloudprovider.SkippedReclaimed, Until: until},
			}},
			{GroupID: "gpu-a", Tier: 3, Skips: []cloudprovider.Skip{{Reason: cloudprovider.SkippedNoGPUPod}}},
		},
	}}
	client, w := advise(t, o)
	_, err := client.BestOptions(t.Context(), &protos.BestOptionsRequest{})
	require.NoError(t, err)
	assert.Equal(t, 1, strings.Count(w.log.String(), "\n"), "one line")
	assert.Contains(t, w.log.String(), `level=INFO msg="expander chose" chosen=normal-a reason=least_waste nodes=3 tier=2 `+
		`ranked="normal-a (tier 2, priority 5, waste 0.250, price 0.0456 per pod and hour); elsewhere (foreign)" `+
		`skipped="spot-a: out_of_stock OperationDenied.NoStock until 15:04:05Z, reclaimed until 15:04:05Z; gpu-a: no_gpu_pod"`)
	require.NoError(t, testutil.GatherAndCompare(w.metrics, strings.NewReader(`
# HELP buildpool_expander_choices_total Scale-ups for which the expander named the group, by what decided. A group that is not ours is "foreign", a veto "none".
# TYPE buildpool_expander_choices_total counter
buildpool_expander_choices_total{node_group="normal-a",reason="least_waste"} 1
# HELP buildpool_expander_skipped_total Options that the expander passed over, by the worst reason against the group.
# TYPE buildpool_expander_skipped_total counter
buildpool_expander_skipped_total{node_group="gpu-a",reason="no_gpu_pod"} 1
buildpool_expander_skipped_total{node_group="spot-a",reason="out_of_stock"} 1
`), "buildpool_expander_choices_total", "buildpool_expander_skipped_total"))
	count, err := testutil.GatherAndCount(w.metrics, "buildpool_grpc_request_duration_seconds")
	require.NoError(t, err)
	assert.Equal(t, 1, count, "the server's own metrics see it, too")
}

func TestNamesThatAClientMadeUpAreNoSeries(t *testing.T) {
	o := &oracle{}
	client, w := advise(t, o)
	for n := range 3 {
		id := fmt.Sprintf("made-up-%d", n)
		o.answer = cloudprovider.Expansion{Best: []string{id}, Reason: cloudprovider.ChosenForeign,
			Ranked: []cloudprovider.RankedOption{{GroupID: id, Foreign: true}}}
		_, err := client.BestOptions(t.Context(), &protos.BestOptionsRequest{})
		require.NoError(t, err)
	}
	o.answer = cloudprovider.Expansion{Reason: cloudprovider.ChosenNone}
	_, err := client.BestOptions(t.Context(), &protos.BestOptionsRequest{})
	require.NoError(t, err)
	assert.Contains(t, w.log.String(), `level=WARN msg="expander chose" chosen="" reason=veto`)
	require.NoError(t, testutil.GatherAndCompare(w.metrics, strings.NewReader(`
# HELP buildpool_expander_choices_total Scale-ups for which the expander named the group, by what decided. A group that is not ours is "foreign", a veto "none".
# TYPE buildpool_expander_choices_total counter
buildpool_expander_choices_total{node_group="foreign",reason="foreign"} 3
buildpool_expander_choices_total{node_group="none",reason="veto"} 1
`), "buildpool_expander_choices_total"))
}

func TestLongRankingIsCutInTheLog(t *testing.T) {
	x := cloudprovider.Expansion{Best: []string{"g0"}, Reason: cloudprovider.ChosenName}
	for n := range mostOptionsInLog + 2 {
		x.Ranked = append(x.Ranked, cloudprovider.RankedOption{GroupID: fmt.Sprintf("g%d", n), Tier: 1})
	}
	o := &oracle{answer: x}
	client, w := advise(t, o)
	_, err := client.BestOptions(t.Context(), &protos.BestOptionsRequest{})
	require.NoError(t, err)
	assert.Contains(t, w.log.String(), "g19 (tier 1); and 2 more\"")
	assert.NotContains(t, w.log.String(), "g20")
}
