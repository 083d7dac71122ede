package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/simulations/report"
)

const savedReport = "../../simulations/report/testdata/afternoon.json"

// commandOutput runs a command line and returns what it prints.
func commandOutput(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	env := environment{stdin: strings.NewReader(""), stdout: &out, stderr: &errs, getenv: func(string) string { return "" }}
	code = run(context.Background(), env, args)
	return code, out.String(), errs.String()
}

// cheaperReport is the saved one with another name and half the cost.
func cheaperReport(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(savedReport)
	require.NoError(t, err)
	r, err := report.Read(bytes.NewReader(data))
	require.NoError(t, err)
	r.Name = name
	r.Capacity.Cost.Total /= 2
	r.Settings.Seed = "8"
	file := filepath.Join(t.TempDir(), "cheaper.json")
	var out bytes.Buffer
	require.NoError(t, report.WriteJSON(&out, r))
	require.NoError(t, os.WriteFile(file, out.Bytes(), 0o600))
	return file
}

func TestCompareSavedReports(t *testing.T) {
	page := filepath.Join(t.TempDir(), "page.html")
	code, stdout, stderr := commandOutput("compare", savedReport, cheaperReport(t, "half"), "--html", page)
	require.Zero(t, code, stderr)
	assert.Regexp(t, `(?m)^ +afternoon +half$`, stdout)
	assert.Regexp(t, `(?m)^cost, CNY .*-50\.0%\)$`, stdout)
	assert.Regexp(t, `(?m)^wait p95 .*\(same\)$`, stdout)
	assert.Regexp(t, `(?ms)^seed$.*half +8$`, stdout)
	assert.NotContains(t, stdout, "\x1b", "this is no terminal")
	written, err := os.ReadFile(page)
	require.NoError(t, err)
	assert.Contains(t, string(written), "buildpool simulation · afternoon · half")
}

func TestOneReportIsToldAgain(t *testing.T) {
	code, stdout, stderr := commandOutput("compare", savedReport)
	require.Zero(t, code, stderr)
	assert.Contains(t, stdout, "What builds waited for")
}

func TestCompareAsJSON(t *testing.T) {
	code, stdout, stderr := commandOutput("compare", "--json", savedReport, cheaperReport(t, "afternoon"))
	require.Zero(t, code, stderr)
	var c report.Comparison
	require.NoError(t, json.Unmarshal([]byte(stdout), &c))
	require.Len(t, c.Runs, 2)
	assert.Equal(t, "cheaper", c.Runs[1].Name, "runs of one name go by their files")
}

const assumptionsForComparison = `
apiVersion: buildpool/v1alpha1
kind: Simulation
groups:
  - {name: builds-normal, cpus: 4, memoryGiB: 8, pricePerHour: 1}
`

func TestCompareNodeGroupFilesOnOneTrace(t *testing.T) {
	cold := written(t, "cold.yaml", nodeGroupsForSimulation)
	warm := written(t, "warm.yaml", strings.Replace(nodeGroupsForSimulation, "max: 20", "min: 3, max: 20", 1))
	assume := written(t, "assume.yaml", assumptionsForComparison)
	trace := written(t, "builds.csv", "arrival,duration,cpu,memory,class\n600,600,2,4Gi,normal\n630,300,2,4Gi,normal\n")
	saved := filepath.Join(t.TempDir(), "before.json")
	args := []string{"--assume", assume, "--trace", trace, "--slo", "30s"}

	code, text, stderr := commandOutput(append([]string{"simulate", "--config", cold, "--json"}, args...)...)
	require.Zero(t, code, stderr)
	require.NoError(t, os.WriteFile(saved, []byte(text), 0o600))

	code, stdout, stderr := commandOutput(append([]string{"compare", cold, warm, saved, "--json"}, args...)...)
	require.Zero(t, code, stderr)
	var c report.Comparison
	require.NoError(t, json.Unmarshal([]byte(stdout), &c))
	require.Len(t, c.Runs, 3)
	assert.Equal(t, []string{"cold", "warm", "before"}, []string{c.Runs[0].Name, c.Runs[1].Name, c.Runs[2].Name})
	assert.Greater(t, c.Runs[0].Waits.P95, 30.0)
	assert.Less(t, c.Runs[1].Waits.P95, 10.0, "three warm nodes keep nobody waiting")
	assert.Equal(t, c.Runs[0].Waits, c.Runs[2].Waits, "what is played again is what was saved")
	assert.Equal(t, 30.0, c.Runs[1].SLOSeconds)
	assert.Equal(t, []report.Difference{{Name: "builds-normal.config.min", Values: []string{"-", "3", "-"}}}, report.Differences(c.Runs...))

	_, again, _ := commandOutput(append([]string{"compare", cold, warm, saved, "--json"}, args...)...)
	assert.Equal(t, stdout, again, "the same command gives the same bytes")
}

func TestCompareVariantsOfASimulation(t *testing.T) {
	cfg := written(t, "groups.yaml", nodeGroupsForSimulation)
	simulation := written(t, "idle.yaml", assumptionsForComparison+`
nodeGroups: `+cfg+`
variants:
  - {name: short, flags: [--scale-down-unneeded-time=1m]}
  - {name: long, flags: [--scale-down-unneeded-time=30m]}
`)
	code, stdout, stderr := commandOutput("compare", simulation, "--profile", "afternoon", "--days", "1", "--without-baselines")
	require.Zero(t, code, stderr)
	assert.Regexp(t, `(?m)^ +short +long$`, stdout)
	assert.Contains(t, stdout, "--scale-down-unneeded-time")
}

func TestCompareTellsAllThatIsWrong(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.json")
	require.NoError(t, os.WriteFile(bad, []byte(`{"version": 9}`), 0o600))
	code, stdout, stderr := commandOutput("compare", savedReport, bad, "missing.json")
	assert.Equal(t, 1, code)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "its version is 9, this release reads 1")
	assert.Contains(t, stderr, "missing.json")

	pods := written(t, "pods.yaml", "kind: Pod\n")
	for _, args := range [][]string{{"compare", pods}, {"compare", written(t, "nodegroups.yaml", nodeGroupsForSimulation)}, {"compare"}, {"compare", "-o", "xml", savedReport, savedReport}} {
		code, _, stderr := commandOutput(args...)
		assert.Equal(t, 1, code, args)
		assert.NotEmpty(t, stderr)
	}
}

func TestSchemasOfReports(t *testing.T) {
	for name, want := range map[string]string{"report": report.Schema(), "comparison": report.ComparisonSchema()} {
		code, stdout, _ := commandOutput("schema", name)
		assert.Zero(t, code)
		assert.Equal(t, want, stdout)
	}
	code, _, stderr := commandOutput("schema", "pods")
	assert.Equal(t, 1, code)
	assert.Contains(t, stderr, "pods")
}
