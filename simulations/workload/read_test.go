package workload

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func readText(f Format, text string, skipBad bool) (Trace, Dropped, error) {
	return Read("t."+string(f), strings.NewReader(text), Options{Format: f, SkipBad: skipBad})
}

func TestReadCSV(t *testing.T) {
	trace, dropped, err := Read("builds.csv", strings.NewReader(`# made by hand
# start 2026-03-02T08:00:00+08:00 Asia/Shanghai
Duration,arrival,cpu,memory,gpu,class,job,labels,image,wait
90,3.25,2,4Gi,,normal,unit,,golang:1.26,12
1m30s,3,500m,512Mi,1,spot | gpu,"e2e, long",disk=ssd;example.com/zone=a,,
90,4,2,4Gi,0,normal,unit,,golang:1.26,
`), Options{})
	require.NoError(t, err)
	assert.Zero(t, dropped)
	assert.Equal(t, "2026-03-02 08:00:00 +0800 CST", trace.Start.String())
	assert.Equal(t, "Asia/Shanghai", trace.Start.Location().String())
	assert.Equal(t, []Shape{
		{Job: "e2e, long", Classes: []string{"gpu", "spot"}, MilliCPU: 500, MemoryBytes: 512 << 20, GPUs: 1,
			Labels: map[string]string{"disk": "ssd", "example.com/zone": "a"}},
		{Job: "unit", Classes: []string{"normal"}, MilliCPU: 2000, MemoryBytes: 4 << 30, Image: "golang:1.26"},
	}, trace.Shapes)
	assert.Equal(t, []Build{
		{Arrival: 3 * time.Second, Duration: 90 * time.Second, Wait: UnknownWait},
		{Arrival: 3250 * time.Millisecond, Duration: 90 * time.Second, Wait: 12 * time.Second, Shape: 1},
		{Arrival: 4 * time.Second, Duration: 90 * time.Second, Wait: UnknownWait, Shape: 1},
	}, trace.Builds)
}

func TestReadJSONLines(t *testing.T) {
	trace, _, err := Read("builds.jsonl", strings.NewReader(`{"start":"2026-03-02T08:00:00+08:00","location":"Asia/Shanghai"}

{"arrival":3.25,"duration":"90","cpu":2,"memory":"4Gi","class":"normal","job":"unit","image":null,"wait":12}
{"memory":536870912, "arrival":3,"duration":"1m30s","cpu":"500m","gpu":1,"class":["spot","gpu"],"job":"e\u0032e \"long\"","labels":{"disk":"ssd","zone":"a"}}`), Options{})
	require.NoError(t, err)
	assert.Equal(t, "2026-03-02 08:00:00 +0800 CST", trace.Start.String())
	assert.Equal(t, []Shape{
		{Job: `e2e "long"`, Classes: []string{"gpu", "spot"}, MilliCPU: 500, MemoryBytes: 512 << 20, GPUs: 1,
			Labels: map[string]string{"disk": "ssd", "zone": "a"}},
		{Job: "unit", Classes: []string{"normal"}, MilliCPU: 2000, MemoryBytes: 4 << 30},
	}, trace.Shapes)
	assert.Equal(t, []Build{
		{Arrival: 3 * time.Second, Duration: 90 * time.Second, Wait: UnknownWait},
		{Arrival: 3250 * time.Millisecond, Duration: 90 * time.Second, Wait: 12 * time.Second, Shape: 1},
	}, trace.Builds)
}

const header = "arrival,duration,cpu,memory,class\n"

// The results of a simulation can be played again.
func TestResultsAreTraces(t *testing.T) {
	for f, text := range map[Format]string{
		CSV:       "arrival,duration,wait,class,cpu,memory,started,ended,group,node,interruptions,lost,cause\n1,2,3,a,1,1Gi,4,6,g,0,0,,boot\n",
		JSONLines: `{"arrival":1,"duration":2,"wait":3,"class":"a","cpu":1,"memory":"1Gi","started":4,"lost":null,"cause":"boot"}`,
	} {
		trace, _, err := readText(f, text, false)
		require.NoError(t, err)
		assert.Equal(t, []Build{{Arrival: time.Second, Duration: 2 * time.Second, Wait: 3 * time.Second}}, trace.Builds)
	}
}

