package grpcserver

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/ess"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// benchAccount is the real provider over the real SDK and a simulated account of so
// many groups of so many nodes.
type benchAccount struct {
	provider *nodegroups.Provider
	groups   []string
	nodes    []string // provider IDs
}

func newBenchAccount(b *testing.B, groups, nodesEach int) benchAccount {
	b.Helper()
	account, file := benchFiles(groups, nodesEach)
	accountConfig, err := esssim.Parse("account.yaml", []byte(account))
	require.NoError(b, err)
	groupConfig, err := config.Parse("nodegroups.yaml", []byte(file))
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
	a := benchAccount{provider: provider}
	for n := range groups {
		a.groups = append(a.groups, benchGroup(n))
		instances, err := provider.Instances(benchGroup(n))
		require.NoError(b, err)
		for _, i := range instances {
			a.nodes = append(a.nodes, i.ID)
		}
	}
	require.Len(b, a.nodes, groups*nodesEach)
	return a
}

func benchGroup(n int) string { return fmt.Sprintf("group-%03d", n) }

// benchFiles are the account's and the groups' files.
func benchFiles(groups, nodesEach int) (account, file string) {
	a, f := &strings.Builder{}, &strings.Builder{}
	fmt.Fprint(a, "apiVersion: buildpool/v1alpha1\nkind: Account\nregion: cn-hangzhou\naccessKeys: [{id: sim-access-key, secret: sim-secret}]\n"+
		"vSwitches: [{id: vsw-h, zone: cn-hangzhou-h}]\n"+
		"instanceTypes: [{name: ecs.c7.2xlarge, cpus: 8, memoryGiB: 16, arch: X86, enis: 4, ipsPerENI: 15}]\nscalingGroups:\n")
	fmt.Fprint(f, "apiVersion: buildpool/v1alpha1\nkind: NodeGroups\nregion: cn-hangzhou\ngroups:\n")
	for n := range groups {
		fmt.Fprintf(a, "  - {id: asg-%03d, name: g%03d, min: 0, max: 200, desired: %d, expectedNumberMode: true, vSwitchIds: [vsw-h], "+
			"scalingConfiguration: {id: asc-%03d, instanceTypes: [ecs.c7.2xlarge], systemDiskGiB: 120}}\n", n, n, nodesEach, n)
		fmt.Fprintf(f, "  - {name: %s, class: normal, scalingGroup: {id: asg-%03d}, max: 200}\n", benchGroup(n), n)
	}
	return a.String(), f.String()
}
