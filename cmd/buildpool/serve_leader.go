package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/api/validate/content"
	"k8s.io/client-go/kubernetes"

	"github.com/buildpool/buildpool/cluster"
)

// leaderFlags say whether several replicas agree on one that answers.
type leaderFlags struct {
	elect    bool
	lease    string
	identity string
	label    string
}

func (f *leaderFlags) register(flags *pflag.FlagSet) {
	f.registerFor(flags, "kube-system/buildpool", "answer only while this replica holds the lease; the others are not ready. For several replicas behind one service; a sidecar needs none")
	flags.StringVar(&f.label, "leader-elect-label", "", "put this label (value true) on the leader's pod, which is named like its identity and lies in the lease's namespace, for a Service to select; replicas that stand by are then ready, too")
}

// registerFor registers the flags of an election for the lease; elect says what a leader
// does.
func (f *leaderFlags) registerFor(flags *pflag.FlagSet, lease, elect string) {
	flags.BoolVar(&f.elect, "leader-elect", false, elect)
	flags.StringVar(&f.lease, "leader-elect-lease", lease, "the lease, as namespace/name")
	flags.StringVar(&f.identity, "leader-elect-identity", "", "this replica's name in the lease; default: the host's name, which is the pod's")
}

func (f *leaderFlags) check() error {
	namespace, name, ok := strings.Cut(f.lease, "/")
	if f.elect && (!ok || namespace == "" || name == "" || strings.Contains(name, "/")) {
		return fmt.Errorf("--leader-elect-lease is %q, want namespace/name", f.lease)
	}
	if f.label == "" {
		return nil
	}
	if !f.elect {
		return errors.New("--leader-elect-label needs --leader-elect: without an election nobody leads")
	}
	if wrong := content.IsLabelKey(f.label); len(wrong) > 0 {
		return fmt.Errorf("--leader-elect-label %q: %s", f.label, strings.Join(wrong, "; "))
	}
	return nil
}

// openElection prepares the candidacy; without --leader-elect there is none.
func (s *serving) openElection() error {
	f := s.flags.leader
	if !f.elect {
		return nil
	}
	client, err := s.kubernetes()
	if err != nil {
		return fmt.Errorf("stand for election: %w", err)
	}
	if f.label != "" {
		identity, err := f.name()
		if err != nil {
			return err
		}
		namespace, _, _ := strings.Cut(f.lease, "/")
		s.mark = cluster.NewMark(client, namespace, identity, f.label)
	}
	s.election, err = f.election(client, s.log)
	return err
}

// name is this replica's in the lease.
func (f *leaderFlags) name() (string, error) {
	if f.identity != "" {
		return f.identity, nil
	}
	host, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("name this replica: %w; give --leader-elect-identity", err)
	}
	return host, nil
}

// election is the candidacy that the flags ask for.
func (f *leaderFlags) election(client kubernetes.Interface, log *slog.Logger) (*cluster.Election, error) {
	identity, err := f.name()
	if err != nil {
		return nil, err
	}
	namespace, name, _ := strings.Cut(f.lease, "/")
	return cluster.NewElection(client, namespace, name, identity, log)
}

// standby returns what says why this replica does not answer; nil without an election.
func (s *serving) standby() func() string {
	if s.election == nil {
		return nil
	}
	s.readiness.standbyReady = s.mark != nil
	s.readiness.standby = func() string {
		switch holder := s.election.Holder(); {
		case s.election.Leading():
			return ""
		case holder == "":
			return "standing by: nobody leads yet"
		default:
			return "standing by: " + holder + " leads"
		}
	}
	return s.readiness.standby
}

// lead reads the account for the first time once this replica may answer. With an
// election it ends only after everything has stopped, so that the lease is given back
// when nothing of ours is under way any more.
func (s *serving) lead(ctx context.Context) error {
	if s.election == nil {
		refreshOnce(ctx, s.env.clock, s.log, s.provider.Refresh)
		return nil
	}
	if s.mark != nil {
		s.unmark(ctx) // a container that died may have left it on our pod
	}
	return s.election.Lead(ctx, func(ctx context.Context) error {
		if s.mark != nil {
			s.markUntilDone(ctx)
			defer s.unmark(context.WithoutCancel(ctx))
		}
		refreshOnce(ctx, s.env.clock, s.log, s.provider.Refresh)
		<-ctx.Done()
		if errors.Is(context.Cause(ctx), cluster.ErrLeadershipLost) {
			return nil // another may lead any moment: nothing is waited for
		}
		<-s.stopped
		return nil
	})
}

const (
	// markRetry is how long to wait before the pod is marked again after a failure.
	markRetry = 2 * time.Second
	// unmarkTimeout bounds what a replica that ends still spends on its mark.
	unmarkTimeout = 3 * time.Second
)

// markUntilDone marks our pod, however often it takes: while it has no mark the
// autoscaler cannot reach us.
func (s *serving) markUntilDone(ctx context.Context) {
	for {
		err := s.mark.Set(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		s.log.Error("the Service cannot find this replica yet", "error", err)
		timer := s.env.clock.NewTimer(markRetry)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C():
		}
	}
}

// unmark takes the mark away. Should that fail, the next leader does it.
func (s *serving) unmark(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, unmarkTimeout)
	defer cancel()
	if err := s.mark.Clear(ctx); err != nil {
		s.log.Warn("the leader's mark stays until another leads", "error", err)
	}
}
