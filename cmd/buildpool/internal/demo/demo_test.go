package demo_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cmd/buildpool/internal/demo"
	"github.com/buildpool/buildpool/ess"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/grpcserver"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// stuckAccount has an instance that nobody can remove.
type stuckAccount struct{ demo.Account }

func (a stuckAccount) Instances() []demo.Instance {
	return append(a.Account.Instances(), demo.Instance{ID: "i-stuck", Group: "nobody"})
}

// afternoon plays the demo in virtual time and returns what it printed.
func afternoon(t *testing.T, seed uint64, stuck bool) (printed string, result error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		accountFile, err := esssim.Parse("account.yaml", demo.AccountFile)
		require.NoError(t, err)
		groups, err := config.Parse("nodegroups.yaml", demo.GroupsFile)
		require.NoError(t, err)
		c := clock.RealClock{} // the bubble's
		sim, err := esssim.New(esssim.Options{Config: accountFile, Clock: c, AuthClock: c, Seed: seed})
		require.NoError(t, err)
		cloud, err := ess.New(ess.Options{
			Region: groups.Region, Endpoint: "http://127.0.0.1:1", Transport: sim.Transport(), Clock: c,
			Credentials: ess.StaticCredentials(accountFile.AccessKeys[0].ID, accountFile.AccessKeys[0].Secret, ""),
		})
		require.NoError(t, err)
		var tokens atomic.Int64
		provider, err := nodegroups.New(groups, nodegroups.Settings{
			Cloud: cloud, Clock: c, Log: slog.New(slog.DiscardHandler),
			NewToken: func() string { return fmt.Sprintf("token-%d", tokens.Add(1)) },
		})
		require.NoError(t, err)
		server := grpcserver.New(grpcserver.Options{Provider: provider, Clock: c})
		listener := bufconn.Listen(1 << 20)
		served := make(chan error, 1)
		go func() { served <- server.Serve(listener) }()
		connection, err := grpc.NewClient("passthrough:///demo", grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
		require.NoError(t, err)

		var out strings.Builder
		var seen demo.Account = demo.SimulatedAccount{Simulator: sim, Config: accountFile}
		if stuck {
			seen = stuckAccount{seen}
		}
		result = demo.Run(t.Context(), demo.Options{
			Provider: protos.NewCloudProviderClient(connection), Account: seen,
			Clock: c, Region: groups.Region, Random: rand.New(rand.NewPCG(seed, 1)), Out: io.Writer(&out),
		})
		printed = out.String()
		require.NoError(t, connection.Close())
		require.NoError(t, server.Stop(context.Background()))
		require.NoError(t, <-served)
		provider.Close()
	})
	return printed, result
}

func number(t *testing.T, text, pattern string) int {
	t.Helper()
	found := regexp.MustCompile(pattern).FindStringSubmatch(text)
	require.NotNil(t, found, "%q in:\n%s", pattern, text)
	n, err := strconv.Atoi(found[1])
	require.NoError(t, err)
	return n
}

func TestAfternoonLosesNothingAndEndsAtZero(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			printed, err := afternoon(t, seed, false)
			require.NoError(t, err, printed)
			peak := number(t, printed, `peak (\d+) nodes, 0 left`)
			assert.GreaterOrEqual(t, peak, 25, printed)
			assert.LessOrEqual(t, peak, 45, printed)
			found := regexp.MustCompile(`jenkins-1 is done: (\S+) in all`).FindStringSubmatch(printed)
			require.NotNil(t, found, printed)
			all, err := time.ParseDuration(found[1])
			require.NoError(t, err)
			assert.InDelta(t, 3*time.Minute, all, float64(30*time.Second), "about three minutes from nothing to done")
			assert.Contains(t, printed, "OperationDenied.NoStock", "the stock-out is seen, and normal nodes take over")
		})
	}
}

func TestAfternoonFailsIfANodeIsLeft(t *testing.T) {
	printed, err := afternoon(t, 1, true)
	assert.ErrorContains(t, err, "a node was left over", printed)
}
