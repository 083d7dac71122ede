package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

// spotSettings are a group of spot instances of whole-node builds, of which one arrives
// at each instant and takes so long.
func spotSettings(policy config.Spot, takes time.Duration, arrivals ...time.Duration) engine.Settings {
	trace := workload.Trace{Start: monday, Shapes: []workload.Shape{{Classes: []string{"spot"}, MilliCPU: 15000, MemoryBytes: gib}}}
	for _, at := range arrivals {
		trace.Builds = append(trace.Builds, workload.Build{Arrival: at, Duration: takes, Wait: workload.UnknownWait})
	}
	g := normal("spot", 0, 10)
	g.Config.Class, g.Config.Spot = config.ClassSpot, policy
	g.Spot = &engine.Spot{Protected: time.Hour, Notice: 5 * time.Minute, ReclaimsPerHour: 1e6}
	return settings(trace, g)
}

func TestASpotInstanceIsReplacedAtItsNotice(t *testing.T) {
	long := 3 * time.Hour
	replaced := run(t, spotSettings(config.Spot{OnReclaimNotice: config.ReclaimReplaced}, long, time.Minute))
	cordoned := run(t, spotSettings(config.Spot{OnReclaimNotice: config.ReclaimCordoned}, long, time.Minute))
	first := replaced.Nodes[0]
	end := first.Created + time.Hour
	require.InDelta(t, end.Seconds(), first.Removed.Seconds(), 1, "the build runs on until the instance is taken")
	second := replaced.Nodes[1].Created
	require.GreaterOrEqual(t, second, end-5*time.Minute)
	require.Less(t, second, end-5*time.Minute+20*time.Second, "the notice is read within twenty seconds")
	require.GreaterOrEqual(t, cordoned.Nodes[1].Created, cordoned.Nodes[0].Removed, "only closed, not replaced")
	require.Positive(t, replaced.Builds[0].Interruptions)
	require.EqualValues(t, replaced.Groups[0].Reclaimed, replaced.Builds[0].Interruptions)
	require.InDelta(t, replaced.Groups[0].Reclaimed+1, len(replaced.Nodes), 1, "each instance is replaced once")
}

func TestAnUnneededSpotInstanceIsNotReplacedAhead(t *testing.T) {
	s := spotSettings(config.Spot{OnReclaimNotice: config.ReclaimReplaced}, time.Minute, time.Minute)
	s.Autoscaler.ScaleDownEnabled = false
	s.Horizon = 64 * time.Minute
	for _, unseen := range []bool{false, true} {
		s.ClusterUnseen = unseen
		r := run(t, s)
		require.Len(t, r.Nodes, 2)
		require.Equal(t, unseen, r.Nodes[1].Created < r.Nodes[0].Removed, "what cannot be seen may be needed")
	}
}

func TestANodeNearItsProtectionsEndTakesNoBuilds(t *testing.T) {
	after := config.Duration(50 * time.Minute)
	at := []time.Duration{time.Minute, 53 * time.Minute}
	s := spotSettings(config.Spot{OnReclaimNotice: config.ReclaimIgnored, DrainAfter: &after}, 2*time.Minute, at...)
	s.Autoscaler.ScaleDownUnneededTime = 2 * time.Hour
	closed := run(t, s)
	require.Zero(t, closed.Builds[0].Node)
	require.NotZero(t, closed.Builds[1].Node, "the first node is 52 minutes old")
	s.Groups[0].Config.Spot.DrainAfter = nil
	require.Zero(t, run(t, s).Builds[1].Node)
}
