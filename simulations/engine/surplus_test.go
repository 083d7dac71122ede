package engine

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"pgregory.net/rapid"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/overflow"
	"github.com/buildpool/buildpool/simulations/workload"
)

// drawWorld has builds that fill a node each, so that the surplus can be counted.
func drawWorld(t *rapid.T) *world {
	after := func(what string) time.Duration {
		return time.Duration(rapid.IntRange(0, 240).Draw(t, what)) * time.Second
	}
	trace := workload.Trace{Start: time.Unix(1_700_000_000, 0), Shapes: []workload.Shape{{Classes: []string{"normal"}, MilliCPU: 4000, MemoryBytes: 1 << 30}}}
	at := time.Duration(0)
	for range rapid.IntRange(1, 80).Draw(t, "builds") {
		at += time.Duration(rapid.IntRange(0, 60_000).Draw(t, "pause")) * time.Millisecond
		trace.Builds = append(trace.Builds, workload.Build{Arrival: at, Duration: 5*time.Second + 3*after("takes")})
	}
	flags := DefaultAutoscaler()
	flags.FrequentLoops = rapid.Bool().Draw(t, "frequent")
	s := &Settings{Trace: trace, Autoscaler: flags, Expander: config.DefaultExpander(), Scheduler: LeastAllocated, Seed: rapid.Uint64().Draw(t, "seed")}
	for _, name := range []string{"a", "b"} {
		s.Groups = append(s.Groups, Group{
			Config:   config.Group{Name: name, Class: config.ClassNormal, Max: rapid.IntRange(1, 15).Draw(t, "max")},
			Template: templateOf(4000), PricePerHour: 1, Refusal: 20 * time.Second,
			Boot: Delay{Median: 90 * time.Second, P95: time.Duration(rapid.IntRange(90, 300).Draw(t, "boot")) * time.Second},
		})
	}
	s.Stockouts = []Stockout{{Group: "a", From: 5 * time.Minute, Until: 15 * time.Minute, Stock: rapid.IntRange(0, 5).Draw(t, "stock")}}
	s.Overflow = &Overflow{ScanInterval: 10 * time.Second, Every: time.Second, Start: Delay{Median: 20 * time.Second}, Classes: []OverflowClass{{
		Class: config.ClassNormal,
		Policy: overflow.Policy{
			Start:  overflow.Start{After: after("after"), PredictedLater: after("later"), WhenBlocked: rapid.Bool().Draw(t, "whenBlocked")},
			Margin: after("margin"), MaxPods: rapid.IntRange(0, 50).Draw(t, "maxPods"), Price: overflow.Price{PerCPU: 1},
		},
	}}}
	w, err := newWorld(s)
	require.NoError(t, err)
	return w
}

func templateOf(milliCPU int64) cloudprovider.NodeTemplate {
	all := corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewMilliQuantity(milliCPU, resource.DecimalSI),
		corev1.ResourceMemory: *resource.NewQuantity(8<<30, resource.BinarySI),
		corev1.ResourcePods:   *resource.NewQuantity(110, resource.DecimalSI),
	}
	return cloudprovider.NodeTemplate{Capacity: all, Allocatable: all}
}

// surplus counts the builds that no node is on its way for that is not late.
func (w *world) surplus() int {
	coming := 0
	for g := range w.groups {
		group := &w.groups[g]
		limit := w.settings.Groups[g].Boot.typical() + w.settings.Overflow.Classes[0].Policy.Margin
		for _, id := range group.creating {
			if w.nodes[id].state == creating && w.now <= w.result.Nodes[id].Requested+limit {
				coming++
			}
		}
	}
	return w.demands[0].waiting.len() - coming
}

// quiet checks that the controller would move nobody in the slots that it does not look
// at, up to the next step of the run.
func (w *world) quiet(t *rapid.T) {
	began, class := w.now, &w.overflow.classes[0]
	defer func() { w.now = began }()
	next := min(w.events.next(), w.scaler.next)
	if w.next < len(w.settings.Trace.Builds) {
		next = min(next, w.settings.Trace.Builds[w.next].Arrival)
	}
	next = min(next, began+10*time.Second)
	for w.now = w.overflow.slot(began); w.now < next && w.now != w.overflow.due; w.now += w.settings.Overflow.Every {
		situation, _ := w.overflow.situation(0)
		verdicts, _ := class.policy.Decide(situation)
		for _, v := range verdicts {
			require.False(t, v.Moves, "%s, at %s", v.Reason, w.now)
		}
	}
}

// TestNoMoreMoveThanAreSurplus looks at every step of a run: only so many builds move as
// have no node on its way, and in the slots that are skipped none would.
func TestNoMoreMoveThanAreSurplus(t *testing.T) {
	moves := 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		w.begin()
		for {
			w.quiet(t)
			class := &w.overflow.classes[0]
			live, before := class.live, 0
			decides := len(w.events.heap) > 0 && w.events.heap[0].kind == overflowDecides && w.events.next() <= w.scaler.next &&
				(w.next == len(w.settings.Trace.Builds) || w.events.next() <= w.settings.Trace.Builds[w.next].Arrival)
			if decides {
				w.now = w.events.next()
				before = w.surplus()
			}
			if !w.step() {
				break
			}
			if moved := class.live - live; decides {
				require.LessOrEqual(t, moved, max(before, 0), "at %s", w.now)
				moves += moved
			}
		}
		ended := 0
		for _, b := range w.finish().Builds {
			if b.Ended != Never {
				ended++
			}
		}
		require.Equal(t, w.done, ended)
	})
	require.NotZero(t, moves)
}
