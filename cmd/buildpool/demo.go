package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	randv2 "math/rand/v2"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cmd/buildpool/internal/demo"
	"github.com/buildpool/buildpool/ess"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/grpcserver"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// demoStart is when the demo's afternoon begins: ten minutes before the burst.
var demoStart = time.Date(2026, time.November, 23, 14, 50, 0, 0, time.UTC)

// demoSpeed makes the afternoon pass in half a minute.
const demoSpeed = 300

func newDemoCommand(env environment) *cobra.Command {
	var seed uint64
	var speed float64
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Play an afternoon of builds, without account or cluster",
		Long: `Plays the afternoon of a build team in under a minute: one Jenkins build on an empty
cluster, the burst of three o'clock over normal, GPU and spot groups, a spot stock-out,
and the evening, when every node goes.

The gRPC server, the decisions and the Alibaba SDK are the real ones; the account is
simulated and spoken to over HTTP; a small loop asks what cluster-autoscaler asks.
Exit code 1 if a build was lost or a node is left.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if speed < 1 || speed > 1000 {
				return fmt.Errorf("--speed %g: want 1 to 1000", speed)
			}
			return playDemo(cmd.Context(), env, seed, speed)
		},
	}
	cmd.Flags().Uint64Var(&seed, "seed", 1, "seed of the builds and of the account")
	cmd.Flags().Float64Var(&speed, "speed", demoSpeed, "seconds of the afternoon per second")
	return cmd
}

// playDemo puts the real parts together on loopback and plays.
func playDemo(ctx context.Context, env environment, seed uint64, speed float64) (err error) {
	fast := newAcceleratedClock(env.clock, demoStart, speed)
	accountFile, err := esssim.Parse("account.yaml (built in)", demo.AccountFile)
	if err != nil {
		return err
	}
	groups, err := config.Parse("nodegroups.yaml (built in)", demo.GroupsFile)
	if err != nil {
		return err
	}
	sim, err := esssim.New(esssim.Options{Config: accountFile, Clock: fast, AuthClock: env.clock, Seed: seed})
	if err != nil {
		return fmt.Errorf("make simulated account: %w", err)
	}
	endpoint, stopAccount, err := serveAccount(sim)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopAccount()) }()

	cloud, err := ess.New(ess.Options{
		Region: groups.Region, Endpoint: endpoint, Clock: env.clock,
		Credentials: ess.StaticCredentials(accountFile.AccessKeys[0].ID, accountFile.AccessKeys[0].Secret, ""),
		Limits:      ess.Limits{Default: ess.Rate{PerSecond: 1000, Burst: 1000}}, // the time is faster, too
	})
	if err != nil {
		return fmt.Errorf("open simulated account: %w", err)
	}
	defer cloud.Close()
	provider, err := nodegroups.New(groups, nodegroups.Settings{
		Cloud: cloud, Clock: fast, Log: slog.New(slog.DiscardHandler), NewToken: rand.Text,
	})
	if err != nil {
		return err
	}
	defer provider.Close()
	client, stopServer, err := serveLoopback(provider, env.clock)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stopServer()) }()

	fmt.Fprintf(env.stdout, "An afternoon of builds on a simulated Alibaba Cloud account, %.0f times as fast.\n"+
		"Real: gRPC server, decisions, Alibaba SDK over HTTP. No account, no cluster.\n\n", speed)
	return demo.Run(ctx, demo.Options{
		Provider: client, Account: demo.SimulatedAccount{Simulator: sim, Config: accountFile}, Clock: fast, Region: groups.Region,
		Random: randv2.New(randv2.NewPCG(seed, 1)),
		Out:    env.stdout, Live: isTerminal(env.stdout),
	})
}

// serveLoopback serves the provider on a free loopback port and connects to it.
func serveLoopback(provider *nodegroups.Provider, c clock.PassiveClock) (protos.CloudProviderClient, func() error, error) {
	listener, err := grpcserver.Listen("127.0.0.1:0", false)
	if err != nil {
		return nil, nil, err
	}
	server := grpcserver.New(grpcserver.Options{Provider: provider, Clock: c})
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, nil, fmt.Errorf("connect to provider: %w", err)
	}
	stop := func() error {
		closed := connection.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return errors.Join(closed, server.Stop(ctx), <-served)
	}
	return protos.NewCloudProviderClient(connection), stop, nil
}

// serveAccount serves a simulated account on a free loopback port and returns its
// base URL.
func serveAccount(sim *esssim.Simulator) (endpoint string, stop func() error, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, fmt.Errorf("serve simulated account: %w", err)
	}
	server := newHTTPServer(sim, slog.New(slog.DiscardHandler))
	served := make(chan error, 1)
	go func() { served <- serveHTTP(server, listener) }()
	stop = func() error { return errors.Join(server.Close(), <-served) }
	return "http://" + listener.Addr().String(), stop, nil
}

// isTerminal reports whether somebody watches the output as it is written.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
