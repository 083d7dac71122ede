package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/simulations/recommend"
)

// recommended runs the command and returns what it printed.
func recommended(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var w world
	code = run(t.Context(), w.environment(), append([]string{"recommend"}, args...))
	return w.stdout.String(), w.stderr.String(), code
}

// smallSearch has facts of an account, flags of cluster-autoscaler and two service
// levels: all that a merging run has to be told again.
func smallSearch(t *testing.T) []string {
	cfg := written(t, "nodegroups.yaml", nodeGroupsForSimulation)
	return []string{
		"--config", cfg, "--account", "embedded", "--profile", "afternoon", "--days", "2",
		"--slo", "p95<90s", "--slo", "normal:mean<=2m", "--budget", "900/week", "--settings", "40", "--seeds", "2", "--weeks-bootstrap", "2",
		"--ca-flag=--scan-interval=20s", "--ca-flag=--v=4",
	}
}

func TestRecommendedKeysGoIntoTheFile(t *testing.T) {
	args := smallSearch(t)
	keys := filepath.Join(t.TempDir(), "keys.yaml")
	one, stderr, code := recommended(t, append(args, "--workers", "1", "--yaml", keys)...)
	require.Zero(t, code, stderr)
	assert.Contains(t, stderr, "--v changes nothing of a simulation and is ignored")
	assert.Contains(t, one, "wanted: p95<1m30s, normal:mean<=2m, for at most")
	four, _, _ := recommended(t, append(args, "--workers", "4")...)
	assert.Equal(t, one, four, "the number of workers changes no byte")
	text, err := os.ReadFile(keys)
	require.NoError(t, err)
	assert.Contains(t, one, string(text))
	assert.Contains(t, string(text), "builds-normal")
}

func TestShardsAndMerge(t *testing.T) {
	args := smallSearch(t)
	whole, stderr, code := recommended(t, append(args, "-o", "json")...)
	require.Zero(t, code, stderr)
	var outcome recommend.Outcome
	require.NoError(t, json.Unmarshal([]byte(whole), &outcome))
	assert.Equal(t, recommend.Version, outcome.Version)
	assert.Equal(t, "normal:mean<=2m", outcome.SLOs[1].String())
	dir := t.TempDir()
	merge := []string{"merge", "-o", "json"}
	for i := range 3 {
		file := filepath.Join(dir, fmt.Sprintf("part-%d.json", i))
		_, stderr, code := recommended(t, append(args, "--shard", fmt.Sprintf("%d/3", i), "--shard-out", file)...)
		require.Zero(t, code, stderr)
		merge = append(merge, file)
	}
	merged, stderr, code := recommended(t, merge...)
	require.Zero(t, code, stderr)
	assert.Equal(t, whole, merged)

	_, stderr, code = recommended(t, merge[:4]...)
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "a shard is missing")
	_, stderr, code = recommended(t, append(merge, "--slo", "p95<10s")...)
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "other builds, settings or options")
	moved := written(t, "moved.yaml", nodeGroupsForSimulation)
	elsewhere, stderr, code := recommended(t, append(merge, "--config", moved)...)
	require.Zero(t, code, stderr)
	assert.Equal(t, whole, elsewhere, "the same groups in another file")
}

func TestRecommendCutShort(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var w world
	assert.Equal(t, 1, run(ctx, w.environment(), []string{"recommend", "--scenario", "afternoon", "--variant", "elastic"}))
	assert.Contains(t, w.stderr.String(), "nothing is done yet")
}

func TestRecommendSaysWhatIsWrong(t *testing.T) {
	cfg := written(t, "nodegroups.yaml", nodeGroupsForSimulation)
	for name, test := range map[string]struct {
		args []string
		want []string
	}{
		"all at once":   {[]string{"--slo", "p95", "--budget", "much", "-o", "xml"}, []string{`--slo: "p95"`, `--budget: "much"`, `--output is "xml"`}},
		"no groups":     {[]string{"--profile", "afternoon"}, []string{"which node groups?"}},
		"several":       {[]string{"--scenario", "afternoon"}, []string{"choose one with --variant"}},
		"a bad shard":   {[]string{"--config", cfg, "--account", "embedded", "--profile", "afternoon", "--shard", "4/4"}, []string{"i from 0 to n-1"}},
		"no shard file": {[]string{"merge", "missing.json"}, []string{"missing.json"}},
		"not a shard":   {[]string{"merge", cfg}, []string{"no shard of this search"}},
		"no settings":   {[]string{"--config", cfg, "--settings", "0"}, []string{"--settings must be 1 or more"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, stderr, code := recommended(t, test.args...)
			assert.Equal(t, 1, code)
			for _, want := range test.want {
				assert.Contains(t, stderr, want)
			}
		})
	}
}
