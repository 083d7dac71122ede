package oracle

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

// monday is when the traces here begin.
var monday = time.Date(2026, time.March, 2, 8, 0, 0, 0, time.UTC)

// pools are settings of groups whose nodes are there from the beginning to the end.
func pools(builds []workload.Build, shapes []workload.Shape, groups ...engine.Group) engine.Settings {
	slices.SortStableFunc(builds, func(a, b workload.Build) int { return cmp.Compare(a.Arrival, b.Arrival) })
	s := engine.Settings{
		Trace:  workload.Trace{Start: monday, Shapes: shapes, Builds: builds},
		Groups: groups, Expander: config.DefaultExpander(), Autoscaler: engine.DefaultAutoscaler(),
		Scheduler: engine.LeastAllocated, Currency: "CNY",
	}
	s.Autoscaler.LoopTime, s.Autoscaler.ScaleDownEnabled = 100*time.Millisecond, false
	return s
}

func pool(g engine.Group, nodes int) engine.Group {
	g.Config.Min, g.Config.Max = nodes, nodes
	return g
}

// TestTheEngineTriesBuildsInKubeSchedulersOrder: where each build takes a whole node of
// pools that never change, nothing but the order in which waiting builds are tried says
// when each starts. The oracle's is that of kube-scheduler's own queue, on the bubble's
// clock; the engine's has to be the same, build by build.
func TestTheEngineTriesBuildsInKubeSchedulersOrder(t *testing.T) {
	shapes := []workload.Shape{
		{Classes: []string{"normal"}, MilliCPU: 15000, MemoryBytes: gib},
		{Classes: []string{"normal"}, MilliCPU: 14000, MemoryBytes: gib},
		{Classes: []string{"spot"}, MilliCPU: 15000, MemoryBytes: gib},
		{Classes: []string{"spot"}, MilliCPU: 13000, MemoryBytes: gib},
	}
	for seed := range uint64(8) {
		chance := rand.New(rand.NewPCG(seed, 7))
		// From a few that wait to hundreds, and from an event in a minute to many a second.
		between, takes := 1+20*chance.Float64(), 5+90*chance.Float64()
		var builds []workload.Build
		for at := 1.0; len(builds) < 250; at += between * chance.ExpFloat64() {
			builds = append(builds, workload.Build{
				Arrival:  time.Duration(at * float64(time.Second)),
				Duration: time.Duration(takes * (0.1 + chance.ExpFloat64()) * float64(time.Second)),
				Shape:    int32(chance.IntN(len(shapes))), Wait: workload.UnknownWait,
			})
		}
		s := pools(builds, shapes, pool(normal("normal", 0), 1+chance.IntN(3)), pool(spot("spot", 0, 0), 1+chance.IntN(2)))
		theirs := Play(t, s)
		ours, err := engine.Run(context.Background(), s, nil)
		require.NoError(t, err)
		waiting := 0
		for n, b := range ours.Builds {
			if !assert.Equal(t, theirs.Result.Builds[n].Started, b.Started, "seed %d: start of build %d, which came at %v", seed, n, builds[n].Arrival) {
				return
			}
			if b.Started > builds[n].Arrival {
				waiting++
			}
		}
		require.Greater(t, waiting, 20, "seed %d: hardly a build waits", seed)
	}
}

// TestMoreNodesMayMeanMoreWaiting: kube-scheduler lets the latest go first where events
// come often, so that with a node more a long build may begin that would have waited
// else, and many short ones wait for it. So no model of it can promise that more nodes
// mean less waiting.
func TestMoreNodesMayMeanMoreWaiting(t *testing.T) {
	const unit = 20 * time.Second
	shapes := []workload.Shape{
		{Classes: []string{"normal"}, MilliCPU: 15000, MemoryBytes: gib}, {Classes: []string{"normal"}, MilliCPU: 10, MemoryBytes: 1 << 20},
	}
	var builds []workload.Build
	add := func(arrival, takes float64, shape int32) {
		builds = append(builds, workload.Build{
			Arrival: time.Minute + time.Duration(arrival*float64(unit)), Duration: time.Duration(takes * float64(unit)), Shape: shape, Wait: workload.UnknownWait,
		})
	}
	add(0, 10, 0)
	add(1, 3.9, 0)
	add(3, 100, 0) // these two wait for each other with one node,
	add(4, 100, 0) // and both begin before the short ones come with two
	add(4.8, 1.1, 0)
	for n := range 40 {
		add(10.5+0.85*float64(n), 0.9, 0)
	}
	for at := 0.013; at < 120; at += 0.05 { // whose ends are the events
		add(at, 0.04, 1)
	}
	waited := func(r *engine.Result, s engine.Settings) (sum time.Duration) {
		for n, b := range r.Builds {
			sum += b.Started - s.Trace.Builds[n].Arrival
		}
		return sum.Round(time.Minute)
	}
	var oracle, ours []time.Duration
	for _, nodes := range []int{1, 2} {
		s := pools(slices.Clone(builds), shapes, pool(normal("normal", 0), nodes))
		run := Play(t, s)
		oracle = append(oracle, waited(&run.Result, s))
		r, err := engine.Run(context.Background(), s, nil)
		require.NoError(t, err)
		ours = append(ours, waited(r, s))
	}
	t.Logf("with one node and with two, all builds wait %v", oracle)
	assert.Greater(t, oracle[1], 2*oracle[0])
	assert.Equal(t, oracle, ours)
}
