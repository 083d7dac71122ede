package grpcserver

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	cloud "k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	"k8s.io/autoscaler/cluster-autoscaler/expander/grpcplugin/protos"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/ess"
	"github.com/buildpool/buildpool/ess/esssim"
	stock "github.com/buildpool/buildpool/ess/esssim/account"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/config"
)

const expanderAccount = `
apiVersion: buildpool/v1alpha1
kind: Account
region: cn-hangzhou
accessKeys: [{id: sim-access-key, secret: sim-secret}]
delays: {create: 20s, join: 20s, remove: 10s, retry: 60s, check: 1s}
vSwitches: [{id: vsw-h, zone: cn-hangzhou-h}]
instanceTypes:
  - {name: ecs.c7.2xlarge, cpus: 8, memoryGiB: 16, arch: X86, enis: 4, ipsPerENI: 15, pricePerHour: 1.6308, spotPricePerHour: 0.2}
  - {name: ecs.gn7i-c8g1.2xlarge, cpus: 8, memoryGiB: 30, arch: X86, enis: 4, ipsPerENI: 15, gpus: 1, gpuModel: NVIDIA A10, pricePerHour: 9.5326}
scalingGroups:
  - {id: asg-spot, name: spot, min: 0, max: 40, expectedNumberMode: true, vSwitchIds: [vsw-h], scalingConfiguration: {id: asc-spot, instanceTypes: [ecs.c7.2xlarge], spotStrategy: SpotAsPriceGo, systemDiskGiB: 120}}
  - {id: asg-normal, name: normal, min: 0, max: 40, expectedNumberMode: true, vSwitchIds: [vsw-h], scalingConfiguration: {id: asc-normal, instanceTypes: [ecs.c7.2xlarge], systemDiskGiB: 120}}
  - {id: asg-gpu, name: gpu, min: 0, max: 40, expectedNumberMode: true, vSwitchIds: [vsw-h], scalingConfiguration: {id: asc-gpu, instanceTypes: [ecs.gn7i-c8g1.2xlarge], systemDiskGiB: 120}}
`

const expanderGroups = `
apiVersion: buildpool/v1alpha1
kind: NodeGroups
region: cn-hangzhou
groups:
  - {name: gpu, class: gpu, scalingGroup: {id: asg-gpu}, max: 40, template: {gpu: {type: NVIDIA-A10}}}
  - {name: normal, class: normal, scalingGroup: {id: asg-normal}, max: 40}
  - {name: spot, class: spot, scalingGroup: {id: asg-spot}, max: 40}
`

// advised is a provider and an expander over the real SDK and a simulated account, as
// CA sees the two.
type advised struct {
	t       *testing.T
	account *esssim.Simulator
	cloud   cloud.CloudProviderClient
	advice  protos.ExpanderClient
}

// dial serves in memory and returns a connection; end stops both.
func dial(t *testing.T, server *Server) (connection *grpc.ClientConn, end func()) {
	listener := bufconn.Listen(1 << 20)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	connection, err := grpc.NewClient("passthrough:///buildpool",
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	require.NoError(t, err)
	return connection, func() {
		assert.NoError(t, connection.Close())
		assert.NoError(t, server.Stop(context.WithoutCancel(t.Context())))
		assert.NoError(t, <-served)
	}
}

// playAdvised runs a test in virtual time.
func playAdvised(t *testing.T, test func(a *advised)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		accountConfig, err := esssim.Parse("account.yaml", []byte(expanderAccount))
		require.NoError(t, err)
		simulator, err := esssim.New(esssim.Options{Config: accountConfig, Clock: clock.RealClock{}, Seed: 1})
		require.NoError(t, err)
		account, err := ess.New(ess.Options{
			Region: "cn-hangzhou", Credentials: ess.StaticCredentials("sim-access-key", "sim-secret", ""),
			Endpoint: "http://127.0.0.1:1", Transport: simulator.Transport(), Clock: clock.RealClock{},
			Limits: ess.Limits{Default: ess.Rate{PerSecond: 1000, Burst: 1000}},
		})
		require.NoError(t, err)
		groups, err := config.Parse("nodegroups.yaml", []byte(expanderGroups))
		require.NoError(t, err)
		tokens := 0
		provider, err := nodegroups.New(groups, nodegroups.Settings{
			Cloud: account, Clock: clock.RealClock{}, Log: slog.New(slog.DiscardHandler),
			NewToken: func() string { tokens++; return fmt.Sprintf("token-%d", tokens) },
		})
		require.NoError(t, err)
		server := New(Options{Provider: provider, Clock: clock.RealClock{}})
		first, endFirst := dial(t, server)
		second, endSecond := dial(t, server.Expander(nil, provider))
		a := &advised{t: t, account: simulator, cloud: cloud.NewCloudProviderClient(first), advice: protos.NewExpanderClient(second)}
		test(a)
		endSecond()
		endFirst()
		provider.Close()
		account.Close()
	})
}

