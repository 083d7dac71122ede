package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/cluster"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/overflow/controller"
)

// A burst of builds is patched as fast as the token bucket lets it: client-go's own
// limit of 5 a second would be the slower one.
const (
	overflowQPS   = 100
	overflowBurst = 300
)

// mover moves builds to virtual nodes, alone or within serve.
type mover struct {
	controller *controller.Controller
	cluster    *cluster.Overflow
	rules      atomic.Pointer[controller.Rules]
	log        *slog.Logger
}

// moverSettings are what a mover is made of.
type moverSettings struct {
	env        environment
	restConfig *rest.Config
	cache      *cluster.Cache
	events     *cluster.Events
	overflow   config.Overflow
	groups     func(context.Context) ([]controller.Group, error)
	leading    func() bool
	registerer prometheus.Registerer
	log        *slog.Logger
}

// newMover must be called before the cache runs.
func newMover(s moverSettings) (*mover, error) {
	m := &mover{log: s.log}
	if err := m.take(s.overflow); err != nil {
		return nil, err
	}
	fast := rest.CopyConfig(s.restConfig)
	fast.QPS, fast.Burst = overflowQPS, overflowBurst
	client, err := kubernetes.NewForConfig(fast)
	if err != nil {
		return nil, fmt.Errorf("reach the cluster: %w", err)
	}
	if m.cluster, err = cluster.NewOverflow(client, s.cache, s.events, s.env.clock, s.log); err != nil {
		return nil, fmt.Errorf("follow cluster-autoscaler's events: %w", err)
	}
	m.controller = controller.New(controller.Settings{
		Cluster: m.cluster, Rules: func() controller.Rules { return *m.rules.Load() }, Groups: s.groups,
		Leading: s.leading, Observer: newOverflowMetrics(s.registerer), Clock: s.env.clock, Log: s.log,
	})
	return m, s.cache.OnPod(m.born)
}

// born makes a build that goes to the virtual node first be looked at before
// cluster-autoscaler's next loop.
func (m *mover) born(before, after *cloudprovider.Pod) {
	if before != nil || after == nil || after.Node != "" {
		return
	}
	rules := m.rules.Load()
	if n := rules.ClassOf(after.Namespace, after.Labels); n >= 0 && rules.Classes[n].ScaleUpDelay > 0 {
		m.controller.Kick()
	}
}

// take puts a file's section in force.
func (m *mover) take(o config.Overflow) error {
	rules, err := controller.RulesOf(o)
	if err != nil {
		return err
	}
	m.rules.Store(&rules)
	return nil
}

// reload takes a changed file over; a file that was parsed has no other errors.
func (m *mover) reload(cfg config.Config) {
	if err := m.take(cfg.Overflow); err != nil {
		m.log.Error("overflow stays as it was", "error", err)
	}
}

// run moves builds until ctx ends.
func (m *mover) run(ctx context.Context) {
	var parts sync.WaitGroup
	parts.Go(func() { m.cluster.Run(ctx) })
	parts.Go(func() { m.controller.Run(ctx) })
	parts.Wait()
}
