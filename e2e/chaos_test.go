package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
	"github.com/buildpool/buildpool/e2e/internal/simulator"
)

var chaosSeed = flag.Uint64("chaos.seed", 0, "seed of TestChaos; 0 takes another one each time and prints it")

const (
	chaosBuilds = 200
	// chaosArrivals is how long builds arrive, and things go wrong.
	chaosArrivals = 80 * time.Second
	// chaosKills is how often each of the three programs is killed at least.
	chaosKills = 3
)

// TestChaos: while 200 builds arrive, the provider, CA and the simulated account die
// by kill -9 again and again, every ESS call takes 2 s or fails, spot sells out, and
// a third of the spot nodes is taken back. In the end every build has run once to its
// end, or its controller started it again because the spot market took its node; the
// account was asked for no more than CA planned, instances = nodes = target, and then
// nothing is left.
func TestChaos(t *testing.T) {
	seed := *chaosSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("play it again with -chaos.seed=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	s := newScenario(t, newWorld())
	s.preferSpot()
	s.startAutoscalerAs(autoscaler.Settings{Timeout: "10s", Flags: autoscaler.Flags{
		"expander": "priority",
		// CA's own five minutes would outlast the test.
		"initial-node-group-backoff-duration": "3s", "max-node-group-backoff-duration": "10s", "node-group-backoff-reset-timeout": "15s",
	}})
	for _, fault := range []simulator.Fault{
		{"api": "*", "kind": "error", "status": 500, "code": "InternalError", "rate": 0.05},
		{"api": "*", "kind": "throttle", "rate": 0.105}, // of the rest: 10 % of all
		{"api": "*", "kind": "slow", "delay": "2s"},
	} {
		require.NoError(t, s.simulator.Inject(s.ctx, fault))
	}

	builds := s.startBuilds(chaosBuilds, chaosArrivals, random)
	killer := s.startKiller(rand.New(rand.NewPCG(seed, 1)))
	reclaimed := s.reclaimAThird(builds)
	s.sellOut(20 * time.Second)
	builds.allArrived()
	killer.stop()
	s.retry("faults to end", s.simulator.ClearFaults)
	t.Logf("%d builds have arrived, %d have ended; kills: %v", chaosBuilds, builds.ended(), killer.kills)

	s.eventually(2*time.Minute, "every build to end", builds.allEnded)
	assert.Empty(t, builds.lostFor(reclaimed), "builds lost their node, and not to the spot market")
	s.create(buildPod("held-spot", spot, spot.half), buildPod("held-normal", normal, normal.half))
	agree := func(ctx context.Context) error {
		return errors.Join(s.expectAgreement(ctx, spot, 1), s.expectAgreement(ctx, normal, 1), s.expectAgreement(ctx, gpu, 0))
	}
	// While CA takes idle nodes away the three differ for a moment each time.
	s.settles(90*time.Second, 4*time.Second, "instances = nodes = target", agree)
	s.finish("held-spot", "held-normal")
	nothing := func(ctx context.Context) error {
		return errors.Join(s.expectAgreement(ctx, spot, 0), s.expectAgreement(ctx, normal, 0), s.expectAgreement(ctx, gpu, 0))
	}
	s.eventually(60*time.Second, "nothing to be left", nothing)

	s.checkAccount()
	for program, n := range killer.kills {
		assert.GreaterOrEqual(t, n, chaosKills, program)
	}
	assert.Empty(t, killer.deaths, "programs that ended by themselves")
	t.Logf("%d attempts for %d builds", builds.attempts(), chaosBuilds)
}

// reclaimAThird waits for three spot nodes that builds run on and has the spot market
// take back a third of the group's nodes. It returns the names of those nodes.
func (s *scenario) reclaimAThird(b *builds) map[string]bool {
	s.t.Helper()
	var chosen []string
	s.eventually(2*time.Minute, "three spot nodes", func(ctx context.Context) error {
		group, err := s.simulator.Group(ctx, spot.scalingGroup)
		if err != nil {
			return err
		}
		var there []string
		for _, i := range group.Instances {
			if i.State == "InService" && b.runOn(nodeOf(i.ID)) {
				there = append(there, i.ID)
			}
		}
		if len(there) < 3 {
			return fmt.Errorf("builds run on %d spot nodes", len(there))
		}
		chosen = there[:(len(there)+2)/3]
		return nil
	})
	nodes := map[string]bool{}
	for _, id := range chosen {
		nodes[nodeOf(id)] = true
		s.retry("the reclaim of "+id, func(ctx context.Context) error {
			err := s.simulator.Reclaim(ctx, id, 2*time.Second)
			var gone *simulator.Refusal
			if errors.As(err, &gone) {
				return nil // the try before was heard, or CA was faster
			}
			return err
		})
	}
	s.t.Logf("the spot market takes back %d nodes", len(chosen))
	return nodes
}

// nodeOf is the name under which an instance joins.
func nodeOf(instance string) string { return "cn-hangzhou." + instance }

// sellOut leaves no spot instance to be had for a while.
func (s *scenario) sellOut(duration time.Duration) {
	s.t.Helper()
	set := func(count int) {
		for _, zone := range []string{"cn-hangzhou-h", "cn-hangzhou-i"} {
			s.retry("the stock of "+zone, func(ctx context.Context) error {
				return s.simulator.SetStock(ctx, zone, "ecs.c7.2xlarge", "spot", count)
			})
		}
	}
	set(0)
	select {
	case <-time.After(duration):
	case <-s.ctx.Done():
	}
	set(-1)
}

// retry repeats what a simulator that has just been killed may not have heard.
func (s *scenario) retry(what string, do func(context.Context) error) {
	s.t.Helper()
	s.eventually(60*time.Second, what, do)
}
