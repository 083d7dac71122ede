package workload

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCurve(t *testing.T) {
	mapping, err := ParseMapping("m.yaml", []byte(`
curve: {job: build}
default: {class: normal, cpu: 1, memory: 1Gi}
rules: [{tag: queue=gpu, class: gpu, gpu: 1}]
`))
	require.NoError(t, err)
	text := `{"status":"success","data":{"resultType":"matrix","result":[
{"metric":{"__name__":"builds_running","queue":"gpu"},"values":[[1772442000,"1"],[1772442060,"3"],[1772442120,"2"],[1772442180,"1"],[1772442240,"2"],[1772442300,"0"]]}]}}`
	trace, dropped, err := Read("c.json", strings.NewReader(text), Options{Format: Prometheus, Mapping: mapping})
	require.NoError(t, err)
	assert.Equal(t, []Build{
		{Arrival: 0, Duration: 2 * time.Minute, Wait: UnknownWait},
		{Arrival: 0, Duration: 4 * time.Minute, Wait: UnknownWait},
		{Arrival: 3 * time.Minute, Duration: time.Minute, Wait: UnknownWait},
	}, trace.Builds)
	assert.Equal(t, []Shape{{Job: "build", Classes: []string{"gpu"}, MilliCPU: 1000, MemoryBytes: 1 << 30, GPUs: 1}}, trace.Shapes)
	assert.Equal(t, 1, dropped.Count, "the one of before the first sample")
}

func TestQueriesThatFailed(t *testing.T) {
	_, _, err := Read("p.json", strings.NewReader(`{"status":"error","errorType":"bad_data","error":"unknown function"}`), Options{Format: Prometheus})
	require.EqualError(t, err, "p.json:1:1: status: the query failed: unknown function; mend the query and export it again")
}

// An export that was cut off is wrong; what was whole of it can be kept.
func TestCutExports(t *testing.T) {
	text := `[{"id":1,"name":"a","status":"success","started_at":"2026-03-02T09:00:00Z","finished_at":"2026-03-02T09:01:00Z"},
{"id":2,"name":"a","status":"succ`
	o := Options{Format: GitLab, Mapping: exampleMapping(t, GitLab)}
	_, _, err := Read("g.json", strings.NewReader(text), o)
	require.EqualError(t, err, "g.json:2:28: the JSON ends too early; export it again, and whole")
	o.SkipBad = true
	trace, dropped, err := Read("g.json", strings.NewReader(text), o)
	require.NoError(t, err)
	assert.Len(t, trace.Builds, 1)
	assert.Equal(t, 1, dropped.Count)
	for _, nonsense := range []string{"<html>", "{]", "[1,2", `{"items":[{"kind":"Pod"`, "nul"} {
		for _, f := range []Format{Jenkins, GitLab, GitHub, Tekton, Kubernetes, Prometheus} {
			_, _, err := Read("g.json", strings.NewReader(nonsense), Options{Format: f})
			require.Error(t, err, "%s of %s", nonsense, f)
		}
	}
}

func TestExportsThatAreNone(t *testing.T) {
	for _, f := range []Format{GitLab, GitHub, Tekton, Kubernetes, Prometheus} {
		for _, nonsense := range []string{"[7]", `"text"`} {
			_, _, err := Read("x.json", strings.NewReader(nonsense), Options{Format: f})
			require.ErrorContains(t, err, "is no JSON object; check that the export is of this system", f)
		}
	}
}

func TestSourcesOfExportsThatFail(t *testing.T) {
	for _, f := range imports {
		mapping := exampleMapping(t, f)
		_, text := exportOf(t, f)
		source := io.MultiReader(strings.NewReader(string(text[:len(text)-2])), broken{})
		_, _, err := Read("x", source, Options{Format: f, SkipBad: true, Mapping: mapping})
		require.ErrorContains(t, err, "read x: ", f)
		require.ErrorContains(t, err, "the disk is gone", f)
	}
}

func TestBuildsThatTheMappingLeavesOpen(t *testing.T) {
	_, text := exportOf(t, GitHub)
	_, _, err := Read("g.json", strings.NewReader(string(text)), Options{Format: GitHub})
	require.ErrorContains(t, err, `g.json:4:5: job: "test (1.26, ubuntu-latest)" has no class; add a rule for it to the mapping, or a default: {class: normal, cpu: 2, memory: 4Gi}`)
	_, _, err = Read("c.csv", strings.NewReader("a,b\n"), Options{Format: Columns})
	require.EqualError(t, err, "c.csv:1:1: the mapping does not name the columns; add columns: {arrival: …, start: …, end: …} to it")
	_, _, err = Read("c.csv", strings.NewReader("created,executing,final\n"), Options{Format: Columns, Mapping: exampleMapping(t, Columns)})
	require.EqualError(t, err, `c.csv:1:1: header: "name" is missing; the columns are created, executing, final
c.csv:1:1: header: "status" is missing; the columns are created, executing, final`)
}

