package autoscaler

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/e2e/internal/process"
)

// logged is an autoscaler that has printed the log and ended.
func logged(t *testing.T, log string) *Autoscaler {
	t.Helper()
	dir := t.TempDir()
	p, err := process.Start(process.Spec{Name: "cluster-autoscaler", Path: "/bin/true", LogDir: dir})
	require.NoError(t, err)
	p.Stop(5 * time.Second)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cluster-autoscaler.log"), []byte(log), 0o644))
	return &Autoscaler{Process: p}
}

func TestWhatTheLogTells(t *testing.T) {
	ca := logged(t, `I1123 11:00:00.000000    7 static_autoscaler.go:317] Starting main loop
I1123 11:00:00.100000    7 waste.go:56] Expanding Node Group a would waste 25.00% CPU, 50.00% Memory, 37.50% Blended
I1123 11:00:00.200000    7 orchestrator.go:177] Final scale-up plan: [{a 0->1 (max: 40)}]
I1123 11:00:01.500000    7 static_autoscaler.go:317] Starting main loop
W1123 11:00:01.600000    7 clusterstate.go:1] Disabling scale-up for node group a until later
I1123 11:00:01.700000    7 static_autoscaler.go:317] Starting main loop
I1123 11:00:01.800000    7 orchestrator.go:177] Final scale-up plan: [{b 0->1 (max: 40)}]
I1123 11:00:01.900000    7 nodes.go:123] n1 was unneeded for 3.5s
I1123 11:00:01.950000    7 nodes.go:123] n1 was unneeded for 4.5s
I1123 11:00:01.960000    7 nodes.go:123] n2 was unneeded for 0s
I1123 11:00:01.970000    7 externalgrpc_node_group.go:99] Performing gRPC call
`)
	plans, err := ca.Plans()
	require.NoError(t, err)
	assert.Len(t, plans, 2)
	times, err := ca.LoopTimes()
	require.NoError(t, err)
	assert.Equal(t, []time.Duration{1500 * time.Millisecond, 200 * time.Millisecond}, times)
	unneeded, err := ca.Unneeded()
	require.NoError(t, err)
	assert.Equal(t, map[string]time.Duration{"n1": 4500 * time.Millisecond, "n2": 0}, unneeded)
	wastes, err := ca.Wastes("a")
	require.NoError(t, err)
	assert.Len(t, wastes, 1)
	wastes, err = ca.Wastes("b")
	require.NoError(t, err)
	assert.Empty(t, wastes)
	loops, err := ca.LoopsBetween(backoffPattern, regexp.MustCompile(`plan: .*\{b `))
	require.NoError(t, err)
	assert.Equal(t, 1, loops)
	_, err = ca.LoopsBetween(backoffPattern, regexp.MustCompile(`plan: .*\{a `))
	require.Error(t, err, "that was before")
	troubles, err := ca.Troubles()
	require.NoError(t, err)
	assert.Empty(t, troubles)
	died, err := ca.Died()
	require.NoError(t, err)
	assert.Empty(t, died)
}

func TestTroublesAndDeaths(t *testing.T) {
	ca := logged(t, `E1123 11:00:00.000000    7 static_autoscaler.go:377] Failed to refresh cloud provider config: rpc error: code = Unavailable
W1123 11:00:00.000000    7 externalgrpc_node_group.go:99] Error on gRPC call
I1123 11:00:00.000000    7 externalgrpc_node_group.go:99] Performing gRPC call
F1123 11:00:00.000000    7 main.go:1] Failed to get nodes
panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1]
E1123 11:00:00.000000    7 leaderelection.go:1] not about the provider
`)
	troubles, err := ca.Troubles()
	require.NoError(t, err)
	assert.Len(t, troubles, 2)
	died, err := ca.Died()
	require.NoError(t, err)
	assert.Len(t, died, 3)
}
