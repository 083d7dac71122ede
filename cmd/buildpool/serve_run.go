package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/cluster"
	"github.com/buildpool/buildpool/grpcserver"
	"github.com/buildpool/buildpool/nodegroups"
)

// stopTimeout is how long RPCs under way may take to finish when the process is
// asked to end; cluster-autoscaler's own deadline is 5 s.
const stopTimeout = 10 * time.Second

// serving is the parts of a running server.
type serving struct {
	env     environment
	flags   serveFlags
	log     *slog.Logger
	metrics *prometheus.Registry

	file       nodeGroupFile
	simulated  *simulatedAccount // nil: the account is elsewhere
	cloud      cloudprovider.Cloud
	provider   *nodegroups.Provider
	reloader   *reloader
	readiness  *readiness
	client     kubernetes.Interface // nil: not asked for yet
	restConfig *rest.Config
	cluster    *cluster.Cache    // nil: the cluster is not watched
	events     *cluster.Events   // nil: none are written
	lives      *lives            // nil: the cluster is not watched
	mover      *mover            // nil: no builds move to virtual nodes
	election   *cluster.Election // nil: nobody else answers
	reclaims   *reclaimKeeper    // nil: reclaims are forgotten with the process
	mark       *cluster.Mark     // nil: a Service finds the leader by readiness
	stopped    chan struct{}     // closed when everything has stopped

	tls          *grpcserver.TLS // nil: plaintext
	tracing      tracing
	grpc         *grpcserver.Server
	grpcListener net.Listener
	expander     expanderPort
	http         *http.Server
	httpListener net.Listener // nil: no HTTP
}

// serve runs a server until ctx ends.
func serve(ctx context.Context, env environment, f serveFlags) error {
	log, err := f.log.open(env.stderr)
	if err != nil {
		return err
	}
	s := &serving{env: env, flags: f, log: log, metrics: newRegistry(), stopped: make(chan struct{})}
	for _, open := range []func() error{
		s.openConfig, // what is to be served
		s.openTLS,    // to whom
		func() error { return s.openTracing(ctx) }, // and who watches
		s.openCloud,    // from which account
		s.openCluster,  // for which cluster
		s.openProvider, // who decides
		func() error { return s.openTimeline(ctx) }, // and what came of it
		s.openElection, // and whether we may
		s.openReclaims, // what is remembered for the next
		s.openOverflow, // what is done where nodes come too late
		s.openServers,  // who answers
		s.openExpander, // and who is asked for advice
	} {
		if err := open(); err != nil {
			return errors.Join(err, s.close())
		}
	}
	return errors.Join(s.run(ctx), s.close())
}

func (s *serving) openConfig() (err error) {
	s.file, err = readNodeGroups(s.flags.config)
	return err
}

func (s *serving) openCloud() (err error) {
	if s.flags.simulate == "" {
		s.cloud, err = openCloud(s.env, s.file.config, s.flags.essEndpoint, s.metrics, s.log)
		return err
	}
	if s.simulated, err = openSimulatedAccount(s.env, s.flags.simulate, s.log); err != nil {
		return err
	}
	s.cloud, err = s.simulated.open(s.env, s.file.config, s.metrics, s.log)
	return err
}

func (s *serving) openProvider() (err error) {
	deleter, reopener := s.nodeWriters()
	s.provider, err = nodegroups.New(s.file.config, nodegroups.Settings{
		Cloud:        s.cloud,
		Clock:        s.env.clock,
		Log:          s.log,
		NewToken:     rand.Text,
		ResyncEvery:  s.flags.resyncInterval,
		DeleteWindow: s.flags.deleteWindow,
		DryRun:       s.flags.dryRun,
		Cluster:      s.seen(),
		Removed:      s.tellRemoved,
		Kept:         s.tellKept,
		NodeDeleter:  deleter,
		NodeReopener: reopener,
	})
	if err != nil {
		return err
	}
	s.reloader = newReloader(s.file.config, s.reload, s.log, s.metrics)
	s.readiness = &readiness{status: s.provider.Status, clock: s.env.clock, maxAge: s.flags.maxSnapshotAge}
	s.metrics.MustRegister(groupCollector{status: s.provider.Status, notReady: s.readiness.probe, clock: s.env.clock})
	return nil
}

