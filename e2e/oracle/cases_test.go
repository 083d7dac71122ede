package oracle

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

// fidelityCase is a run of both.
type fidelityCase struct {
	name string
	// quick: it is part of the short run.
	quick bool
	// costly: a run of the oracle takes minutes.
	costly bool
	// seeds are the least runs of the oracle, where few do not show its spread.
	seeds int
	// trace of the case; it may skip the test.
	trace func(t *testing.T) workload.Trace
	with  []func(*engine.Settings)
}

func (c fidelityCase) settings(t *testing.T) engine.Settings {
	s := engine.Settings{
		Trace: c.trace(t), Expander: config.DefaultExpander(), Autoscaler: engine.DefaultAutoscaler(),
		Scheduler: engine.LeastAllocated, Currency: "CNY", AgentStart: 2 * time.Second,
		ClusterUnseen: true, // the oracle's provider is given none
	}
	s.Autoscaler.LoopTime = 100 * time.Millisecond
	for _, change := range c.with {
		change(&s)
	}
	return s
}

// profile makes a trace of a named profile.
func profile(name string, days int, perWeekday float64, parts ...workload.ClassShare) func(*testing.T) workload.Trace {
	return func(t *testing.T) workload.Trace {
		trace, err := workload.Generate(name, workload.Params{Days: days, BuildsPerWeekday: perWeekday, Seed: 1, Classes: parts})
		require.NoError(t, err)
		return trace
	}
}

// rush is so many builds an hour in pushes of several, for some time from 10:00 on.
func rush(perHour float64, span time.Duration, parts ...workload.ClassShare) func(*testing.T) workload.Trace {
	return func(*testing.T) workload.Trace { return pushes(perHour, span, parts) }
}

func groups(all ...engine.Group) func(*engine.Settings) {
	return func(s *engine.Settings) { s.Groups = all }
}

func withFlags(change func(*engine.Autoscaler)) func(*engine.Settings) {
	return func(s *engine.Settings) { change(&s.Autoscaler) }
}

func expanders(names ...string) func(*engine.Settings) {
	return withFlags(func(a *engine.Autoscaler) { a.Expander = names })
}

func unneeded(d time.Duration) func(*engine.Settings) {
	return withFlags(func(a *engine.Autoscaler) { a.ScaleDownUnneededTime = d })
}

// threeSizes are several groups of one class.
func threeSizes() func(*engine.Settings) {
	small, middle, big := group("small", config.ClassNormal, 8, 32, 100), normal("middle", 100), group("big", config.ClassNormal, 32, 128, 100)
	small.Config.Priority, middle.Config.Priority, big.Config.Priority = 10, 30, 20
	big.PricePerHour *= 0.9
	return groups(small, middle, big)
}

var mixed = []workload.ClassShare{smallBuild, mediumBuild, largeBuild}