// Where a trace begins, and what arrivals count from.
func TestStart(t *testing.T) {
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	require.NoError(t, err)
	tests := []struct {
		name, text string
		options    Options
		start      string
		arrival    time.Duration
	}{
		{"seconds", header + "7,1,1,1Gi,a", Options{}, "2026-01-05T00:00:00Z", 7 * time.Second},
		{"seconds and a start", header + "7,1,1,1Gi,a", Options{Start: DefaultStart.In(tokyo)}, "2026-01-05T09:00:00+09:00", 7 * time.Second},
		{"Unix time", header + "1757006747,1,1,1Gi,a", Options{}, "2025-09-04T17:25:47Z", 0},
		{"Unix time told elsewhere", header + "1757006747.5,1,1,1Gi,a", Options{Location: tokyo}, "2025-09-05T02:25:47.5+09:00", 0},
		{"RFC 3339", header + "2026-03-02T15:04:05-05:00,1,1,1Gi,a", Options{}, "2026-03-02T15:04:05-05:00", 0},
		{"RFC 3339 after a start", "# start 2026-03-02T15:00:00Z\n" + header + "2026-03-02T15:04:05Z,1,1,1Gi,a", Options{}, "2026-03-02T15:00:00Z", 4*time.Minute + 5*time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.options.Format = CSV
			trace, _, err := Read("t", strings.NewReader(tt.text), tt.options)
			require.NoError(t, err)
			assert.Equal(t, tt.start, trace.Start.Format(time.RFC3339Nano))
			assert.Equal(t, tt.arrival, trace.Builds[0].Arrival)
		})
	}
}

// Every problem of a file is told at once, with its place and the way out.
func TestProblemsOfCSV(t *testing.T) {
	_, _, err := readText(CSV, header+`1,-5,1,1Gi,a
soon,1,1,1Gi,a
2,1,many,1Gi,a
2,1,1,-1Gi,a
2,1,1,1Gi,a||b
2,1,1,1Gi
2,1,1,1Gi,a"b
,1,1,1Gi,a
1757006747,1,1,1Gi,a
3,1,1,1Gi,a
`, false)
	require.EqualError(t, err, strings.TrimSpace(`
t.csv:2:3: duration: "-5" is negative; write 0 or more
t.csv:3:1: arrival: "soon" is no time; write seconds such as 90.5, a Unix time in seconds, or RFC 3339 such as 2026-03-02T15:04:05Z
t.csv:4:5: cpu: "many" is no Kubernetes quantity; write one such as 500m, 2 or 4Gi
t.csv:5:7: memory: "-1Gi" is negative; write 0 or more
t.csv:6:11: class: "a||b" has an empty class; write one class, or several as spot|normal
t.csv:7:1: the line has another number of values than the header; write one value per column, and quote values that hold a comma
t.csv:8:12: bare " in non-quoted-field; put values with quotes in quotes and double those within: "a ""b"""
t.csv:9:1: arrival: is missing; write it in every line
t.csv:11:1: arrival: mixes seconds after the start with times of the calendar; write all arrivals in one way`))
}

func TestProblemsOfHeader(t *testing.T) {
	tests := map[string]string{
		"": "t.csv:1:1: the file is empty; start with a header such as arrival,duration,cpu,memory,class",
		"# a comment\narrival,duration,cpu,mem,class\n": `t.csv:2:22: header: "mem" is no column; use arrival, duration, wait, class, cpu, memory, gpu, job, labels, image, or read the file as columns with a mapping
t.csv:2:1: header: the column memory is missing; add it`,
		"arrival,duration,cpu,memory,class,cpu\n":                                    `t.csv:1:35: header: "cpu" is there twice; name every column once`,
		"# start yesterday\n" + header:                                               `t.csv:1:1: start: "yesterday" is no time; write RFC 3339 such as 2026-01-05T00:00:00+08:00`,
		"# start 2026-01-05T00:00:00Z Mars/Olympus\n" + header:                       `t.csv:1:1: start: "Mars/Olympus" is no known location; write a name of the time zone database such as Asia/Shanghai`,
		"# start 2026-01-06T00:00:00Z\n" + header + "2026-01-05T00:00:00Z,1,1,1,a\n": `t.csv:1:1: start: "2026-01-06T00:00:00Z" is after the first arrival, 2026-01-05T00:00:00Z; give a start that is not, or none`,
		"arrival,duration,cpu,memory,class,\"job\nline\"\n":                          "t.csv:1:35: header: \"job\\nline\" is no column; use arrival, duration, wait, class, cpu, memory, gpu, job, labels, image, or read the file as columns with a mapping",
	}
	for text, want := range tests {
		_, _, err := readText(CSV, text, true)
		assert.EqualError(t, err, want, "%q", text)
	}
}

func TestProblemsOfJSONLines(t *testing.T) {
	_, _, err := readText(JSONLines, `{"arrival":1,"duration":1,"cpu":1,"memory":1,"class":"a"}
{"arrival":1,"duration":-1,"cpu":1,"memory":1,"class":"a"}
{"arrival":1,"duration":1,"cpus":1}
{"arrival":1,"arrival":2}
[1]
{"arrival":1
{}
{"arrival":true,"duration":1,"cpu":1,"memory":1,"class":"a"}
{"start":"2026-01-05T00:00:00Z"}
{"arrival":1,"duration":1,"cpu":1,"memory":1,"class":["a",["b"]]}
{"arrival":1,"duration":1,"cpu":1,"memory":1,"class":"a"} {}
nonsense
`, false)
	require.Error(t, err)
	want := []string{
		`t.jsonl:2:14: duration: "-1" is negative; write 0 or more`,
		`t.jsonl:3:27: "cpus" is no column; use arrival, `,
		`t.jsonl:4:`, `t.jsonl:5:1: the line is no JSON object; `,
		`t.jsonl:6:`, `t.jsonl:7:1: the object is empty; `,
		`t.jsonl:8:2: arrival: is neither text nor a number; `,
		`t.jsonl:9:1: start: may only stand in the first line, `,
		`t.jsonl:10:46: class: holds what is no plain text; `,
		`t.jsonl:11:`, `t.jsonl:12:`,
	}
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, len(want), err)
	for i := range want {
		assert.True(t, strings.HasPrefix(lines[i], want[i]), "%s\nis not\n%s", lines[i], want[i])
	}
}

