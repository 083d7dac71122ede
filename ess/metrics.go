package ess

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"
)

// metrics are what the account costs us in requests.
type metrics struct {
	requests  *prometheus.CounterVec
	duration  *prometheus.HistogramVec
	retries   *prometheus.CounterVec
	limitWait *prometheus.CounterVec
}

func newMetrics(registerer prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "buildpool_ess_requests_total",
			Help: "Requests sent to Alibaba Cloud, each attempt counted, by API and by the answer's error code: OK, the cloud's own code, or network, timeout, canceled, unreadable, refused, credentials, http_<status>.",
		}, []string{"api", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "buildpool_ess_request_duration_seconds",
			Help:    "Time from sending a request to Alibaba Cloud to the end of its answer.",
			Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"api"}),
		retries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "buildpool_ess_retries_total",
			Help: "Attempts beyond the first of a call to Alibaba Cloud.",
		}, []string{"api"}),
		limitWait: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "buildpool_ess_limit_wait_seconds_total",
			Help: "Time that requests waited before they were sent: for the rate limit of our own, or because the cloud had throttled the API.",
		}, []string{"api"}),
	}
	if registerer == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.requests, m.duration, m.retries, m.limitWait} {
		if err := registerer.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// withMetrics counts and times every attempt. It is the innermost ring: the account's
// quota is spent by attempts, not by calls.
func withMetrics(next caller, c clock.PassiveClock, m *metrics) caller {
	return func(ctx context.Context, to call) error {
		began := c.Now()
		err := next(ctx, to)
		m.duration.WithLabelValues(to.api).Observe(c.Since(began).Seconds())
		label := "OK"
		if f := asFailure(err); f != nil {
			label = f.label
		}
		m.requests.WithLabelValues(to.api, label).Inc()
		return err
	}
}