var fidelityCases = []fidelityCase{
	{name: "real trace, 7 days", trace: realTrace(7), with: []func(*engine.Settings){groups(normal("normal", 100))}},
	{name: "real trace, 30 days", costly: true, trace: realTrace(30), with: []func(*engine.Settings){groups(normal("normal", 100))}},
	{name: "1,000 builds/h", trace: rush(1000, 3*time.Hour, mixed...), with: []func(*engine.Settings){groups(normal("normal", 500))}},
	{name: "5,000 builds/h", trace: rush(5000, time.Hour, mixed...), with: []func(*engine.Settings){groups(normal("normal", 500))}},
	{name: "20,000 builds/h, 10 min", costly: true, trace: rush(20000, 10*time.Minute, mixed...), with: []func(*engine.Settings){groups(normal("normal", 1000))}},
	{name: "three sizes, least-waste", trace: rush(300, 8*time.Hour, mixed...), with: []func(*engine.Settings){threeSizes()}},
	{name: "three sizes, random", trace: rush(300, 8*time.Hour, mixed...), with: []func(*engine.Settings){threeSizes(), expanders("random")}},
	{name: "three sizes, priority", trace: rush(300, 8*time.Hour, mixed...), with: []func(*engine.Settings){threeSizes(), expanders("priority")}},
	{name: "three sizes, price", trace: rush(300, 8*time.Hour, mixed...), with: []func(*engine.Settings){threeSizes(), expanders("price")}},
	{name: "three sizes, most-pods", trace: rush(300, 8*time.Hour, mixed...), with: []func(*engine.Settings){threeSizes(), expanders("most-pods")}},
	{name: "three sizes, least-nodes", trace: rush(300, 8*time.Hour, mixed...), with: []func(*engine.Settings){threeSizes(), expanders("least-nodes")}},
	{name: "three sizes, our own", trace: rush(300, 8*time.Hour, mixed...), with: []func(*engine.Settings){threeSizes(), expanders("grpc")}},
	// One build in twenty waits for a node, so that the 95th percentile stands at an edge.
	{name: "unneeded 1 min", seeds: 15, trace: rush(200, 8*time.Hour, mixed...), with: []func(*engine.Settings){groups(normal("normal", 100)), unneeded(time.Minute)}},
	{name: "unneeded 5 min", trace: rush(200, 8*time.Hour, mixed...), with: []func(*engine.Settings){groups(normal("normal", 100)), unneeded(5 * time.Minute)}},
	{name: "unneeded 30 min", trace: rush(200, 8*time.Hour, mixed...), with: []func(*engine.Settings){groups(normal("normal", 100)), unneeded(30 * time.Minute)}},
	{name: "spot with fallback, stock-out", trace: rush(300, 8*time.Hour, eitherBuild), with: []func(*engine.Settings){
		groups(spot("spot", 100, 0), normal("normal", 100)), expanders("grpc"), func(s *engine.Settings) {
			s.Stockouts = []engine.Stockout{{Group: "spot", From: 2 * time.Hour, Until: 4 * time.Hour, Stock: 2}}
		},
	}},
	{name: "stock-out without fallback", quick: true, trace: rush(300, 8*time.Hour, mixed...), with: []func(*engine.Settings){
		groups(normal("normal", 100)), func(s *engine.Settings) {
			s.Stockouts = []engine.Stockout{{Group: "normal", From: 2 * time.Hour, Until: 150 * time.Minute, Stock: 4}}
		},
	}},
	{name: "spot reclaims", trace: rush(300, 12*time.Hour, eitherBuild), with: []func(*engine.Settings){
		groups(spot("spot", 100, 0.5), normal("normal", 100)), expanders("price"),
	}},
	{name: "max reached", quick: true, trace: rush(300, 8*time.Hour, mixed...), with: []func(*engine.Settings){groups(normal("normal", 9))}},
	{name: "GPU mix", quick: true, trace: rush(300, 8*time.Hour, smallBuild, mediumBuild, gpuBuild), with: []func(*engine.Settings){
		groups(normal("normal", 100), gpu("gpu", 20)),
	}},
	{name: "a min of 6", quick: true, trace: rush(200, 8*time.Hour, mixed...), with: []func(*engine.Settings){groups(normal("normal", 100)), func(s *engine.Settings) { s.Groups[0].Config.Min = 6 }}},
	{name: "a warm window", trace: rush(200, 8*time.Hour, mixed...), with: []func(*engine.Settings){
		groups(normal("normal", 100)), warm, withFlags(func(a *engine.Autoscaler) { a.EnforceNodeGroupMinSize = true }),
	}},
	{name: "a warm window by the provider", quick: true, trace: rush(200, 8*time.Hour, mixed...), with: []func(*engine.Settings){
		groups(normal("normal", 100)), warm, func(s *engine.Settings) { s.Schedule.Mode = config.ScheduleByProvider },
	}},
	{name: "similar groups balanced", trace: rush(300, 8*time.Hour, mixed...), with: []func(*engine.Settings){
		groups(normal("one", 100), normal("two", 100)), withFlags(func(a *engine.Autoscaler) { a.BalanceSimilarNodeGroups = true }), likeOne,
	}},
	{name: "local scale-down delay", trace: rush(300, 8*time.Hour, mixed...), with: []func(*engine.Settings){
		groups(normal("normal", 100)), withFlags(func(a *engine.Autoscaler) { a.ScaleDownDelayTypeLocal = true }),
	}},
	{name: "loops every 10 s only", trace: rush(300, 8*time.Hour, mixed...), with: []func(*engine.Settings){
		groups(normal("normal", 100)), withFlags(func(a *engine.Autoscaler) { a.FrequentLoops = false }),
	}},
	// Some thirty builds are evicted in a run, twice one per cent of all: the 99th
	// percentile stands at the edge between those that ran for minutes and for long.
	{name: "drained", seeds: 15, trace: rush(200, 8*time.Hour, mixed...), with: []func(*engine.Settings){
		groups(normal("normal", 100)), withFlags(func(a *engine.Autoscaler) { a.EvictableBuilds = true }),
	}},
	{name: "most allocated", trace: rush(300, 8*time.Hour, mixed...), with: []func(*engine.Settings){
		groups(normal("normal", 100)), func(s *engine.Settings) { s.Scheduler = engine.MostAllocated },
	}},
	{name: "a weekday", trace: profile("afternoon", 1, 3000, mixed...), with: []func(*engine.Settings){groups(normal("normal", 100))}},
}

// warm keeps twelve nodes in the third to fifth hour of a trace of pushes, more than it
// needs by itself.
func warm(s *engine.Settings) {
	s.Schedule.Mode = config.ScheduleByAutoscaler
	lead := config.Duration(3 * time.Minute)
	s.Groups[0].Config.Schedules = []config.Window{{
		Cron: "0 12 * * 1-5", Duration: config.Duration(3 * time.Hour), Min: 12, Lead: &lead, TimeZone: "UTC",
	}}
}

// likeOne gives all groups one instance type: cluster-autoscaler takes only nodes with
// equal labels for similar.
func likeOne(s *engine.Settings) {
	for n := range s.Groups {
		s.Groups[n].Template.Labels["node.kubernetes.io/instance-type"] = "ecs.one.large"
	}
}
