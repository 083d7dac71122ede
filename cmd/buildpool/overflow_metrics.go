package main

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/buildpool/buildpool/overflow"
	"github.com/buildpool/buildpool/overflow/controller"
)

// overflowMetrics are what moving builds comes to.
type overflowMetrics struct {
	moved, refused *prometheus.CounterVec
	live, cost     *prometheus.GaugeVec
	saved          *prometheus.CounterVec
}

var _ controller.Observer = (*overflowMetrics)(nil)

func newOverflowMetrics(registerer prometheus.Registerer) *overflowMetrics {
	register := promauto.With(registerer)
	return &overflowMetrics{
		moved: register.NewCounterVec(prometheus.CounterOpts{
			Name: "buildpool_overflow_moved_total",
			Help: "Builds that were let onto a virtual node, by the rule that moved them.",
		}, []string{"class", "reason"}),
		refused: register.NewCounterVec(prometheus.CounterOpts{
			Name: "buildpool_overflow_refused_total",
			Help: "Builds that were not let onto a virtual node, each counted once for a reason.",
		}, []string{"class", "reason"}),
		live: register.NewGaugeVec(prometheus.GaugeOpts{
			Name: "buildpool_overflow_pods",
			Help: "Builds that are on virtual nodes.",
		}, []string{"class"}),
		cost: register.NewGaugeVec(prometheus.GaugeOpts{
			Name: "buildpool_overflow_cost_per_hour",
			Help: "What the builds on virtual nodes cost per hour, by overflow.price and in its currency; absent while that is not known.",
		}, []string{"class"}),
		saved: register.NewCounterVec(prometheus.CounterOpts{
			Name: "buildpool_overflow_wait_saved_seconds_total",
			Help: "How much sooner builds ran on a virtual node than a node asked for at that moment is predicted to have been there. Groups that could not grow would have taken longer.",
		}, []string{"class"}),
	}
}

// Moved implements controller.Observer.
func (m *overflowMetrics) Moved(class string, why overflow.Reason) {
	m.moved.WithLabelValues(class, string(why)).Inc()
}

// Refused implements controller.Observer.
func (m *overflowMetrics) Refused(class string, why overflow.Reason) {
	m.refused.WithLabelValues(class, string(why)).Inc()
}

// Live implements controller.Observer.
func (m *overflowMetrics) Live(class string, pods int, costPerHour float64) {
	m.live.WithLabelValues(class).Set(float64(pods))
	if costPerHour < 0 {
		m.cost.DeleteLabelValues(class)
		return
	}
	m.cost.WithLabelValues(class).Set(costPerHour)
}

// Saved implements controller.Observer.
func (m *overflowMetrics) Saved(class string, wait time.Duration) {
	m.saved.WithLabelValues(class).Add(wait.Seconds())
}
