package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/buildpool/buildpool/nodegroups/config"
)

//go:embed embedded/nodegroups.yaml
var embeddedNodeGroups []byte

// nodeGroupFile is the configuration as it was read at start.
type nodeGroupFile struct {
	path    string // empty: built in, so that it cannot change
	content []byte
	config  config.Config
}

func readNodeGroups(path string) (nodeGroupFile, error) {
	if path == "" {
		cfg, err := config.Parse("nodegroups.yaml (built in)", embeddedNodeGroups)
		return nodeGroupFile{content: embeddedNodeGroups, config: cfg}, err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nodeGroupFile{}, fmt.Errorf("read node groups: %w", err)
	}
	cfg, err := config.Parse(path, content)
	return nodeGroupFile{path: path, content: content, config: cfg}, err
}

// reloader takes changes of the node-group file over. A file that cannot be taken
// over is reported, and the last good one stays in force.
type reloader struct {
	running config.Config
	apply   func(config.Config)
	log     *slog.Logger
	reloads *prometheus.CounterVec
	good    prometheus.Gauge
}

func newReloader(running config.Config, apply func(config.Config), log *slog.Logger, registerer prometheus.Registerer) *reloader {
	register := promauto.With(registerer)
	r := &reloader{
		running: running,
		apply:   apply,
		log:     log,
		reloads: register.NewCounterVec(prometheus.CounterOpts{
			Name: "buildpool_config_reloads_total",
			Help: "Changes of the node-group file, by result: success or failure.",
		}, []string{"result"}),
		good: register.NewGauge(prometheus.GaugeOpts{
			Name: "buildpool_config_last_reload_success",
			Help: "1 if the node-group file as it is now is in force, 0 if an older one is.",
		}),
	}
	// Both series exist from the start, so that the first failure is an increase.
	r.reloads.WithLabelValues("success")
	r.reloads.WithLabelValues("failure")
	r.good.Set(1)
	return r
}

// deliver takes one change over.
func (r *reloader) deliver(cfg config.Config, err error) {
	if err == nil {
		err = r.take(cfg)
	}
	if err != nil {
		r.reloads.WithLabelValues("failure").Inc()
		r.good.Set(0)
		r.log.Error("node-group file not taken over, the last good one stays in force", "error", err)
		return
	}
	r.reloads.WithLabelValues("success").Inc()
	r.good.Set(1)
	r.log.Info("node-group file taken over, in force with the next refresh", "groups", len(cfg.Groups))
}

func (r *reloader) take(cfg config.Config) error {
	if cfg.Region != r.running.Region || !reflect.DeepEqual(cfg.Account, r.running.Account) {
		return errors.New("region and account cannot change while serving: restart to use another account")
	}
	r.apply(cfg)
	return nil
}

// follow watches the file until ctx ends. A machine that has no file watches left is
// no reason not to serve.
func (r *reloader) follow(ctx context.Context, env environment, file nodeGroupFile) {
	if file.path == "" {
		return
	}
	if err := config.Watch(ctx, file.path, file.content, env.clock, r.deliver); err != nil {
		r.log.Error("changes of the node-group file will not be noticed: restart to take them over", "error", err)
	}
}
