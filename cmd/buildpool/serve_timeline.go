package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/spf13/pflag"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/cluster"
	"github.com/buildpool/buildpool/timeline"
)

// timelineFlags say what is made of the lives of builds.
type timelineFlags struct {
	slo    time.Duration
	events bool
}

func (f *timelineFlags) register(flags *pflag.FlagSet) {
	flags.DurationVar(&f.slo, "build-wait-slo", 5*time.Minute, "count builds that waited longer than this, from their pod's creation until it ran; needs a watched cluster")
	flags.BoolVar(&f.events, "events", true, "write Kubernetes events that say what was done for a pod or with a node; needs a watched cluster")
}

func (f timelineFlags) check() error {
	if f.slo <= 0 {
		return fmt.Errorf("--build-wait-slo is %v, but must be positive", f.slo)
	}
	return nil
}

// waitBuckets suit what is between a node that is there and one that has to be made, in
// seconds.
var waitBuckets = []float64{1, 2, 5, 10, 20, 30, 45, 60, 90, 120, 180, 240, 300, 450, 600, 900, 1800, 3600}

// lives turns what the timeline tells into metrics, events and the page's waits.
type lives struct {
	slo    time.Duration
	clock  clock.PassiveClock
	events *cluster.Events // nil: none are written

	phases  *prometheus.HistogramVec
	waits   *prometheus.HistogramVec
	tooLong *prometheus.CounterVec

	mu     sync.Mutex
	latest []recentWait // oldest first
}

var _ timeline.Listener = (*lives)(nil)

func newLives(slo time.Duration, c clock.PassiveClock, events *cluster.Events, registerer prometheus.Registerer) *lives {
	register := promauto.With(registerer)
	register.NewGauge(prometheus.GaugeOpts{
		Name: "buildpool_build_wait_slo_seconds",
		Help: "How long a build may wait (--build-wait-slo).",
	}).Set(slo.Seconds())
	return &lives{
		slo: slo, clock: c, events: events,
		phases: register.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "buildpool_build_phase_duration_seconds",
			Help:    "How long builds and their nodes spent in each phase of their lives: decide, create, register, ready, gpu, wait, bind, start, image, run, idle.",
			Buckets: waitBuckets,
		}, []string{"node_group", "phase"}),
		waits: register.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "buildpool_build_wait_duration_seconds",
			Help:    "How long builds waited, from their pod's creation until its containers ran.",
			Buckets: waitBuckets,
		}, []string{"node_group"}),
		tooLong: register.NewCounterVec(prometheus.CounterOpts{
			Name: "buildpool_build_wait_slo_exceeded_total",
			Help: "Builds that waited longer than --build-wait-slo, counted when they ran.",
		}, []string{"node_group"}),
	}
}

// Passed implements timeline.Listener.
func (l *lives) Passed(group string, phase timeline.Phase, took time.Duration) {
	l.phases.WithLabelValues(group, string(phase)).Observe(took.Seconds())
}

// Started implements timeline.Listener.
func (l *lives) Started(group string, waited time.Duration) {
	l.waits.WithLabelValues(group).Observe(waited.Seconds())
	exceeded := l.tooLong.WithLabelValues(group) // also makes the series, at 0
	if waited > l.slo {
		exceeded.Inc()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.latest) == waitsKept {
		l.latest = append(l.latest[:0:0], l.latest[1:]...)
	}
	l.latest = append(l.latest, recentWait{at: l.clock.Now(), waited: waited})
}

// Tell implements timeline.Listener.
func (l *lives) Tell(about timeline.Object, reason, sentence string) {
	switch {
	case l.events == nil:
	case about.Namespace == "":
		l.events.Node(about.Name, about.UID, reason, sentence)
	default:
		l.events.Pod(about.Namespace, about.Name, about.UID, reason, sentence)
	}
}

const (
	// waitsKept is how many builds' waits are remembered for the page, and waitsShown
	// how old they may be.
	waitsKept  = 2000
	waitsShown = 3 * time.Hour
)

type recentWait struct {
	at     time.Time
	waited time.Duration
}

// waitsReport is how long builds waited of late.
type waitsReport struct {
	// Hours is how far back it looks, Builds how many ran since.
	Hours  float64 `json:"hours"`
	Builds int     `json:"builds"`
	// P50Seconds and P95Seconds are of their waits; 0 if there are none.
	P50Seconds float64 `json:"p50Seconds"`
	P95Seconds float64 `json:"p95Seconds"`
	// TooLong are those above SLOSeconds.
	SLOSeconds float64 `json:"sloSeconds"`
	TooLong    int     `json:"tooLong"`
}

// report sums the latest waits up.
func (l *lives) report(now time.Time) *waitsReport {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := &waitsReport{Hours: waitsShown.Hours(), SLOSeconds: l.slo.Seconds()}
	var waits []time.Duration
	for _, w := range l.latest {
		if now.Sub(w.at) > waitsShown {
			continue
		}
		waits = append(waits, w.waited)
		if w.waited > l.slo {
			r.TooLong++
		}
	}
	slices.Sort(waits)
	if r.Builds = len(waits); r.Builds > 0 {
		r.P50Seconds = waits[(r.Builds-1)/2].Seconds()
		r.P95Seconds = waits[(r.Builds-1)*95/100].Seconds()
	}
	return r
}

// openTimeline follows builds and nodes where the cluster is watched.
func (s *serving) openTimeline(ctx context.Context) error {
	if s.cluster == nil {
		return nil
	}
	if s.flags.timeline.events {
		s.events = cluster.NewEvents(context.WithoutCancel(ctx), s.client, s.env.clock, s.log)
	}
	s.lives = newLives(s.flags.timeline.slo, s.env.clock, s.events, s.metrics)
	tracker := timeline.New(s.env.clock, func(instanceID string) (timeline.Birth, bool) {
		b, ok := s.provider.BirthOf(instanceID)
		return timeline.Birth(b), ok
	}, s.cluster.Node, s.lives)
	if err := s.cluster.OnNode(tracker.Node); err != nil {
		return err
	}
	return s.cluster.OnPod(tracker.Pod)
}

// tellRemoved writes on their nodes that instances are being removed.
func (s *serving) tellRemoved(group string, instanceIDs []string) {
	if s.events == nil {
		return
	}
	for _, id := range instanceIDs {
		for _, n := range s.cluster.NodesOf(id) {
			s.events.Node(n.Name, n.UID, "RemovedFromNodeGroup", fmt.Sprintf("cluster-autoscaler asked for it: instance %s is being removed from node group %s.", id, group))
		}
	}
}

// tellKept writes on a build, and on its node, that the node was to go and stays.
func (s *serving) tellKept(instanceID string, build *cloudprovider.Pod) {
	if s.events == nil {
		return
	}
	s.events.Pod(build.Namespace, build.Name, build.UID, "KeptNode", fmt.Sprintf("cluster-autoscaler asked to remove node %s; it stays because this pod runs on it.", build.Node))
	for _, n := range s.cluster.NodesOf(instanceID) {
		s.events.Node(n.Name, n.UID, "KeptInNodeGroup", fmt.Sprintf("cluster-autoscaler asked to remove it; it stays because pod %s runs on it.", build))
	}
}
