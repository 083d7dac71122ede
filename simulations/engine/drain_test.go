package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

// TestADrainedBuildGetsANodeBeforeItIsEvicted: a node with one build is drained because
// that would fit on the other node. While the node is about to be drained another build
// takes the room there; then cluster-autoscaler asks for a node at once, and not only
// when the evicted build waits.
func TestADrainedBuildGetsANodeBeforeItIsEvicted(t *testing.T) {
	const notice = 30 * time.Second
	play := func(late ...workload.Build) *engine.Result {
		trace := workload.Trace{Start: monday, Shapes: []workload.Shape{quarter}}
		for _, b := range []struct{ arrival, duration time.Duration }{
			{0, 3 * time.Hour}, {0, 3 * time.Hour}, {0, 3 * time.Hour}, {0, 5 * time.Minute}, {3 * time.Minute, 3 * time.Hour},
		} {
			trace.Builds = append(trace.Builds, workload.Build{Arrival: b.arrival, Duration: b.duration, Wait: workload.UnknownWait})
		}
		trace.Builds = append(trace.Builds, late...)
		s := settings(trace, normal("n", 0, 9))
		s.Autoscaler.EvictableBuilds = true
		s.Autoscaler.NodeDeleteDelayAfterTaint = notice
		return run(t, s)
	}
	alone := play()
	require.Len(t, alone.Nodes, 2)
	evicted := alone.Nodes[1].Removed
	require.Less(t, evicted, time.Hour)
	require.EqualValues(t, 1, alone.Builds[4].Interruptions)

	crowded := play(workload.Build{Arrival: evicted - notice + time.Second, Duration: time.Hour, Wait: workload.UnknownWait})
	require.Len(t, crowded.Nodes, 3)
	require.Equal(t, evicted, crowded.Nodes[1].Removed)
	require.Greater(t, crowded.Nodes[2].Requested, evicted-notice)
	require.Less(t, crowded.Nodes[2].Requested, evicted)
}
