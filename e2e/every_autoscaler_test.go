package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
	"github.com/buildpool/buildpool/e2e/internal/binaries"
	"github.com/buildpool/buildpool/e2e/internal/metrics"
)

// release is a cluster-autoscaler, and what is to become of a node group's options
// with it.
type release struct {
	name string
	// module pins it.
	module  string
	dialect string
	// withheld is the reason why it gets no options; empty: they are in force.
	withheld string
	// serve are more flags of buildpool serve.
	serve []string
}

var releases = []release{
	{name: "1.26.4", module: "autoscalers/1.26.4", dialect: "1.25-1.28", withheld: "zeroes_max_node_provision_time"},
	{name: "1.30.1", module: "autoscalers/1.30.1", dialect: "1.29-1.34.1"},
	{name: "1.33.0", module: "autoscalers/1.33.0", dialect: "1.29-1.34.1"},
	{name: "1.36", module: newest, dialect: "1.35+", withheld: "zeroes_max_node_startup_time"},
	{name: "1.36 with options allowed", module: newest, dialect: "1.35+", serve: []string{"--allow-options-with-ca-1.35"}},
}

// newest is the module of the control plane, which pins the newest cluster-autoscaler.
const newest = "controlplane"

// How long a node must be unneeded before it goes: by CA's flag, and by the option of
// the spot group. So far apart that the log tells which was in force.
const (
	unneededFlag   = 3 * time.Second
	unneededOption = 12 * time.Second
)

// TestEveryAutoscaler: the real cluster-autoscaler of each wire dialect takes the
// groups from zero to the nodes that the builds need and back to zero. It sees the
// template as the node that then joins, and the options of a group if it may.
func TestEveryAutoscaler(t *testing.T) {
	var table compatibility
	for _, r := range releases {
		t.Run(r.name, func(t *testing.T) { table = append(table, zeroToZero(t, r)) })
	}
	if !t.Failed() {
		table.checkPublished(t)
	}
}

func zeroToZero(t *testing.T, r release) compatibilityRow {
	program := r.program(t)
	w := newWorld()
	w.SpotUnneeded, w.Serve = unneededOption, r.serve
	s := newScenario(t, w)
	s.startAutoscalerAs(autoscaler.Settings{Program: program, Flags: autoscaler.Flags{
		"scale-down-unneeded-time": unneededFlag.String(), "scale-down-delay-after-add": "2s",
	}})

	names := []string{"spot-a", "spot-b", "spot-c", "normal-a", "normal-b"}
	for _, name := range names[:3] {
		s.create(buildPod(name, spot, spot.whole))
	}
	for _, name := range names[3:] {
		s.create(buildPod(name, normal, normal.half))
	}
	s.eventually(60*time.Second, "every build to run on a node of its class", func(ctx context.Context) error {
		return errors.Join(
			s.expectSize(ctx, spot, 3), s.expectRunning(ctx, spot, 3),
			s.expectSize(ctx, normal, 1), s.expectRunning(ctx, normal, 2),
		)
	})
	assert.Empty(t, s.instances(gpu))
	spotNodes, normalNodes := s.nodeNames(spot), s.nodeNames(normal)
	s.expectWaste(spot, 3, spot.whole, 3)
	s.expectWaste(normal, 2, normal.half, 1)

	s.finish(names...)
	s.eventually(90*time.Second, "every node to go", func(ctx context.Context) error {
		return errors.Join(s.expectSize(ctx, spot, 0), s.expectSize(ctx, normal, 0))
	})
	s.expectIdle(normalNodes, unneededFlag, unneededOption)
	if r.withheld == "" {
		s.expectIdle(spotNodes, unneededOption, time.Minute)
	} else {
		s.expectIdle(spotNodes, unneededFlag, unneededOption)
	}
	s.expectWithheld(r.withheld)
	s.expectDialect(r.dialect)
	s.expectNoTrouble()
	return r.row(t)
}

