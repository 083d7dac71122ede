package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/simulations/workload"
)

// playTrace runs buildpool trace with an input and returns what it printed and told.
func playTrace(t *testing.T, input string, args ...string) (out, told string, code int) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	env := environment{
		stdin: strings.NewReader(input), stdout: &stdout, stderr: &stderr,
		clock: clock.RealClock{}, getenv: func(string) string { return "" },
	}
	code = run(t.Context(), env, append([]string{"trace"}, args...))
	return stdout.String(), stderr.String(), code
}

const exports = "../../simulations/workload/testdata/exports/"

// From an export to a trace in two commands, as the docs have it.
func TestTraceConvertsAnExport(t *testing.T) {
	mapping := filepath.Join(t.TempDir(), "mapping.yaml")
	text, _, code := playTrace(t, "", "mapping", "jenkins")
	require.Zero(t, code)
	require.NoError(t, os.WriteFile(mapping, []byte(text), 0o600))

	out, told, code := playTrace(t, "", "convert", "--from", "jenkins", "--mapping", mapping, "--skip-bad", exports+"jenkins.json")
	require.Zero(t, code, told)
	assert.True(t, strings.HasPrefix(out, "# start 2026-03-02T08:00:00Z\narrival,duration,cpu,memory,gpu,class,job,labels,image,wait\n0,301.5,4,8Gi,,normal|spot,shop/checkout,,golang:1.26,95\n"), out)
	assert.Equal(t, `buildpool: 2 builds left out:
  1: it has not ended (first at `+exports+`jenkins.json:57:17)
  1: duration: is no duration (first at `+exports+`jenkins.json:87:9)
`, told)

	_, told, code = playTrace(t, "", "convert", "--from", "jenkins", "--mapping", mapping, exports+"jenkins.json")
	assert.Equal(t, 1, code)
	assert.Contains(t, told, `buildpool: `+exports+`jenkins.json:87:9: duration: "-60000" is no duration; correct it, or skip bad builds`)
}

// CSV, JSON lines and CSV again are the same builds, by way of files and of pipes.
func TestTraceConvertsBackAndForth(t *testing.T) {
	file := filepath.Join(t.TempDir(), "builds.jsonl")
	csv, told, code := playTrace(t, "", "generate", "nightly", "--days", "2", "--location", "Asia/Shanghai")
	require.Zero(t, code, told)
	assert.True(t, strings.HasPrefix(csv, "# start 2026-01-05T00:00:00+08:00 Asia/Shanghai\n"))
	_, told, code = playTrace(t, csv, "convert", "--out", file)
	require.Zero(t, code, told)
	again, told, code := playTrace(t, "", "convert", file)
	require.Zero(t, code, told)
	assert.Equal(t, csv, again)
}

func TestTraceDescribe(t *testing.T) {
	csv, _, _ := playTrace(t, "", "generate", "single-timezone", "--days", "14", "--seed", "3",
		"--class", "spot|normal=0.9,cpu=2,memory=4Gi", "--class", "gpu=0.1,cpu=8,memory=32Gi,gpu=1")
	text, told, code := playTrace(t, csv, "describe")
	require.Zero(t, code, told)
	for _, want := range []string{"from Monday 2026-01-05 00:00 (UTC)", "\narrivals   ", "\nbusiest    ", "\nCLASS ", "\ngpu ", "\nnormal|spot ", "\nJOB ", "\nMon  "} {
		assert.Contains(t, text, want)
	}
	assert.NotContains(t, text, "\nwaits")

	text, _, code = playTrace(t, csv, "describe", "-o", "json")
	require.Zero(t, code)
	var d workload.Description
	require.NoError(t, json.Unmarshal([]byte(text), &d))
	assert.Equal(t, strings.Count(csv, "\n")-2, d.Builds)
	var keys map[string]any
	require.NoError(t, json.Unmarshal([]byte(text), &keys))
	for _, key := range []string{"start", "hours", "builds", "shapes", "arrivals", "durations", "concurrency", "overAnHour", "hourOfWeek", "classes", "jobs"} {
		assert.Contains(t, keys, key)
	}
}

