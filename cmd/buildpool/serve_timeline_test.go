package main

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/timeline"
)

func TestLives(t *testing.T) {
	registry := prometheus.NewRegistry()
	now := testingclock.NewFakePassiveClock(threePM)
	l := newLives(time.Minute, now, nil, registry)
	assert.Equal(t, &waitsReport{Hours: 3, SLOSeconds: 60}, l.report(threePM), "nothing yet")

	l.Started("spot", 59*time.Second)
	l.Started("spot", time.Minute)
	assert.Zero(t, testutil.ToFloat64(l.tooLong.WithLabelValues("spot")), "as long as it may wait is not too long")
	for n := range 98 {
		l.Started("spot", time.Duration(n)*time.Millisecond)
	}
	l.Started("normal", 90*time.Second)
	assert.Equal(t, 1.0, testutil.ToFloat64(l.tooLong.WithLabelValues("normal")))
	assert.Equal(t, 60.0, testutil.ToFloat64(mustGather(t, registry, "buildpool_build_wait_slo_seconds")))
	r := l.report(threePM)
	assert.Equal(t, 101, r.Builds)
	assert.Equal(t, 1, r.TooLong)
	assert.InDelta(t, 0.050, r.P50Seconds, 0.001)
	assert.InDelta(t, 0.095, r.P95Seconds, 0.001)

	l.Passed("spot", timeline.Create, 12*time.Second)
	l.Tell(timeline.Object{Name: "n"}, "Reason", "without events it is said to nobody")
	count, err := testutil.GatherAndCount(registry, "buildpool_build_phase_duration_seconds", "buildpool_build_wait_duration_seconds")
	require.NoError(t, err)
	assert.Equal(t, 3, count)
	problems, err := testutil.GatherAndLint(registry)
	require.NoError(t, err)
	assert.Empty(t, problems)

	assert.Zero(t, l.report(threePM.Add(3*time.Hour+time.Second)).Builds, "what is older is not of late")
	for range 2 * waitsKept {
		l.Started("spot", time.Second)
	}
	assert.Equal(t, waitsKept, l.report(threePM).Builds, "no more than that is kept")
}

// mustGather makes a gauge that shows a metric's only series.
func mustGather(t *testing.T, registry *prometheus.Registry, name string) prometheus.Collector {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	g := prometheus.NewGauge(prometheus.GaugeOpts{Name: "shown"})
	for _, f := range families {
		if f.GetName() == name {
			g.Set(f.GetMetric()[0].GetGauge().GetValue())
		}
	}
	return g
}
