package grpcserver

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/grpcserver/dialect"
)

func TestTheClientsDialectIsShown(t *testing.T) {
	w := connect(t, &account{}, slog.LevelInfo)
	requireDialect(t, w, dialect.Unknown, 0)

	// Somebody with a tool is no CA.
	_, err := w.NodeGroupGetOptions(t.Context(), &protos.NodeGroupAutoscalingOptionsRequest{Id: "spot"})
	require.NoError(t, err)
	requireDialect(t, w, dialect.Unknown, 0)

	_, err = w.NodeGroupGetOptions(t.Context(), recordedOptions(t, "ca-1.33.0"))
	require.NoError(t, err)
	requireDialect(t, w, dialect.CA129, 1)

	_, err = w.NodeGroupGetOptions(t.Context(), recordedOptions(t, "ca-1.36"))
	require.NoError(t, err)
	requireDialect(t, w, dialect.CA135, 1)

	unheard := &protos.NodeGroupAutoscalingOptionsRequest{Id: "spot", Defaults: &protos.NodeGroupAutoscalingOptions{}}
	_, err = w.NodeGroupGetOptions(t.Context(), unheard)
	require.NoError(t, err)
	requireDialect(t, w, dialect.Unknown, 1)
}

// requireDialect asserts what the server and its metrics say; only one dialect's
// series may be 1.
func requireDialect(t *testing.T, w *wire, current dialect.Dialect, value int) {
	t.Helper()
	require.Equal(t, current, w.server.Dialect())
	var text strings.Builder
	text.WriteString("# HELP buildpool_client_dialect 1 for the cluster-autoscaler releases whose wire dialect was heard last, 0 for the others.\n")
	text.WriteString("# TYPE buildpool_client_dialect gauge\n")
	for _, d := range append([]dialect.Dialect{dialect.Unknown}, dialect.All...) {
		text.WriteString(`buildpool_client_dialect{dialect="` + d.String() + `"} `)
		if d == current && value == 1 {
			text.WriteString("1\n")
		} else {
			text.WriteString("0\n")
		}
	}
	require.NoError(t, testutil.GatherAndCompare(w.metrics, strings.NewReader(text.String()), "buildpool_client_dialect"))
}

func TestDialectsAreLoggedOncePerChange(t *testing.T) {
	log := &logBuffer{}
	clock := testingclock.NewFakePassiveClock(epoch)
	c := newClientDialect(prometheus.NewRegistry(), clock, slog.New(slog.NewTextHandler(log, nil)))
	logged := func() int { return strings.Count(log.String(), "cluster-autoscaler's dialect") }

	for range 3 {
		c.heard(t.Context(), dialect.CA129)
	}
	require.Equal(t, 1, logged())
	assert.Contains(t, log.String(), "dialect=1.29-1.34.1")

	// Two autoscalers at once: the change is told when a minute has passed.
	clock.SetTime(epoch.Add(dialectLogEvery - time.Nanosecond))
	for range 3 {
		c.heard(t.Context(), dialect.CA135)
		c.heard(t.Context(), dialect.CA129)
	}
	c.heard(t.Context(), dialect.CA135)
	assert.Equal(t, dialect.CA135, c.current())
	require.Equal(t, 1, logged())

	clock.SetTime(epoch.Add(dialectLogEvery))
	for range 3 {
		c.heard(t.Context(), dialect.CA135)
	}
	require.Equal(t, 2, logged())
	assert.Contains(t, log.String(), "dialect=1.35+ before=1.29-1.34.1")

	// A CA without any known signature is told of too.
	clock.SetTime(epoch.Add(2 * dialectLogEvery))
	c.heard(t.Context(), dialect.Unknown)
	require.Equal(t, 3, logged())
	assert.Equal(t, dialect.Unknown, c.current())
}