// What the table looks like is what people see of it: a golden of a small trace.
func TestTraceDescribeText(t *testing.T) {
	text, told, code := playTrace(t, `# start 2026-03-02T09:00:00+08:00 Asia/Shanghai
arrival,duration,cpu,memory,class,job,wait
0,5m,2,4Gi,normal,unit,30
2,20m,2,4Gi,normal,e2e,45
4,90m,4,8Gi,spot|normal,e2e,
3600,5m,2,4Gi,normal,unit,1
`, "describe", "--location", "Asia/Shanghai")
	require.Zero(t, code, told)
	assert.Equal(t, `4 builds of 3 kinds, from Monday 2026-03-02 09:00 (Asia/Shanghai) for 2 hours

arrivals   48 a weekday, 2.0 an hour; weekends 0.0 %; CV 1.4
busiest    3 in the hour of Mon 2026-03-02 09:00, 1.5 times the mean; 3 in a minute
durations  p50 5m00s  p90 1h30m  p95 1h30m  p99 1h30m  max 1h30m; 25.0 % over an hour
waits      p50 30s  p90 45s  p95 45s  p99 45s  max 45s, as they were observed
at once    builds: mean 1.4  p50 1  p95 3  p99 3  max 3, if none ever waited
           cores: mean 4.8  p95 8.0  max 8.0; memory: max 16.0 GiB; GPUs: max 0

CLASS        BUILDS   SHARE    P50    P95    P99  AT ONCE P95  MAX  CORES MAX
normal            3  75.0 %  5m00s    20m    20m            2    2        4.0
normal|spot       1  25.0 %  1h30m  1h30m  1h30m            1    1        4.0

JOB   BUILDS   SHARE    P50    P95    P99
e2e        2  50.0 %    20m  1h30m  1h30m
unit       2  50.0 %  5m00s  5m00s  5m00s

BUILDS/H  0  1  2  3  4  5  6  7  8  9  10  11  12  13  14  15  16  17  18  19  20  21  22  23
Mon       ·  ·  ·  ·  ·  ·  ·  ·  ·  3   1   ·   ·   ·   ·   ·   ·   ·   ·   ·   ·   ·   ·   ·
`+strings.Join([]string{"Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}, `       ·  ·  ·  ·  ·  ·  ·  ·  ·  ·   ·   ·   ·   ·   ·   ·   ·   ·   ·   ·   ·   ·   ·   ·
`)+`       ·  ·  ·  ·  ·  ·  ·  ·  ·  ·   ·   ·   ·   ·   ·   ·   ·   ·   ·   ·   ·   ·   ·   ·
`, text)
}

func TestTraceScale(t *testing.T) {
	csv, _, _ := playTrace(t, "", "generate", "single-timezone", "--days", "7")
	twice, told, code := playTrace(t, csv, "scale", "--rate", "2")
	require.Zero(t, code, told)
	builds := strings.Count(csv, "\n") - 2
	assert.InEpsilon(t, 2*builds, strings.Count(twice, "\n")-2, 0.03)

	day, told, code := playTrace(t, csv, "scale", "--cut-from", "2026-01-06T00:00:00Z", "--cut-to", "2026-01-07T00:00:00Z", "--shift", "8h", "--durations", "0.5")
	require.Zero(t, code, told)
	assert.True(t, strings.HasPrefix(day, "# start 2026-01-06T08:00:00Z\n"), day[:60])
	assert.Less(t, strings.Count(day, "\n"), builds/2)
}

func TestTraceRefusesWrongFlags(t *testing.T) {
	const one = "arrival,duration,cpu,memory,class\n1,1,1,1Gi,a\n"
	for want, args := range map[string][]string{
		`unknown output "xml": use text or json`:                                     {"describe", "-o", "xml"},
		`unknown format "xml": use one of csv, jsonl, columns, jenkins`:              {"describe", "--from", "xml"},
		`--mapping is for exports: say which with --from`:                            {"convert", "--mapping", "m.yaml"},
		`read mapping: open none.yaml`:                                               {"convert", "--from", "gitlab", "--mapping", "none.yaml"},
		`--location: unknown time zone Mars/Olympus`:                                 {"convert", "--location", "Mars/Olympus"},
		`--start "today" is no RFC 3339 time`:                                        {"convert", "--start", "today"},
		`--out: builds.txt: unknown format`:                                          {"convert", "--out", "builds.txt"},
		`write trace: unknown format "gitlab": use csv or jsonl`:                     {"convert", "--to", "gitlab"},
		`open trace: open none.csv`:                                                  {"convert", "none.csv"},
		`--cut-from "noon" is no RFC 3339 time`:                                      {"scale", "--cut-from", "noon"},
		`scale by -1: the factor has to be more than 0`:                              {"scale", "--rate", "-1"},
		`stretch durations by 0: the factor has to be more than 0`:                   {"scale", "--durations", "0"},
		`unknown profile "morning": use one of afternoon`:                            {"generate", "morning"},
		`--class "a": begin with the classes and their share, such as normal=1`:      {"generate", "nightly", "--class", "a"},
		`--class "a=x": the share "x" is no number`:                                  {"generate", "nightly", "--class", "a=x"},
		`--class "a=1,cpu=x": cpu "x" is no Kubernetes quantity`:                     {"generate", "nightly", "--class", "a=1,cpu=x"},
		`--class "a=1,cpu=1": cpu and memory are needed`:                             {"generate", "nightly", "--class", "a=1,cpu=1"},
		`--class "a=1,disk=1": "disk" is none of cpu, memory and gpu`:                {"generate", "nightly", "--class", "a=1,disk=1"},
		`generate nightly: days -1 are negative`:                                     {"generate", "nightly", "--days", "-1"},
		`example mapping: unknown format "csv": use one of columns, jenkins, gitlab`: {"mapping", "csv"},
	} {
		_, told, code := playTrace(t, one, args...)
		assert.Equal(t, 1, code, args)
		assert.Contains(t, told, want, args)
	}
	_, told, code := playTrace(t, "arrival,duration,cpu,memory,class\n", "describe")
	assert.Equal(t, 1, code)
	assert.Equal(t, "buildpool: standard input: there is no build in it\n", told)
}