// program builds the release's cluster-autoscaler if it has not been built yet.
func (r release) program(t *testing.T) string {
	t.Helper()
	if r.module == newest {
		return shared.programs.Autoscaler
	}
	program, err := binaries.Autoscaler(beforeDeadline(t), r.module, os.Stderr)
	require.NoError(t, err)
	return program
}

func (s *scenario) nodeNames(c class) []string {
	s.t.Helper()
	nodes, err := s.nodes(s.ctx, c)
	require.NoError(s.t, err)
	names := []string{}
	for _, node := range nodes {
		names = append(names, node.Name)
	}
	return names
}

// expectWaste checks the template as CA saw it when it scaled the group up from zero:
// what it then reckoned to be left unused of the template's capacity is what is left
// of the capacity of the nodes that came.
func (s *scenario) expectWaste(c class, pods int64, size corev1.ResourceList, nodes int64) {
	s.t.Helper()
	joined, err := s.nodes(s.ctx, c)
	require.NoError(s.t, err)
	require.NotEmpty(s.t, joined)
	capacity := joined[0].Status.Capacity
	wasted := func(available, used int64) float64 {
		return 100 * float64(available*nodes-used*pods) / float64(available*nodes)
	}
	cpu := wasted(capacity.Cpu().MilliValue(), size.Cpu().MilliValue())
	memory := wasted(capacity.Memory().Value(), size.Memory().Value())
	lines, err := s.autoscaler.Wastes(c.nodeGroup)
	require.NoError(s.t, err)
	require.NotEmpty(s.t, lines)
	assert.Contains(s.t, lines[0], fmt.Sprintf("would waste %.2f%% CPU, %.2f%% Memory", cpu, memory))
	plans, err := s.autoscaler.Plans()
	require.NoError(s.t, err)
	plan := fmt.Sprintf("%s 0->%d (max: 40)", c.nodeGroup, nodes)
	assert.Condition(s.t, func() bool { return anyContains(plans, plan) }, "no plan %q in %q", plan, plans)
}

// expectIdle checks that CA left the nodes unneeded for so long before it took them
// away.
func (s *scenario) expectIdle(nodes []string, atLeast, lessThan time.Duration) {
	s.t.Helper()
	unneeded, err := s.autoscaler.Unneeded()
	require.NoError(s.t, err)
	require.NotEmpty(s.t, nodes)
	for _, node := range nodes {
		assert.GreaterOrEqual(s.t, unneeded[node], atLeast, "node %s went too early", node)
		assert.Less(s.t, unneeded[node], lessThan, "node %s stayed too long", node)
	}
}

// expectWithheld checks the provider's own account of whom it gave options.
func (s *scenario) expectWithheld(reason string) {
	s.t.Helper()
	samples, err := s.provider.Samples(s.ctx)
	require.NoError(s.t, err)
	all := samples.Sum("buildpool_options_withheld_total", nil)
	if reason == "" {
		assert.Zero(s.t, all, "the options are in force")
		return
	}
	assert.Positive(s.t, all)
	assert.InDelta(s.t, all, samples.Sum("buildpool_options_withheld_total",
		metrics.Labels{"node_group": spot.nodeGroup, "reason": reason}), 0, "only the spot group has options")
}

func (s *scenario) expectDialect(dialect string) {
	s.t.Helper()
	samples, err := s.provider.Samples(s.ctx)
	require.NoError(s.t, err)
	heard := map[string]float64{}
	for name, value := range samples.By("buildpool_client_dialect", "dialect") {
		if value != 0 {
			heard[name] = value
		}
	}
	assert.Equal(s.t, map[string]float64{dialect: 1}, heard)
}

// expectNoTrouble checks that CA lives and that no error or warning of its log names
// its provider.
func (s *scenario) expectNoTrouble() {
	s.t.Helper()
	died, err := s.autoscaler.Died()
	require.NoError(s.t, err)
	assert.Empty(s.t, died)
	assert.True(s.t, s.autoscaler.Running())
	troubles, err := s.autoscaler.Troubles()
	require.NoError(s.t, err)
	assert.Empty(s.t, troubles, filepath.Base(s.autoscaler.LogPath()))
}
