package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/simulations/workload"
)

// half is a build that fills half of a node.
var half = workload.Shape{Job: "half", Classes: []string{"normal"}, MilliCPU: 8000, MemoryBytes: 16 * gib}

// TestBuildsOfOneInstantKeepTheirOrder: of pods that were created together, the one that
// was created first is placed first, whatever it asks for.
func TestBuildsOfOneInstantKeepTheirOrder(t *testing.T) {
	trace := workload.Trace{Start: monday, Shapes: []workload.Shape{quarter, half}}
	for _, shape := range []int32{1, 1, 0, 0} {
		trace.Builds = append(trace.Builds, workload.Build{Duration: time.Hour, Shape: shape, Wait: workload.UnknownWait})
	}
	r := run(t, settings(trace, normal("n", 0, 1)))
	assert.Equal(t, r.Builds[0].Started, r.Builds[1].Started)
	assert.Greater(t, r.Builds[2].Started, r.Builds[0].Started+time.Hour-time.Minute)
	assert.Greater(t, r.Builds[3].Started, r.Builds[0].Started+time.Hour-time.Minute)
}

// TestHintsHoldOnceAGroupHasHadANode: 18 builds fill six nodes to the last core. In a
// group that never had a node their packing is another in every loop, and sooner or
// later one finds no room. A group that had one remembers it, and with it where each
// build fitted.
func TestHintsHoldOnceAGroupHasHadANode(t *testing.T) {
	fresh := workload.Trace{Start: monday, Shapes: []workload.Shape{quarter, half}}
	for n := range 18 {
		shape := int32(0)
		if n%3 == 0 {
			shape = 1
		}
		fresh.Builds = append(fresh.Builds, workload.Build{Arrival: 2 * time.Hour, Duration: time.Hour, Shape: shape, Wait: workload.UnknownWait})
	}
	used := fresh
	used.Builds = append([]workload.Build{{Duration: 5 * time.Minute, Wait: workload.UnknownWait}}, fresh.Builds...)
	extra := func(trace workload.Trace, needed int) int {
		runs := 0
		for seed := range uint64(100) {
			s := settings(trace, normal("n", 0, 50))
			s.Seed = seed
			r := run(t, s)
			require.GreaterOrEqual(t, r.Groups[0].NodesAdded, needed)
			if r.Groups[0].NodesAdded > needed {
				runs++
			}
		}
		return runs
	}
	assert.Greater(t, extra(fresh, 6), 75)
	assert.InDelta(t, 35, extra(used, 7), 15)
}
