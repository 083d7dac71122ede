package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"

	"github.com/buildpool/buildpool/cluster"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// overflowFlags are the flags of overflow.
type overflowFlags struct {
	config, server, kubeconfig, httpAddress string

	events bool
	leader leaderFlags
	log    logFlags
}

func newOverflowCommand(env environment) *cobra.Command {
	var f overflowFlags
	command := &cobra.Command{
		Use:   "overflow --config FILE",
		Short: "Move builds that real nodes serve too late to a virtual node",
		Long: `Overflow lets builds that wait onto a virtual node (a virtual kubelet's, such as that
of Elastic Container Instances) when real nodes would come too late for them, by the
section overflow of the node-group file: it adds a toleration to their pods, and
changes nothing else. Builds for which a node is on its way are left to it.

It does what "buildpool serve --overflow" does, in a process of its own, and asks a
running server what the node groups are. Without an answer nothing moves. Should it
die, builds wait for real nodes as ever.`,
		Example: `  buildpool overflow --config nodegroups.yaml
  buildpool overflow --config nodegroups.yaml --server buildpool:8081 --leader-elect`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			return overflowAlone(command.Context(), env, f)
		},
	}
	flags := command.Flags()
	flags.StringVar(&f.config, "config", "", "the node-group file; it is read again when it changes")
	flags.StringVar(&f.server, "server", "127.0.0.1:8081", "where the server answers HTTP: its --http-address")
	flags.StringVar(&f.kubeconfig, "kubeconfig", "", "how to reach the cluster, which also holds the lease; default: the cluster we run in")
	flags.StringVar(&f.httpAddress, "http-address", "127.0.0.1:8082", "where to serve /metrics, /healthz and /readyz; empty: nowhere")
	flags.BoolVar(&f.events, "events", true, "write Kubernetes events that say why a pod moves or may not")
	f.leader.registerFor(flags, "kube-system/buildpool-overflow", "move builds only while this replica holds the lease")
	f.log.add(flags)
	return command
}

func (f overflowFlags) check() error {
	var wrong []error
	if f.config == "" {
		wrong = append(wrong, errors.New("--config FILE is required"))
	}
	if _, _, err := net.SplitHostPort(f.server); err != nil {
		wrong = append(wrong, fmt.Errorf("--server is %q, but must be host:port", f.server))
	}
	return errors.Join(append(wrong, f.leader.check())...)
}

// overflowing is the parts of a process that only moves builds.
type overflowing struct {
	env      environment
	flags    overflowFlags
	log      *slog.Logger
	metrics  *prometheus.Registry
	file     nodeGroupFile
	cache    *cluster.Cache
	events   *cluster.Events // nil: none are written
	election *cluster.Election
	mover    *mover
}

// overflowAlone moves builds until ctx ends.
func overflowAlone(ctx context.Context, env environment, f overflowFlags) error {
	log, err := f.log.open(env.stderr)
	if err != nil {
		return err
	}
	o := &overflowing{env: env, flags: f, log: log, metrics: newRegistry()}
	if err := o.open(ctx); err != nil {
		return err
	}
	if o.events != nil {
		defer o.events.Close()
	}
	return o.run(ctx)
}

func (o *overflowing) open(ctx context.Context) (err error) {
	if o.file, err = readNodeGroups(o.flags.config); err != nil {
		return err
	}
	if len(o.file.config.Overflow.Classes) == 0 {
		return fmt.Errorf("%s says of no class that its builds may move: write overflow.classes", o.flags.config)
	}
	settings, err := restConfigOf(o.flags.kubeconfig, o.log)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(settings)
	if err != nil {
		return fmt.Errorf("reach the cluster: %w", err)
	}
	if o.cache, err = cluster.NewCache(client, o.env.clock, o.log); err != nil {
		return err
	}
	var leading func() bool
	if o.flags.leader.elect {
		if o.election, err = o.flags.leader.election(client, o.log); err != nil {
			return err
		}
		leading = o.election.Leading
	}
	if o.flags.events {
		o.events = cluster.NewEvents(context.WithoutCancel(ctx), client, o.env.clock, o.log)
	}
	o.mover, err = newMover(moverSettings{
		env: o.env, restConfig: settings, cache: o.cache, events: o.events, overflow: o.file.config.Overflow,
		groups: groupsFromServer(o.flags.server), leading: leading, registerer: o.metrics, log: o.log,
	})
	return err
}

func (o *overflowing) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	if o.flags.httpAddress != "" {
		listener, err := net.Listen("tcp", o.flags.httpAddress)
		if err != nil {
			return fmt.Errorf("listen for metrics and probes on %q: %w", o.flags.httpAddress, err)
		}
		server := newHTTPServer(observationHandler(o.metrics, o.notReady), o.log)
		o.log.Info("serving", "http", listener.Addr().String())
		group.Go(func() error { return serveHTTP(server, listener) })
		group.Go(func() error { return shutdownWith(ctx, server) })
	}
	group.Go(func() error { o.cache.Run(ctx); return nil })
	group.Go(func() error { o.mover.run(ctx); return nil })
	group.Go(func() error { o.follow(ctx); return nil })
	if o.election != nil {
		group.Go(func() error {
			return o.election.Lead(ctx, func(ctx context.Context) error { <-ctx.Done(); return nil })
		})
	}
	return group.Wait()
}

// shutdownWith ends the server when ctx ends.
func shutdownWith(ctx context.Context, server *http.Server) error {
	<-ctx.Done()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return server.Shutdown(ctx)
}

// notReady says why nothing could be moved; a replica that stands by is ready.
func (o *overflowing) notReady() string {
	if o.election != nil && !o.election.Leading() {
		return ""
	}
	return o.mover.controller.Failing()
}

// follow takes changes of the file over until ctx ends; a file with errors leaves the
// last good one in force.
func (o *overflowing) follow(ctx context.Context) {
	deliver := func(cfg config.Config, err error) {
		if err != nil {
			o.log.Error("node-group file not taken over, the last good one stays in force", "error", err)
			return
		}
		o.mover.reload(cfg)
		o.log.Info("node-group file taken over")
	}
	if err := config.Watch(ctx, o.file.path, o.file.content, o.env.clock, deliver); err != nil {
		o.log.Error("changes of the node-group file will not be noticed: restart to take them over", "error", err)
	}
}
