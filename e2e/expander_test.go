package e2e

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
	"github.com/buildpool/buildpool/e2e/internal/certificates"
	"github.com/buildpool/buildpool/e2e/internal/metrics"
	"github.com/buildpool/buildpool/e2e/internal/process"
)

// TestExpanderSpotFirst: of a mixed backlog the builds that take either class go to
// spot, by buildpool's own choice, and those that take normal only to normal.
func TestExpanderSpotFirst(t *testing.T) {
	s, expander := newExpanderScenario(t, newWorld())
	for i := range 3 {
		s.create(spotOrNormal(fmt.Sprintf("either-%d", i)))
	}
	// It fits beside another build, which the scheduler may bind to its node.
	small := requests("500m", "512Mi")
	s.create(buildPod("spot-only", spot, spot.half), buildPod("normal-only", normal, small))
	s.startAutoscaler(expander)

	settled := func(ctx context.Context) error {
		// Two of the builds fill a spot node, whether they need spot or not.
		return errors.Join(s.expectRunning(ctx, class{}, 5), s.expectSize(ctx, spot, 2), s.expectSize(ctx, normal, 1))
	}
	s.eventually(60*time.Second, "the backlog to run", settled)
	s.holds(5*time.Second, "the right nodes", settled)
	s.expectPlans("builds-spot 0->2 (max: 40)", "builds-normal 0->1 (max: 40)")
	assert.Positive(t, s.chosen(spot, "tier"), "buildpool chose spot, as its tier comes first")
	assert.Positive(t, s.chosen(normal, "only_option"))
	s.expectNoTrouble()
}

// TestExpanderStockout: with spot sold out the builds go to normal in the loop in
// which that shows, or the next. A new CA, which has not seen the failure, is not sent
// to spot either.
func TestExpanderStockout(t *testing.T) {
	w := newWorld()
	w.SpotSoldOut = true
	s, expander := newExpanderScenario(t, w)
	for i := range 3 {
		s.create(spotOrNormal(fmt.Sprintf("build-%d", i)))
	}
	s.startAutoscaler(expander)
	s.eventually(60*time.Second, "the builds to run on normal nodes", func(ctx context.Context) error {
		return errors.Join(s.expectRunning(ctx, class{}, 3), s.expectSize(ctx, normal, 3), s.expectSize(ctx, spot, 0))
	})
	s.expectPlans("builds-spot 0->2 (max: 40)", "builds-normal 0->3 (max: 40)")
	loops, err := s.autoscaler.LoopsBetween(
		regexp.MustCompile(`Disabling scale-up for node group builds-spot`),
		regexp.MustCompile(`Final scale-up plan: .*builds-normal`))
	require.NoError(t, err)
	assert.LessOrEqual(t, loops, 1, "main loops from the failure of spot to the plan for normal")

	s.startAutoscalerAs(autoscaler.Settings{Flags: expander, Dir: s.subdirectory("second-autoscaler")})
	s.create(spotOrNormal("late-0"), spotOrNormal("late-1"))
	s.eventually(60*time.Second, "the late builds to run on normal nodes", func(ctx context.Context) error {
		return errors.Join(s.expectRunning(ctx, class{}, 5), s.expectSize(ctx, normal, 5), s.expectSize(ctx, spot, 0))
	})
	plans, err := s.autoscaler.Plans()
	require.NoError(t, err)
	require.NotEmpty(t, plans)
	assert.NotContains(t, fmt.Sprint(plans), spot.nodeGroup, "buildpool remembers what this CA has not seen")
	skipped, err := s.provider.Sum(s.ctx, "buildpool_expander_skipped_total",
		metrics.Labels{"node_group": spot.nodeGroup, "reason": "out_of_stock"})
	require.NoError(t, err)
	assert.Positive(t, skipped)
	s.expectNoTrouble()
}

// TestExpanderDown: CA scales up although nobody answers at its expander's address.
func TestExpanderDown(t *testing.T) {
	s, expander := newExpanderScenario(t, newWorld())
	nobody, err := process.FreeAddress()
	require.NoError(t, err)
	expander["grpc-expander-url"] = nobody
	s.create(spotOrNormal("build-0"), spotOrNormal("build-1"))
	s.startAutoscaler(expander)

	s.eventually(60*time.Second, "the builds to run", func(ctx context.Context) error { return s.expectRunning(ctx, class{}, 2) })
	failures, err := s.autoscaler.LogLines(regexp.MustCompile(`GRPC call failed, no options filtered`))
	require.NoError(t, err)
	assert.NotEmpty(t, failures, "CA has asked")
	choices, err := s.provider.Sum(s.ctx, "buildpool_expander_choices_total", nil)
	require.NoError(t, err)
	assert.Zero(t, choices)
}

// newExpanderScenario serves the expander beside the provider, by TLS as CA demands,
// and returns CA's flags for it.
func newExpanderScenario(t *testing.T, w world) (*scenario, autoscaler.Flags) {
	t.Helper()
	s := newBareScenario(t)
	files := s.firstTryCertificates()
	address, err := process.FreeAddress()
	require.NoError(t, err)
	w.Serve = append(w.Serve, "--expander-address", address,
		"--expander-tls-cert", files.Server.Cert, "--expander-tls-key", files.Server.Key)
	s.startSimulator(w)
	s.startProvider(w)
	return s, autoscaler.Flags{
		"expander": "grpc", "grpc-expander-url": address, "grpc-expander-cert": files.Authority,
	}
}

func (s *scenario) firstTryCertificates() certificates.Files {
	s.t.Helper()
	files, err := certificates.FirstTry(s.ctx, shared.buildpool, s.subdirectory("certificates"), "127.0.0.1")
	require.NoError(s.t, err)
	return files
}

// chosen is how often the expander chose the class's group for the reason.
func (s *scenario) chosen(c class, reason string) float64 {
	s.t.Helper()
	times, err := s.provider.Sum(s.ctx, "buildpool_expander_choices_total",
		metrics.Labels{"node_group": c.nodeGroup, "reason": reason})
	require.NoError(s.t, err)
	return times
}
