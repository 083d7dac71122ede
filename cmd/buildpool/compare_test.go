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
	code, stdout, stderr := commandOutput("compare", "-o", "json", savedReport, cheaperReport(t, "afternoon"))
	require.Zero(t, code, stderr)
	var c report.Comparison
	require.NoError(t, json.Unmarshal([]byte(stdout), &c))
	require.Len(t, c.Runs, 2)
	assert.Equal(t, "cheaper", c.Runs[1].Name, "runs of one name go by their files")
}

func TestCompareTellsAllThatIsWrong(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.json")
	require.NoError(t, os.WriteFile(bad, []byte(`{"version": 9}`), 0o600))
	code, stdout, stderr := commandOutput("compare", savedReport, bad, "missing.json")
	assert.Equal(t, 1, code)
	assert.Empty(t, stdout)
	assert.Contains(t, stderr, "its version is 9, this release reads 1")
	assert.Contains(t, stderr, "missing.json")

	for _, args := range [][]string{{"compare"}, {"compare", "-o", "xml", savedReport, savedReport}} {
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
