package engine_test

import (
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/overflow"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

// eci is what ECI costs in Hangzhou, in CNY.
var eci = overflow.Price{PerCPU: 0.1764, PerGiB: 0.02205}

// virtual is a virtual node for the builds of the classes, which start there at once.
func virtual(p overflow.Policy, classes ...config.Class) *engine.Overflow {
	p.Price, p.TaintKey = eci, "virtual-kubelet.io/provider"
	o := &engine.Overflow{ScanInterval: 10 * time.Second, Every: time.Second}
	for _, c := range classes {
		o.Classes = append(o.Classes, engine.OverflowClass{Class: c, Policy: p})
	}
	return o
}

// full is a build that fills a node.
var full = workload.Shape{Classes: []string{"normal"}, MilliCPU: 16000, MemoryBytes: 60 * gib}

// atOnce are so many builds of one length that arrive together.
func atOnce(n int, takes time.Duration, shape workload.Shape) workload.Trace {
	t := workload.Trace{Start: monday, Shapes: []workload.Shape{shape}}
	for range n {
		t.Builds = append(t.Builds, workload.Build{Duration: takes, Wait: workload.UnknownWait})
	}
	return t
}

// TestOnlyTheSurplusMoves: of four builds two get the nodes that the group may have.
func TestOnlyTheSurplusMoves(t *testing.T) {
	s := settings(atOnce(4, 10*time.Minute, full), normal("a", 0, 2))
	s.Overflow = virtual(overflow.Policy{Start: overflow.Start{WhenBlocked: true}, Margin: time.Minute, MaxPods: 100}, config.ClassNormal)
	s.Overflow.Start = engine.Delay{Median: 15 * time.Second, P95: 15 * time.Second}
	s.AgentStart = 5 * time.Second
	r := run(t, s)
	moved := 0
	for _, b := range r.Builds {
		require.NotEqual(t, engine.Never, b.Ended)
		if !b.Virtual {
			assert.GreaterOrEqual(t, b.Node, int32(0))
			continue
		}
		moved++
		assert.Equal(t, int32(-1), b.Node)
		assert.Less(t, b.Started, 45*time.Second, "no later than two loops, 15 s to start and 5 s for the agent")
	}
	assert.Equal(t, 2, moved)
	require.Len(t, r.Overflow, 1)
	o := r.Overflow[0]
	assert.Equal(t, map[overflow.Reason]int{overflow.MovedAtMax: 2}, o.Moved)
	assert.Equal(t, 2, o.Peak)
	assert.Equal(t, 2*(10*time.Minute+20*time.Second), o.Billed, "from the move to the end")
	perHour := 16*0.1764 + 64*0.02205 // 60 GiB are rounded up to 64
	assert.InDelta(t, o.Billed.Hours()*perHour, o.Cost, 1e-9)
}

// TestOldBuildsMove: the age counts where the group could still grow, and builds that a
// node is on its way for stay.
func TestOldBuildsMove(t *testing.T) {
	s := settings(atOnce(3, time.Hour, full), normal("a", 0, 3))
	s.Groups[0].Boot = engine.Delay{Median: 5 * time.Minute, P95: 5 * time.Minute}
	s.Overflow = virtual(overflow.Policy{Start: overflow.Start{After: time.Minute}, MaxPods: 100}, config.ClassNormal)
	for _, b := range run(t, s).Builds {
		assert.False(t, b.Virtual, "its node comes in five minutes")
	}
	s.Stockouts = []engine.Stockout{{Group: "a", Until: 2 * time.Hour, Stock: 1}}
	moved := 0
	for _, b := range run(t, s).Builds {
		if b.Virtual {
			moved++
			// It triggered a scale-up in the first loop, whose node then was waited for.
			assert.Equal(t, 10*time.Second+5*time.Minute+time.Second, b.Started)
		}
	}
	assert.Equal(t, 2, moved)
}

// TestVirtualNodeFirst: with a delay longer than the age no node is ever made.
func TestVirtualNodeFirst(t *testing.T) {
	s := settings(atOnce(5, time.Minute, full), normal("a", 0, 5))
	s.Overflow = virtual(overflow.Policy{Start: overflow.Start{After: 15 * time.Second}, MaxPods: 100}, config.ClassNormal)
	s.Overflow.Classes[0].ScaleUpDelay = 40 * time.Second
	r := run(t, s)
	assert.Zero(t, r.Groups[0].ScaleUps)
	assert.Equal(t, 5, r.Overflow[0].Moved[overflow.MovedByAge])
	s.Overflow.Classes[0].ScaleUpDelay = 0
	assert.Equal(t, 1, run(t, s).Groups[0].ScaleUps)
}

// TestWhatTheVirtualNodeDoesNotTake: GPUs, more than 64 vCPU, labels it lacks.
func TestWhatTheVirtualNodeDoesNotTake(t *testing.T) {
	for name, shape := range map[string]workload.Shape{
		"gpu":   {Classes: []string{"normal"}, MilliCPU: 1000, MemoryBytes: gib, GPUs: 1},
		"huge":  {Classes: []string{"normal"}, MilliCPU: 65_000, MemoryBytes: gib},
		"label": {Classes: []string{"normal"}, MilliCPU: 1000, MemoryBytes: gib, Labels: map[string]string{"disk": "fast"}},
		"class": {Classes: []string{"spot"}, MilliCPU: 1000, MemoryBytes: gib},
	} {
		t.Run(name, func(t *testing.T) {
			s := settings(atOnce(3, time.Minute, shape), normal("a", 0, 1))
			s.Overflow = virtual(overflow.Policy{Start: overflow.Start{After: time.Second}, MaxPods: 100}, config.ClassNormal)
			for _, b := range run(t, s).Builds {
				assert.Equal(t, engine.Unplaced, b.Cause)
			}
			if name == "label" {
				s.Overflow.Labels = map[string]string{"disk": "fast"}
				assert.Equal(t, 3, run(t, s).Overflow[0].Moved[overflow.MovedByAge])
			}
		})
	}
}

func TestPriceOfTheVirtualNodeMustBeKnown(t *testing.T) {
	s := settings(atOnce(1, time.Minute, full), normal("a", 0, 1))
	s.Overflow = virtual(overflow.Policy{MaxPods: 1}, config.ClassNormal)
	s.Overflow.Classes[0].Policy.Price, s.Overflow.Every = overflow.Price{}, 0
	_, err := engine.Run(t.Context(), s, nil)
	require.ErrorContains(t, err, "overflow of class normal: the price of the virtual node is not known")
	require.ErrorContains(t, err, "the time between two decisions is not above 0")
}

// anyOverflow is a virtual node of any sort.
func anyOverflow(t *rapid.T) *engine.Overflow {
	after := func(what string) time.Duration {
		return time.Duration(rapid.IntRange(0, 300).Draw(t, what)) * time.Second
	}
	o := &engine.Overflow{ScanInterval: 10 * time.Second, Every: time.Duration(rapid.IntRange(1, 10).Draw(t, "every")) * time.Second}
	o.Start = engine.Delay{Median: 15 * time.Second, P95: time.Duration(rapid.IntRange(15, 60).Draw(t, "start")) * time.Second}
	for _, class := range []config.Class{config.ClassSpot, config.ClassNormal} {
		o.Classes = append(o.Classes, engine.OverflowClass{Class: class, Policy: overflow.Policy{
			Start: overflow.Start{
				After: after("after"), PredictedLater: after("later"), WhenBlocked: rapid.Bool().Draw(t, "whenBlocked"),
			},
			Margin: after("margin"), MaxPods: rapid.IntRange(0, 60).Draw(t, "maxPods"),
			MaxCostPerHour: float64(rapid.IntRange(0, 30).Draw(t, "maxCost")), Price: eci, TaintKey: "virtual-kubelet.io/provider",
		}})
	}
	if delay := after("delay"); rapid.Bool().Draw(t, "first") {
		o.Classes[0].ScaleUpDelay = delay
	}
	return o
}

// TestLimitsHold: neither pods nor money per hour go above what a class allows, and pods
// come no faster than the bucket lets them.
func TestLimitsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySettings(t)
		s.Overflow, s.TimelineStep, s.AgentStart = anyOverflow(t), 0, 0
		s.Overflow.Start = engine.Delay{}
		s.Images = nil
		r := run(t, s)
		type change struct {
			pods int
			cost float64
		}
		moves := map[time.Duration]int{}
		changes := make([]map[time.Duration]change, len(s.Overflow.Classes))
		for i := range changes {
			changes[i] = map[time.Duration]change{}
		}
		moved := 0
		for i, b := range r.Builds {
			if !b.Virtual {
				continue
			}
			moved++
			require.Equal(t, int32(-1), b.Group)
			shape := s.Trace.Shapes[s.Trace.Builds[i].Shape]
			class := 1
			if shape.Classes[len(shape.Classes)-1] == "spot" {
				class = 0
			}
			perHour := eci.PerHour(overflow.Billed{MilliCPU: shape.MilliCPU, MemoryBytes: shape.MemoryBytes})
			require.Zero(t, b.Started%s.Overflow.Every, "it moves when the controller decides")
			moves[b.Started]++
			at := changes[class][b.Started]
			changes[class][b.Started] = change{at.pods + 1, at.cost + perHour}
			at = changes[class][b.Ended]
			changes[class][b.Ended] = change{at.pods - 1, at.cost - perHour}
		}
		total := 0
		for c, class := range s.Overflow.Classes {
			var now change
			peak := 0
			for _, at := range inOrder(changes[c]) {
				now = change{now.pods + changes[c][at].pods, now.cost + changes[c][at].cost}
				peak = max(peak, now.pods)
				require.LessOrEqual(t, now.pods, class.Policy.MaxPods)
				if class.Policy.MaxCostPerHour > 0 {
					require.LessOrEqual(t, now.cost, class.Policy.MaxCostPerHour+1e-6)
				}
			}
			require.LessOrEqual(t, r.Overflow[c].Peak, class.Policy.MaxPods)
			require.GreaterOrEqual(t, r.Overflow[c].Peak, peak)
			for _, n := range r.Overflow[c].Moved {
				total += n
			}
		}
		require.Equal(t, moved, total)
		tokens, last := float64(overflow.Burst), time.Duration(0)
		for _, at := range inOrder(moves) {
			tokens = math.Min(overflow.Burst, tokens+overflow.PerSecond*(at-last).Seconds()) - float64(moves[at])
			last = at
			require.GreaterOrEqual(t, tokens, -1e-6)
		}
	})
}

// TestNobodyMovesWithoutARule: a virtual node that takes nobody changes nothing.
func TestNobodyMovesWithoutARule(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anySettings(t)
		s.TimelineStep, s.Overflow = time.Minute, nil
		without := run(t, s)
		s.Overflow = anyOverflow(t)
		for i := range s.Overflow.Classes {
			s.Overflow.Classes[i].ScaleUpDelay = 0
			s.Overflow.Classes[i].Policy.MaxPods = 0
		}
		with := run(t, s)
		for _, o := range with.Overflow {
			require.Equal(t, engine.OverflowResult{Class: o.Class, Moved: map[overflow.Reason]int{}}, o)
		}
		// Builds that only the virtual node could take wait for it instead of failing.
		for i := range with.Builds {
			if without.Builds[i].Cause == engine.Unplaced {
				return
			}
		}
		with.Overflow = nil
		require.True(t, reflect.DeepEqual(without, with), "the run is another one")
	})
}

func inOrder[T any](m map[time.Duration]T) []time.Duration {
	out := make([]time.Duration, 0, len(m))
	for at := range m {
		out = append(out, at)
	}
	slices.Sort(out)
	return out
}
