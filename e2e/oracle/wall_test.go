package oracle

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

var wallPath = flag.String("wall", "", "record of e2e's TestFidelityOnTheWallClock to hold the oracle and the engine against")

// wallRuns are many: each takes a fraction of a second, and the record is a single run.
const wallRuns = 60

// TestWall plays the builds of a quarter of an hour on the real control plane again, in
// the oracle and in the engine. Its own times are not in the record: that its scheduler,
// kubelet and API server are models must not show in the waits.
func TestWall(t *testing.T) {
	if *wallPath == "" {
		t.Skip("no record is given: -wall; see make fidelity-wall")
	}
	s := wallSettings(t, *wallPath)
	var real []time.Duration
	for _, b := range s.Trace.Builds {
		real = append(real, b.Wait)
	}
	slices.Sort(real)
	var theirs, ours []figures
	for seed := range wallRuns {
		s.Seed = uint64(seed) + 1
		run := Play(t, s, QuickNodes)
		theirs = append(theirs, figuresOf(s.Trace, &run.Result))
		r, err := engine.Run(context.Background(), s, nil)
		require.NoError(t, err)
		ours = append(ours, figuresOf(s.Trace, r))
	}
	wall := figures{P50: at(real, 50), P95: at(real, 95), P99: at(real, 99)}
	for _, m := range measures[2:] {
		spread := sorted(theirs, m.of)
		of := verdict{measure: m, low: spread[0], high: spread[len(spread)-1], engine: m.of(wall)}
		engines := sorted(ours, m.of)
		t.Logf("%s: control plane %.1f, oracle %.1f–%.1f, engine %.1f–%.1f", m.name, of.engine, of.low, of.high, engines[0], engines[len(engines)-1])
		assert.True(t, of.agrees(), "%s of the control plane is not the oracle's", m.name)
		of.engine = engines[len(engines)/2]
		assert.True(t, of.agrees(), "%s of the engine is not the oracle's", m.name)
	}
}

// wallSettings are e2e/fidelity_wall_test.go's in the oracle's terms.
func wallSettings(t *testing.T, path string) engine.Settings {
	trace, _, err := workload.ReadFile(path, workload.Options{Format: workload.CSV})
	require.NoError(t, err)
	milliCPU, memory, boot, most := wallNode(t, path)
	g := group("normal", config.ClassNormal, 4, 8, most)
	g.Template.Allocatable = g.Template.Capacity.DeepCopy()
	g.Template.Allocatable[corev1.ResourceCPU] = *resource.NewMilliQuantity(milliCPU, resource.DecimalSI)
	g.Template.Allocatable[corev1.ResourceMemory] = *resource.NewQuantity(memory, resource.BinarySI)
	g.Boot = engine.Delay{Median: boot, P95: boot}
	s := engine.Settings{
		Trace: trace, Groups: []engine.Group{g}, Expander: config.DefaultExpander(), Autoscaler: engine.DefaultAutoscaler(),
		Scheduler: engine.LeastAllocated, Currency: "CNY",
	}
	s.Autoscaler.LoopTime = 100 * time.Millisecond
	s.Autoscaler.ScaleDownUnneededTime, s.Autoscaler.ScaleDownDelayAfterAdd = 2*time.Minute, time.Minute
	s.Autoscaler.UnremovableNodeRecheckTimeout = time.Minute
	return s
}

// wallNode reads what a node of the record was like, and how many there might be.
func wallNode(t *testing.T, path string) (milliCPU, memory int64, boot time.Duration, most int) {
	file, err := os.Open(path)
	require.NoError(t, err)
	defer file.Close()
	line, err := bufio.NewReader(file).ReadString('\n')
	require.NoError(t, err)
	var text string
	_, err = fmt.Sscanf(strings.TrimSpace(line), "# node %dm %d %s max %d", &milliCPU, &memory, &text, &most)
	require.NoError(t, err, "the first line tells of a node")
	boot, err = time.ParseDuration(text)
	require.NoError(t, err)
	return milliCPU, memory, boot, most
}
