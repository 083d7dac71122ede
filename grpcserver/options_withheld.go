package grpcserver

import (
	"context"
	"log/slog"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/buildpool/buildpool/grpcserver/dialect"
)

// withholding is why a group's options are not answered; it is the metric's label.
type withholding string

// The reasons. They name what an answer would do.
const (
	// zeroesProvisionTime: CA 1.28 and older take the time a node may take to be
	// provisioned from the answer, in which they have no field for it, and delete
	// every booting instance at once (autoscaler#5935).
	zeroesProvisionTime withholding = "zeroes_max_node_provision_time"
	// zeroesStartupTime: CA 1.35 and newer take the time a node may take to start
	// from the answer, in which there is no field for it. A booting node then counts
	// as unready and not as about to come: CA scales up a second time, and may call
	// the group unhealthy (autoscaler#10245).
	zeroesStartupTime withholding = "zeroes_max_node_startup_time"
	// unknownDialect: what the client would make of an answer cannot be told.
	unknownDialect withholding = "unknown_dialect"
)

// advice is what the log says of a reason, once per group.
var advice = map[withholding]string{
	zeroesProvisionTime: "this cluster-autoscaler would delete booting instances at once (autoscaler#5935): use 1.29 or newer",
	zeroesStartupTime: "this cluster-autoscaler would take booting nodes for unready (autoscaler#10245): " +
		"set options.allowWithCA135 or --allow-options-with-ca-1.35 to accept that, or use its flags instead",
	unknownDialect: "what this client would make of them cannot be told",
}

// withholdingFor says whether and why options must not be answered in a dialect.
// Allowed is what the user agreed to for CA 1.35 and newer.
func withholdingFor(d dialect.Dialect, allowed bool) (reason withholding, withhold bool) {
	switch d {
	case dialect.CA125:
		return zeroesProvisionTime, true
	case dialect.CA129, dialect.CA134:
		return "", false
	case dialect.CA135:
		return zeroesStartupTime, !allowed
	}
	return unknownDialect, true
}

// optionsNotes tells about options that are withheld or answered at a risk.
type optionsNotes struct {
	log      *slog.Logger
	withheld *prometheus.CounterVec
	risked   *prometheus.CounterVec
	told     sync.Map // note → nothing: what has been logged
}

// note is one thing to say of one group.
type note struct {
	group string
	text  string
}

func newOptionsNotes(registerer prometheus.Registerer, log *slog.Logger) *optionsNotes {
	register := promauto.With(registerer)
	return &optionsNotes{
		log: log,
		withheld: register.NewCounterVec(prometheus.CounterOpts{
			Name: "buildpool_options_withheld_total",
			Help: "Requests for a node group's options that were answered with none although the group sets some, by reason.",
		}, []string{"node_group", "reason"}),
		risked: register.NewCounterVec(prometheus.CounterOpts{
			Name: "buildpool_options_risked_total",
			Help: "Requests of cluster-autoscaler 1.35 or newer that were answered with a node group's options, which set its max node startup time to 0.",
		}, []string{"node_group"}),
	}
}

// withhold counts, and warns the first time.
func (n *optionsNotes) withhold(ctx context.Context, group string, d dialect.Dialect, reason withholding) {
	n.withheld.WithLabelValues(group, string(reason)).Inc()
	n.warn(ctx, group, d, "the node group's options are withheld from cluster-autoscaler", advice[reason])
}

// accept counts what the user has agreed to, and warns of it the first time.
func (n *optionsNotes) accept(ctx context.Context, group string, d dialect.Dialect) {
	if d == dialect.CA135 {
		n.risked.WithLabelValues(group).Inc()
		n.warn(ctx, group, d, "the node group's options are answered although they set cluster-autoscaler's max node startup time to 0",
			"allowed by options.allowWithCA135 or --allow-options-with-ca-1.35 (autoscaler#10245)")
	}
}

func (n *optionsNotes) warn(ctx context.Context, group string, d dialect.Dialect, text, why string) {
	if _, told := n.told.LoadOrStore(note{group, why}, nil); !told {
		n.log.WarnContext(ctx, text, "group", group, "dialect", d.String(), "why", why)
	}
}
