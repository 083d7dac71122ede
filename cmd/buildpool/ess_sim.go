package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/kubenodes"
)

// essSimFlags are the flags of "buildpool ess-sim".
type essSimFlags struct {
	config     string
	listen     string
	speed      float64
	seed       uint64
	kubeconfig string
	providerID string
	keepNodes  bool
	state      string
	log        logFlags
}

func newESSSimCommand(env environment) *cobra.Command {
	var flags essSimFlags
	cmd := &cobra.Command{
		Use:   "ess-sim --config account.yaml",
		Short: "Run a simulated Alibaba account that speaks the real API",
		Long: `ess-sim serves a simulated Alibaba Cloud account (ESS and the parts of ECS, VPC
and STS around it) over HTTP, for the real SDK to talk to. Its operator's endpoint
is under /admin/ on the same address.

With --kubeconfig the instances join that cluster as nodes, annotated for kwok.

With --state the account outlives the process: killed at any moment and started
again with the same file, it goes on as the real one would have, its time included.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runESSSim(cmd.Context(), env, flags) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.config, "config", "", "account file (required)")
	f.StringVar(&flags.listen, "listen", "127.0.0.1:8087", "address to serve HTTP on; port 0 takes a free one")
	f.Float64Var(&flags.speed, "speed", 1, "how many times as fast as the wall clock the account's time passes")
	f.Uint64Var(&flags.seed, "seed", 1, "seed of identifiers and of chance")
	f.StringVar(&flags.kubeconfig, "kubeconfig", "", "let the instances join this cluster as nodes")
	f.StringVar(&flags.providerID, "provider-id", string(kubenodes.ProviderIDDot), "form of the nodes' spec.providerID: <region>.<id> or alicloud://<region>.<id>")
	f.BoolVar(&flags.keepNodes, "keep-nodes", false, "leave the Node of an instance that was stopped or is gone, with a silent kubelet, as where no cloud-controller-manager deletes it")
	f.StringVar(&flags.state, "state", "", "file that keeps the account, so that it goes on after a kill; it belongs to one account file, seed and speed")
	flags.log.add(f)
	if err := cmd.MarkFlagRequired("config"); err != nil {
		panic(err) // the flag is defined above
	}
	return cmd
}

func (f essSimFlags) check() error {
	if f.speed <= 0 || f.speed > 10000 {
		return fmt.Errorf("--speed %v: want more than 0 and at most 10000", f.speed)
	}
	switch kubenodes.ProviderIDForm(f.providerID) {
	case kubenodes.ProviderIDDot, kubenodes.ProviderIDURL:
		return nil
	}
	return fmt.Errorf("--provider-id %q: want %s or %s", f.providerID, kubenodes.ProviderIDDot, kubenodes.ProviderIDURL)
}

func runESSSim(ctx context.Context, env environment, flags essSimFlags) (err error) {
	if err := flags.check(); err != nil {
		return err
	}
	log, err := flags.log.open(env.stderr)
	if err != nil {
		return err
	}
	cfg, err := esssim.Load(flags.config)
	if err != nil {
		return err
	}
	options := esssim.Options{Config: cfg, AuthClock: env.clock, Seed: flags.seed, Log: log}
	now := env.clock.Now()
	if flags.state != "" {
		kept, err := flags.openState(cfg, now, log)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, kept.Close()) }()
		options.History = kept
		now = passed(kept.Begun(), now, flags.speed)
	}
	fast := newAcceleratedClock(env.clock, now, flags.speed)
	options.Clock = fast
	sim, err := esssim.New(options)
	if err != nil {
		return err
	}
	join := func(context.Context) {}
	if flags.kubeconfig != "" {
		registrar, err := flags.registrar(cfg, sim, fast, log)
		if err != nil {
			return err
		}
		join = registrar.Run
	}
	listener, err := net.Listen("tcp", flags.listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	log.Info("listening", "address", listener.Addr().String(), "region", cfg.Region, "groups", len(cfg.ScalingGroups), "speed", flags.speed)

	// Nodes stop joining when serving ends, for whatever reason it ends.
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var joining sync.WaitGroup
	joining.Go(func() { join(ctx) })
	err = serveUntil(ctx, listener, sim, log)
	stop()
	joining.Wait()
	return err
}

// registrar connects to the cluster.
func (f essSimFlags) registrar(cfg esssim.Config, sim *esssim.Simulator, c clock.WithTicker, log *slog.Logger) (*kubenodes.Registrar, error) {
	rest, err := clientcmd.BuildConfigFromFlags("", f.kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("read kubeconfig: %w", err)
	}
	// client-go's own limit of 5 requests a second would stretch every burst.
	rest.QPS, rest.Burst = 500, 1000
	client, err := kubernetes.NewForConfig(rest)
	if err != nil {
		return nil, fmt.Errorf("connect to cluster: %w", err)
	}
	return kubenodes.New(kubenodes.Options{
		Client:              client,
		Account:             sim.Account(),
		Clock:               c,
		ProviderID:          kubenodes.ProviderIDForm(f.providerID),
		KeepNodes:           f.keepNodes,
		KernelMemoryPercent: cfg.KernelMemoryPercent,
		Log:                 log,
	}), nil
}

// drainTime is how long calls that are being answered get to end.
const drainTime = 5 * time.Second

// serveUntil serves HTTP until ctx ends, then lets running calls end.
func serveUntil(ctx context.Context, listener net.Listener, handler http.Handler, log *slog.Logger) error {
	server := newHTTPServer(handler, log)
	failed := make(chan error, 1)
	go func() { failed <- serveHTTP(server, listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping")
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	err := server.Shutdown(drain)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close()
	}
	if err != nil {
		err = fmt.Errorf("stop HTTP server: %w", err)
	}
	return errors.Join(err, <-failed)
}
