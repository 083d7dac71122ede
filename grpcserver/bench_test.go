package grpcserver

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	"k8s.io/utils/clock"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/ess"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// The size the documentation speaks of: 200 groups of 50 nodes.
const (
	benchGroups = 200
	benchNodes  = 50
)

// largeService is the service over the real provider, the real SDK and a simulated
// account of 200 groups and 10,000 nodes, with the IDs of its nodes.
func largeService(b *testing.B) (*service, []string) {
	b.Helper()
	account := &strings.Builder{}
	groups := &strings.Builder{}
	fmt.Fprint(account, "apiVersion: buildpool/v1alpha1\nkind: Account\nregion: cn-hangzhou\naccessKeys: [{id: sim-access-key, secret: sim-secret}]\n"+
		"vSwitches: [{id: vsw-h, zone: cn-hangzhou-h}]\n"+
		"instanceTypes: [{name: ecs.c7.2xlarge, cpus: 8, memoryGiB: 16, arch: X86, enis: 4, ipsPerENI: 15}]\nscalingGroups:\n")
	fmt.Fprint(groups, "apiVersion: buildpool/v1alpha1\nkind: NodeGroups\nregion: cn-hangzhou\ngroups:\n")
	for n := range benchGroups {
		fmt.Fprintf(account, "  - {id: asg-%03d, name: g%03d, min: 0, max: 200, desired: %d, expectedNumberMode: true, vSwitchIds: [vsw-h], "+
			"scalingConfiguration: {id: asc-%03d, instanceTypes: [ecs.c7.2xlarge], systemDiskGiB: 120}}\n", n, n, benchNodes, n)
		fmt.Fprintf(groups, "  - {name: group-%03d, class: normal, scalingGroup: {id: asg-%03d}, max: 200}\n", n, n)
	}
	accountConfig, err := esssim.Parse("account.yaml", []byte(account.String()))
	require.NoError(b, err)
	groupConfig, err := config.Parse("nodegroups.yaml", []byte(groups.String()))
	require.NoError(b, err)
	now := testingclock.NewFakePassiveClock(epoch)
	simulator, err := esssim.New(esssim.Options{Config: accountConfig, Clock: now})
	require.NoError(b, err)
	now.SetTime(epoch.Add(time.Hour))
	cloud, err := ess.New(ess.Options{
		Region: "cn-hangzhou", Credentials: ess.StaticCredentials("sim-access-key", "sim-secret", ""),
		Endpoint: "http://127.0.0.1:1", Transport: simulator.Transport(),
		Limits: ess.Limits{Default: ess.Rate{PerSecond: 10_000, Burst: 10_000}},
	})
	require.NoError(b, err)
	provider, err := nodegroups.New(groupConfig, nodegroups.Settings{
		Cloud: cloud, Clock: clock.RealClock{}, Log: slog.New(slog.DiscardHandler), NewToken: func() string { return "token" },
	})
	require.NoError(b, err)
	require.NoError(b, provider.Refresh(b.Context()))
	var nodes []string
	for n := range benchGroups {
		instances, err := provider.Instances(fmt.Sprintf("group-%03d", n))
		require.NoError(b, err)
		for _, i := range instances {
			nodes = append(nodes, i.ID)
		}
	}
	require.Len(b, nodes, benchGroups*benchNodes)
	return newService(Options{Provider: provider, Clock: now, Log: slog.New(slog.DiscardHandler)}), nodes
}

// BenchmarkReadRPCs times each reading RPC in process, encoding included, and
// reports its 99th percentile beside the mean.
func BenchmarkReadRPCs(b *testing.B) {
	s, nodes := largeService(b)
	ctx := context.Background()
	group := func(n int) string { return fmt.Sprintf("group-%03d", n%benchGroups) }
	rpcs := []struct {
		name string
		call func(n int) (proto.Message, error)
	}{
		{"NodeGroups", func(int) (proto.Message, error) { return s.NodeGroups(ctx, &protos.NodeGroupsRequest{}) }},
		{"NodeGroupForNode", func(n int) (proto.Message, error) {
			id := nodes[n%len(nodes)]
			return s.NodeGroupForNode(ctx, &protos.NodeGroupForNodeRequest{Node: &protos.ExternalGrpcNode{Name: id, ProviderID: id}})
		}},
		{"NodeGroupForNode/foreign", func(int) (proto.Message, error) {
			return s.NodeGroupForNode(ctx, &protos.NodeGroupForNodeRequest{Node: &protos.ExternalGrpcNode{Name: "x", ProviderID: "cn-hangzhou.i-foreign"}})
		}},
		{"NodeGroupTargetSize", func(n int) (proto.Message, error) {
			return s.NodeGroupTargetSize(ctx, &protos.NodeGroupTargetSizeRequest{Id: group(n)})
		}},
		{"NodeGroupNodes", func(n int) (proto.Message, error) {
			return s.NodeGroupNodes(ctx, &protos.NodeGroupNodesRequest{Id: group(n)})
		}},
		{"NodeGroupTemplateNodeInfo", func(n int) (proto.Message, error) {
			return s.NodeGroupTemplateNodeInfo(ctx, &protos.NodeGroupTemplateNodeInfoRequest{Id: group(n)})
		}},
		{"NodeGroupGetOptions", func(n int) (proto.Message, error) {
			return s.NodeGroupGetOptions(ctx, &protos.NodeGroupAutoscalingOptionsRequest{Id: group(n)})
		}},
		{"GPULabel", func(int) (proto.Message, error) { return s.GPULabel(ctx, &protos.GPULabelRequest{}) }},
		{"GetAvailableGPUTypes", func(int) (proto.Message, error) {
			return s.GetAvailableGPUTypes(ctx, &protos.GetAvailableGPUTypesRequest{})
		}},
	}
	real := clock.RealClock{}
	for _, rpc := range rpcs {
		b.Run(rpc.name, func(b *testing.B) {
			var took []time.Duration
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				n++
				began := real.Now()
				answer, err := rpc.call(n)
				if err == nil {
					_, err = proto.Marshal(answer)
				}
				if err != nil {
					b.Fatal(err)
				}
				took = append(took, real.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds()), "p99-ns")
		})
	}
}
