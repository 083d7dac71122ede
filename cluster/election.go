package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// ErrLeadershipLost says that another replica may lead now, and whoever led must stop
// at once.
var ErrLeadershipLost = errors.New("leadership lost")

// The timing of an election. A leader that cannot reach the apiserver gives up after
// RenewDeadline, before another may take over after LeaseDuration.
const (
	LeaseDuration = 15 * time.Second
	RenewDeadline = 10 * time.Second
	RetryPeriod   = 2 * time.Second
)

// Election is a candidacy for a Lease. Two replicas that both answered the autoscaler
// would each hold targets of their own.
type Election struct {
	lock     resourcelock.Interface
	identity string
	log      *slog.Logger
	holder   atomic.Pointer[string]
	leading  atomic.Bool
}

// NewElection prepares a candidacy; identity names this replica and must be unique.
func NewElection(client kubernetes.Interface, namespace, lease, identity string, log *slog.Logger) (*Election, error) {
	if namespace == "" || lease == "" || identity == "" {
		return nil, fmt.Errorf("stand for election: namespace %q, lease %q and identity %q must all be set", namespace, lease, identity)
	}
	return &Election{
		lock: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: namespace, Name: lease},
			Client:     client.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: identity},
		},
		identity: identity, log: log,
	}, nil
}

// Leading reports whether this replica leads now.
func (e *Election) Leading() bool { return e.leading.Load() }

// Holder names the replica that leads, as far as is known.
func (e *Election) Holder() string {
	if h := e.holder.Load(); h != nil {
		return *h
	}
	return ""
}

// Lead waits until this replica leads and then runs lead. It returns lead's error, or
// nil if ctx ends while waiting. When leadership is lost, lead's context ends with the
// cause ErrLeadershipLost, and so does Lead. The Lease is given back only after lead
// has returned, so that no other leads while this one still finishes.
func (e *Election) Lead(ctx context.Context, lead func(context.Context) error) error {
	standing, resign := context.WithCancel(context.WithoutCancel(ctx))
	defer resign()
	elected := make(chan struct{})
	ended := make(chan struct{})
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: e.lock, Name: e.lock.Describe(), ReleaseOnCancel: true,
		LeaseDuration: LeaseDuration, RenewDeadline: RenewDeadline, RetryPeriod: RetryPeriod,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { close(elected) },
			OnStoppedLeading: func() {},
			OnNewLeader:      e.heard,
		},
	})
	if err != nil {
		return fmt.Errorf("stand for election: %w", err)
	}
	go func() {
		defer close(ended)
		elector.Run(standing)
	}()
	defer func() { resign(); <-ended }()
	select {
	case <-elected:
	case <-ctx.Done():
		return nil
	}
	return e.lead(ctx, ended, lead)
}

// lead runs lead until it returns, and ends its context if the election ends first.
func (e *Election) lead(ctx context.Context, ended <-chan struct{}, lead func(context.Context) error) error {
	e.leading.Store(true)
	defer e.leading.Store(false)
	leading, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	done := make(chan error, 1)
	go func() { done <- lead(leading) }()
	select {
	case err := <-done:
		return err
	case <-ended:
		e.leading.Store(false)
		e.log.Error("leadership lost, stopping", "lease", e.lock.Describe(), "identity", e.identity)
		stop(ErrLeadershipLost)
		return errors.Join(ErrLeadershipLost, <-done)
	}
}

// heard notes who leads.
func (e *Election) heard(identity string) {
	e.holder.Store(&identity)
	if identity == e.identity {
		e.log.Info("leading", "lease", e.lock.Describe(), "identity", identity)
		return
	}
	e.log.Info("another replica leads, standing by", "lease", e.lock.Describe(), "leader", identity)
}