// best is the expander's answer for so many builds of 2 CPUs, four to a node, with
// the groups CA offers. gpu says that they ask for a GPU each.
func (a *advised) best(builds int, gpu string, groups ...string) []string {
	a.t.Helper()
	request := &protos.BestOptionsRequest{}
	for _, id := range groups {
		option := &protos.Option{NodeGroupId: id, NodeCount: int32((builds + 3) / 4)}
		for range builds {
			option.PodBytes = append(option.PodBytes, podOf(a.t, "2", "3Gi", gpu))
		}
		request.Options = append(request.Options, option)
	}
	answer, err := a.advice.BestOptions(a.t.Context(), request)
	require.NoError(a.t, err)
	names := []string{}
	for _, o := range answer.GetOptions() {
		names = append(names, o.GetNodeGroupId())
	}
	return names
}

// after lets time pass and lets CA begin a loop.
func (a *advised) after(d time.Duration) {
	a.t.Helper()
	clock.RealClock{}.Sleep(d)
	_, err := a.cloud.Refresh(a.t.Context(), &cloud.RefreshRequest{})
	require.NoError(a.t, err)
}

func (a *advised) increase(group string, delta int32) {
	a.t.Helper()
	_, err := a.cloud.NodeGroupIncreaseSize(a.t.Context(), &cloud.NodeGroupIncreaseSizeRequest{Id: group, Delta: delta})
	require.NoError(a.t, err)
}

// TestSpotFirstThenNormal walks a backlog through a spot stock-out, as CA would: with
// every call over gRPC, the real provider, SDK and account behind.
func TestSpotFirstThenNormal(t *testing.T) {
	playAdvised(t, func(a *advised) {
		_, err := a.advice.BestOptions(a.t.Context(), &protos.BestOptionsRequest{Options: []*protos.Option{{NodeGroupId: "spot"}}})
		require.Error(a.t, err, "before the first refresh nothing is known: CA goes on by itself")
		a.after(0)

		all := []string{"gpu", "normal", "spot"}
		assert.Equal(a.t, []string{"spot"}, a.best(8, "", all...))
		assert.Equal(a.t, []string{"gpu"}, a.best(2, "1", "gpu"), "GPU builds fit nowhere else")

		require.NoError(a.t, a.account.SetStock("cn-hangzhou-h", "ecs.c7.2xlarge", stock.Spot, 0))
		a.increase("spot", 2)
		assert.Equal(a.t, []string{"spot"}, a.best(8, "", all...), "the cloud has not said no yet")
		a.after(10 * time.Second) // CA's next loop
		assert.Equal(a.t, []string{"normal"}, a.best(8, "", all...), "the next request after the stock-out")

		a.increase("normal", 2)
		a.after(time.Minute)
		assert.Equal(a.t, []string{"normal"}, a.best(8, "", all...))

		nodes, err := a.cloud.NodeGroupNodes(a.t.Context(), &cloud.NodeGroupNodesRequest{Id: "spot"})
		require.NoError(a.t, err)
		var failed []*cloud.ExternalGrpcNode
		for _, i := range nodes.GetInstances() {
			failed = append(failed, &cloud.ExternalGrpcNode{Name: i.GetId(), ProviderID: i.GetId(),
				Annotations: map[string]string{"k8s.io/cluster-autoscaler/fake-node-reason": "create-error"}})
		}
		require.Len(a.t, failed, 2)
		_, err = a.cloud.NodeGroupDeleteNodes(a.t.Context(), &cloud.NodeGroupDeleteNodesRequest{Id: "spot", Nodes: failed})
		require.NoError(a.t, err)
		a.after(6 * time.Minute)
		assert.Equal(a.t, []string{"spot"}, a.best(8, "", all...), "and spot again, when the stock-out is forgotten")
	})
}