func (s *serving) openServers() (err error) {
	s.grpc = grpcserver.New(grpcserver.Options{
		Provider:   s.provider,
		Log:        s.log,
		Registerer: s.metrics,
		Clock:      s.env.clock,

		AllowOptionsWithCA135: s.flags.allowOptionsWithCA135,

		Credentials: s.meet(s.flags.address, true),
		Limits:      grpcserver.Limits{RPC: s.flags.door.rpcTimeout},
		Reflection:  s.flags.door.reflection,
		Tracer:      s.tracing.tracerProvider(),
		Standby:     s.standby(),
	})
	if s.grpcListener, err = s.listen(s.flags.address); err != nil {
		return err
	}
	if s.flags.httpAddress == "" {
		return nil
	}
	if s.httpListener, err = net.Listen("tcp", s.flags.httpAddress); err != nil {
		return fmt.Errorf("listen for metrics and probes on %q: %w", s.flags.httpAddress, err)
	}
	s.http = newHTTPServer(withPage(withStatus(observationHandler(s.metrics, s.readiness.probe), s.report), s.report), s.log)
	return nil
}

// run serves until ctx ends or a part fails; then all parts end.
func (s *serving) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	if s.simulated != nil {
		group.Go(s.simulated.serve)
	}
	if s.httpListener != nil {
		group.Go(func() error { return serveHTTP(s.http, s.httpListener) })
	}
	for _, files := range []*grpcserver.TLS{s.tls, s.expander.tls} {
		if files != nil {
			group.Go(func() error { files.Follow(ctx); return nil })
		}
	}
	group.Go(func() error { return s.grpc.Serve(s.grpcListener) })
	group.Go(s.expander.serve)
	group.Go(func() error { s.reloader.follow(ctx, s.env, s.file); return nil })
	group.Go(func() error { return s.watchCluster(ctx) })
	group.Go(func() error { s.keepHeadroom(ctx); return nil })
	group.Go(func() error { s.keepClosed(ctx); return nil })
	group.Go(func() error { s.protectBuilds(ctx); return nil })
	group.Go(func() error { s.keepReclaims(ctx); return nil })
	group.Go(func() error { s.overflowBuilds(ctx); return nil })
	group.Go(func() error { return s.lead(ctx) })
	group.Go(func() error { s.readiness.follow(ctx, s.env.clock, s.log, s.setServing); return nil })
	group.Go(func() error {
		<-ctx.Done()
		defer close(s.stopped)
		return s.stop(context.WithoutCancel(ctx))
	})
	s.logStart()
	return group.Wait()
}

func (s *serving) logStart() {
	if s.flags.dryRun {
		s.log.Warn("dry run: no write is sent to the account, and the autoscaler's scale-ups and deletes are refused")
	}
	where := []any{"version", thisBuild().Version, "grpc", s.grpcListener.Addr().String(), "groups", len(s.file.config.Groups),
		"tls", s.tls != nil && !grpcserver.IsSocket(s.flags.address)}
	if s.expander.listener != nil {
		where = append(where, "expander", s.expander.listener.Addr().String())
	}
	if s.httpListener != nil {
		where = append(where, "http", s.httpListener.Addr().String())
	}
	s.log.Info("serving", where...)
}

// stop ends the parts in the order in which they use each other.
func (s *serving) stop(ctx context.Context) error {
	s.log.Info("stopping")
	s.readiness.stopping.Store(true)
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	errs := []error{
		s.expander.stop(ctx), // CA goes on without advice
		s.grpc.Stop(ctx),     // no new RPCs; those under way finish
	}
	s.provider.Close() // deletes that were accepted reach the cloud
	if s.http != nil {
		errs = append(errs, s.http.Shutdown(ctx)) // probes were answered until here
	}
	if s.simulated != nil {
		errs = append(errs, s.simulated.close()) // last: the provider used it
	}
	return errors.Join(errs...)
}

// close releases what was opened, whether it has been served or not.
func (s *serving) close() error {
	var errs []error
	for _, listener := range []net.Listener{s.grpcListener, s.httpListener} {
		if listener != nil {
			errs = append(errs, ignoreClosed(listener.Close()))
		}
	}
	if s.grpc != nil {
		errs = append(errs, s.grpc.Stop(context.Background())) // ends at once: nothing is under way any more
	}
	if s.simulated != nil {
		errs = append(errs, s.simulated.close())
	}
	if idle, ok := s.cloud.(interface{ Close() }); ok {
		idle.Close()
	}
	if s.events != nil {
		s.events.Close()
	}
	errs = append(errs, s.expander.close())
	s.tracing.close(s.log) // last: everything else may still have made spans
	return errors.Join(errs...)
}
