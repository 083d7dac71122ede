package grpcserver

import (
	"context"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	"k8s.io/utils/clock"
)

// The size of the loop that is timed.
const (
	loopGroups = 10
	loopNodes  = 30 // each
)

// BenchmarkLoop times one loop of cluster-autoscaler over our server, with all that
// serve gives it, and over an empty one that gives the same answers from memory, in
// turns. The ratios, ours to theirs, are medians of those of neighbours: whatever else
// the machine does meets both. It disturbs the ratio of processor times least.
func BenchmarkLoop(b *testing.B) {
	account := newBenchAccount(b, loopGroups, loopNodes)
	empty := copyAnswers(b, newService(Options{Provider: account.provider, Clock: clock.RealClock{}, Log: infoLog()}), account)
	ca := newAuthority(b, "authority")
	for _, way := range benchTransports(b, ca) {
		b.Run(way.name, func(b *testing.B) {
			ours := New(Options{
				Provider: account.provider, Clock: clock.RealClock{}, Log: infoLog(),
				Registerer: prometheus.NewRegistry(), Credentials: way.server,
			})
			theirs := &Server{}
			var options []grpc.ServerOption
			if way.server != nil {
				options = append(options, grpc.Creds(way.server))
			}
			theirs.grpc = grpc.NewServer(options...)
			protos.RegisterCloudProviderServer(theirs.grpc, empty)
			timeLoops(b, way.dial(b, ours.grpc), way.dial(b, theirs.grpc), account)
		})
	}
}

func timeLoops(b *testing.B, ours, empty protos.CloudProviderClient, account benchAccount) {
	b.Helper()
	calls := loop(b, ours, account) // fills what is kept between loops
	loop(b, empty, account)
	var times, cpu, added []float64
	var all time.Duration
	for n := 0; b.Loop(); n++ {
		var us, them spent
		if n%2 == 0 {
			us, them = spend(b, ours, account), spend(b, empty, account)
		} else {
			them, us = spend(b, empty, account), spend(b, ours, account)
		}
		times = append(times, us.time.Seconds()/them.time.Seconds())
		cpu = append(cpu, us.cpu.Seconds()/them.cpu.Seconds())
		added = append(added, float64((us.cpu-them.cpu).Nanoseconds())/float64(calls))
		all += us.time
	}
	b.ReportMetric(medianOf(times), "time-ratio")
	b.ReportMetric(medianOf(cpu), "cpu-ratio")
	b.ReportMetric(medianOf(added), "added-cpu-ns/rpc")
	b.ReportMetric(float64(all.Nanoseconds())/float64(len(times)*calls), "ours-ns/rpc")
	b.ReportMetric(float64(calls), "rpcs/loop")
}

// spent is what a loop took: time, and the processor time of client and server.
type spent struct{ time, cpu time.Duration }

func spend(b *testing.B, client protos.CloudProviderClient, account benchAccount) spent {
	b.Helper()
	real := clock.RealClock{}
	used := processorTime(b)
	began := real.Now()
	loop(b, client, account)
	return spent{time: real.Since(began), cpu: processorTime(b) - used}
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func medianOf(numbers []float64) float64 {
	slices.Sort(numbers)
	return numbers[len(numbers)/2]
}

// loop asks, one after the other, what CA of the 1.36 line asks in a loop over full
// groups whose nodes are all unneeded, 2 + 4 per group + 7 per node, and returns how
// often it asked.
func loop(b *testing.B, client protos.CloudProviderClient, account benchAccount) (calls int) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 10*time.Second) // CA sets one per RPC
	defer cancel()
	must := func(_ any, err error) {
		if calls++; err != nil {
			b.Fatal(err)
		}
	}
	must(client.Refresh(ctx, &protos.RefreshRequest{}))
	must(client.NodeGroups(ctx, &protos.NodeGroupsRequest{}))
	for _, group := range account.groups {
		must(client.NodeGroupTemplateNodeInfo(ctx, &protos.NodeGroupTemplateNodeInfoRequest{Id: group}))
		for range 3 {
			must(client.NodeGroupTargetSize(ctx, &protos.NodeGroupTargetSizeRequest{Id: group}))
		}
	}
	for n, node := range account.nodes {
		must(client.NodeGroupForNode(ctx, &protos.NodeGroupForNodeRequest{Node: benchNode(node)}))
		for range 6 {
			must(client.NodeGroupGetOptions(ctx, optionsRequest(account.groups[n%len(account.groups)])))
		}
	}
	return calls
}