func TestColumnsThatSayMore(t *testing.T) {
	mapping, err := ParseMapping("m.yaml", []byte(`
columns: {arrival: at, duration: took, wait: waited, job: what, class: pool, cpu: cores, memory: ram, gpu: cards,
  image: box, labels: needs, time: "2006-01-02 15:04:05", separator: ";"}
default: {class: normal, cpu: 1, memory: 1Gi}`))
	require.NoError(t, err)
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	require.NoError(t, err)
	text := `what;at;took;waited;pool;cores;ram;cards;box;needs
a;2026-03-02 09:00:00;1m;5;gpu|spot;4;8Gi;1;node:24;disk=ssd
b;2026-03-02 09:00:30;90;;;;;;;
`
	trace, _, err := Read("c.csv", strings.NewReader(text), Options{Format: Columns, Mapping: mapping, Location: tokyo})
	require.NoError(t, err)
	assert.Equal(t, "2026-03-02T09:00:00+09:00", trace.Start.Format(time.RFC3339))
	assert.Equal(t, []Build{
		{Duration: time.Minute, Wait: 5 * time.Second},
		{Arrival: 30 * time.Second, Duration: 90 * time.Second, Wait: UnknownWait, Shape: 1},
	}, trace.Builds)
	assert.Equal(t, Shape{Job: "a", Classes: []string{"gpu", "spot"}, MilliCPU: 4000, MemoryBytes: 8 << 30, GPUs: 1, Image: "node:24", Labels: map[string]string{"disk": "ssd"}}, trace.Shapes[0])
	assert.Equal(t, Shape{Job: "b", Classes: []string{"normal"}, MilliCPU: 1000, MemoryBytes: 1 << 30}, trace.Shapes[1])

	mapping.Columns.Time = "milliseconds"
	trace, _, err = Read("c.csv", strings.NewReader(strings.ReplaceAll(text, "2026-03-02 09:00:", "17724420000")), Options{Format: Columns, Mapping: mapping})
	require.NoError(t, err)
	assert.Equal(t, 30*time.Millisecond, trace.Builds[1].Arrival)
}

// Pods request what the scheduler counts for them.
func TestPodRequests(t *testing.T) {
	for pod, want := range map[string]string{
		`{"containers":[{"resources":{"requests":{"cpu":"1"}}},{"resources":{"requests":{"cpu":"500m"}}}]}`:                                                                                 "1500m",
		`{"containers":[{"resources":{"requests":{"cpu":"1"}}}],"initContainers":[{"resources":{"requests":{"cpu":"3"}}}]}`:                                                                 "3",
		`{"containers":[{"resources":{"requests":{"cpu":"1"}}}],"initContainers":[{"restartPolicy":"Always","resources":{"requests":{"cpu":"1"}}},{"resources":{"requests":{"cpu":"3"}}}]}`: "4",
		`{"containers":[{"resources":{"requests":{"cpu":"1"}}}],"initContainers":[{"restartPolicy":"Always","resources":{"requests":{"cpu":"2"}}}]}`:                                        "3",
		`{"containers":[{"resources":{"requests":{"cpu":"1"}}}],"resources":{"requests":{"cpu":"2"}},"overhead":{"cpu":"250m"}}`:                                                            "2250m",
	} {
		var s podSpec
		require.Nil(t, decode([]byte(pod), &s))
		q, asked := s.request("cpu")
		assert.True(t, asked)
		assert.Equal(t, want, q.String(), pod)
	}
	_, asked := podSpec{}.request("cpu")
	assert.False(t, asked)
}

// A large export is read as a stream: what is held of it is one object at a time.
func TestExportsAreStreamed(t *testing.T) {
	const jobs = 20_000
	source, sink := io.Pipe()
	written := 0
	go func() {
		fmt.Fprint(sink, "[")
		for i := range jobs {
			written = i
			if i > 0 {
				fmt.Fprint(sink, ",\n")
			}
			fmt.Fprintf(sink, `{"id":%d,"name":"a","status":"success","padding":"%s","started_at":"2026-03-02T09:00:00Z","finished_at":"2026-03-02T09:01:00Z"}`, i+1, strings.Repeat("x", 1000))
		}
		fmt.Fprint(sink, `,{"id":0}]`)
		sink.Close()
	}()
	o := Options{Format: GitLab, Mapping: exampleMapping(t, GitLab)}
	_, _, err := Read("g.json", source, o)
	require.ErrorContains(t, err, fmt.Sprintf("g.json:%d:", jobs), "the line of the last one")
	assert.Equal(t, jobs-1, written)
}