// A file that is wrong all over is told in a few lines.
func TestProblemsAreBounded(t *testing.T) {
	_, _, err := readText(CSV, header+strings.Repeat("1,x,1,1Gi,a\n", 1000), false)
	var problems *Errors
	require.ErrorAs(t, err, &problems)
	assert.Len(t, problems.Problems, maxProblems)
	assert.Equal(t, 1000-maxProblems, problems.More)
	assert.Contains(t, err.Error(), "\n… and 980 more")
}

func TestSkipBadCountsWhy(t *testing.T) {
	trace, dropped, err := readText(CSV, header+"1,x,1,1Gi,a\n2,1,1,1Gi,a\n3,-1,1,1Gi,a\n4,y,1,1Gi,a\n", true)
	require.NoError(t, err)
	assert.Len(t, trace.Builds, 1)
	assert.Equal(t, 3, dropped.Count)
	require.Len(t, dropped.Reasons, 2)
	assert.Equal(t, "duration: is no duration", dropped.Reasons[0].Text)
	assert.Equal(t, 2, dropped.Reasons[0].Count)
	assert.Equal(t, 2, dropped.Reasons[0].First.Line)
	assert.Equal(t, "duration: is negative", dropped.Reasons[1].Text)

	_, dropped, err = readText(CSV, header+"1,x,1,1Gi,a\n", true)
	require.ErrorIs(t, err, ErrNoBuilds)
	assert.Equal(t, 1, dropped.Count)
}

func TestBuildsThatArriveTogetherKeepTheirOrder(t *testing.T) {
	var text strings.Builder
	text.WriteString(header)
	for i := range 200 {
		fmt.Fprintf(&text, "%d,%d,1,1Gi,a\n", (200-i)/50, i)
	}
	trace, _, err := readText(CSV, text.String(), false)
	require.NoError(t, err)
	for i := 1; i < len(trace.Builds); i++ {
		a, b := trace.Builds[i-1], trace.Builds[i]
		require.LessOrEqual(t, a.Arrival, b.Arrival)
		if a.Arrival == b.Arrival {
			require.Less(t, a.Duration, b.Duration)
		}
	}
}

func TestPackedAndMarkedSources(t *testing.T) {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := w.Write([]byte("\xef\xbb\xbf" + header + "1,1,1,1Gi,a\r\n"))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	trace, _, err := Read("t.CSV.gz", &packed, Options{})
	require.NoError(t, err)
	assert.Len(t, trace.Builds, 1)
}

func TestUnknownFormats(t *testing.T) {
	_, _, err := Read("builds.json", strings.NewReader(""), Options{})
	require.ErrorIs(t, err, ErrUnknownFormat)
	_, _, err = Read("builds", strings.NewReader(""), Options{Format: "xml"})
	require.ErrorContains(t, err, `unknown format "xml": use one of csv, jsonl`)
	_, _, err = ReadFile(t.TempDir()+"/none.csv", Options{})
	require.ErrorContains(t, err, "open trace: ")
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, errors.New("the disk is gone") }

func TestASourceThatFailsIsNoProblemOfItsContent(t *testing.T) {
	for _, f := range []Format{CSV, JSONLines} {
		_, _, err := Read("t", broken{}, Options{Format: f, SkipBad: true})
		require.EqualError(t, err, "read t: the disk is gone", f)
	}
}

func TestSeconds(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "1.5": 1500 * time.Millisecond, ".25": 250 * time.Millisecond, "2.": 2 * time.Second,
		"0.000000001": 1, "0.0000000019": 1, "-3": -3 * time.Second, "1e3": 1000 * time.Second, "1.5E-3": 1500 * time.Microsecond,
		"1757006747.123456789": 1757006747123456789,
	} {
		got, ok := parseSeconds(text)
		assert.True(t, ok, text)
		assert.Equal(t, want, got, text)
	}
	for _, text := range []string{"", ".", "-", "1.2.3", "1s", "1e", "NaN", "inf", "1e300", "99999999999999999999", "0x10", "1_000"} {
		_, ok := parseSeconds(text)
		assert.False(t, ok, text)
	}
}
