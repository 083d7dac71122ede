package scenario_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/scenario"
)

func TestFlagsAreReadAsClusterAutoscalerReadsThem(t *testing.T) {
	f, err := scenario.ParseFlags([]string{
		"./cluster-autoscaler", "--v=4", "--cloud-provider", "externalgrpc", "-scan-interval=20s", "--expander=priority,least-waste",
		"--max_nodes_total", "30", "--balance-similar-node-groups", "--scale-down-enabled=false", "--scale-down-utilization-threshold=0.7",
		"--balancing-ignore-label=zone", "--balancing-ignore-label=rack", "--scan-interval=30s",
	})
	require.NoError(t, err)
	a := engine.DefaultAutoscaler()
	f.Apply(&a)
	assert.Equal(t, 30*time.Second, a.ScanInterval, "the last wins")
	assert.Equal(t, []string{"priority", "least-waste"}, a.Expander)
	assert.Equal(t, 30, a.MaxNodesTotal)
	assert.True(t, a.BalanceSimilarNodeGroups)
	assert.False(t, a.ScaleDownEnabled)
	assert.Equal(t, 0.7, a.ScaleDownUtilizationThreshold)
	assert.Equal(t, []string{"zone", "rack"}, a.BalancingIgnoreLabels)
	assert.Equal(t, []string{"--v", "--cloud-provider"}, f.Ignored)
}

func TestFlagsThatCannotBeRead(t *testing.T) {
	for arg, want := range map[string]string{
		"--scan-interval=often":                   `--scan-interval: "often" is no duration`,
		"--scan-interval=-1s":                     `--scan-interval: "-1s" is no duration`,
		"--scan-interval":                         "--scan-interval: the value is missing",
		"--max-nodes-total=many":                  `--max-nodes-total: "many" is no whole number`,
		"--scale-down-enabled=perhaps":            `"perhaps" is neither true nor false`,
		"--expander=cheapest":                     `there is no expander "cheapest"`,
		"--scale-down-utilization-threshold=half": `"half" is no number`,
	} {
		_, err := scenario.ParseFlags([]string{arg})
		assert.ErrorContains(t, err, want)
	}
}

func TestFlagsOfAFile(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"plain": {"--scan-interval=20s  # twenty\n\n--expander=random \\\n  --v 4\n", []string{"--scan-interval=20s", "--expander=random", "--v", "4"}},
		"manifest": {`
kind: Service
---
kind: List
items:
  - kind: Deployment
    spec: {template: {spec: {containers: [
      {name: sidecar, args: [--expander=random]},
      {name: a, image: "registry.k8s.io/autoscaling/cluster-autoscaler:v1.36.0", command: [./cluster-autoscaler], args: ["--scan-interval=20s"]}]}}}
`, []string{"./cluster-autoscaler", "--scan-interval=20s"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := scenario.FlagsOf([]byte(test.text))
			require.NoError(t, err)
			assert.Equal(t, test.want, got)
		})
	}
	_, err := scenario.FlagsOf([]byte("kind: Pod\nspec: {containers: [{name: web, args: [--port=80]}]}\n"))
	require.ErrorIs(t, err, scenario.ErrNoAutoscaler)
}

func FuzzFlagsOf(f *testing.F) {
	f.Add("--scan-interval=20s --expander random")
	f.Add("kind: Pod\nspec: {containers: [{name: cluster-autoscaler, args: [--v=1]}]}")
	f.Fuzz(func(_ *testing.T, text string) {
		args, err := scenario.FlagsOf([]byte(text))
		if err == nil {
			_, _ = scenario.ParseFlags(args)
		}
	})
}
