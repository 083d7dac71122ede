package grpcserver

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/grpcserver/dialect"
)

// dialectLogEvery bounds how often a change is logged: two autoscalers of different
// releases that ask at the same time would change it with every call.
const dialectLogEvery = time.Minute

// clientDialect remembers which dialect the autoscaler speaks: the one it was last
// heard in.
type clientDialect struct {
	log   *slog.Logger
	clock clock.PassiveClock
	gauge *prometheus.GaugeVec

	mu       sync.Mutex
	last     dialect.Dialect
	logged   dialect.Dialect
	loggedAt time.Time // zero: never
}

func newClientDialect(registerer prometheus.Registerer, clock clock.PassiveClock, log *slog.Logger) *clientDialect {
	c := &clientDialect{
		log: log, clock: clock,
		gauge: promauto.With(registerer).NewGaugeVec(prometheus.GaugeOpts{
			Name: "buildpool_client_dialect",
			Help: "1 for the cluster-autoscaler releases whose wire dialect was heard last, 0 for the others.",
		}, []string{"dialect"}),
	}
	for _, d := range append([]dialect.Dialect{dialect.Unknown}, dialect.All...) {
		c.gauge.WithLabelValues(d.String()).Set(0)
	}
	return c
}

// heard takes note of a request.
func (c *clientDialect) heard(ctx context.Context, d dialect.Dialect) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.loggedAt.IsZero() {
		c.show(d)
		c.logged, c.loggedAt = d, c.clock.Now()
		c.log.InfoContext(ctx, "cluster-autoscaler's dialect", "dialect", d.String())
		return
	}
	if d != c.last {
		c.show(d)
	}
	if d == c.logged || c.clock.Since(c.loggedAt) < dialectLogEvery {
		return
	}
	c.log.InfoContext(ctx, "cluster-autoscaler's dialect has changed", "dialect", d.String(), "before", c.logged.String())
	c.logged, c.loggedAt = d, c.clock.Now()
}

func (c *clientDialect) show(d dialect.Dialect) {
	c.gauge.WithLabelValues(c.last.String()).Set(0)
	c.gauge.WithLabelValues(d.String()).Set(1)
	c.last = d
}

func (c *clientDialect) current() dialect.Dialect {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}
