package workload

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
)

// fuzzRead holds for every source: reading never panics, and what was read is a whole
// trace that survives being written.
func fuzzRead(f *testing.F, format Format, seeds ...string) {
	o := Options{Format: format}
	if format != CSV && format != JSONLines {
		o.Mapping = exampleMapping(f, format)
		_, text := exportOf(f, format)
		f.Add(text)
		if format == Prometheus {
			o.Mapping.Curve = &Curve{}
		}
	}
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		for _, o.SkipBad = range []bool{false, true} {
			trace, _, err := Read("fuzz", bytes.NewReader(source), o)
			if err != nil {
				continue
			}
			for i, b := range trace.Builds {
				require.GreaterOrEqual(t, b.Arrival, trace.Builds[max(i-1, 0)].Arrival)
				require.GreaterOrEqual(t, int64(b.Arrival), int64(0))
				require.GreaterOrEqual(t, int64(b.Duration), int64(0))
			}
			var file bytes.Buffer
			require.NoError(t, Write(&file, trace, CSV))
			again, _, err := Read("again", &file, Options{Format: CSV})
			require.NoError(t, err)
			require.Equal(t, trace.Builds, again.Builds)
			require.True(t, trace.Start.Equal(again.Start))
		}
	})
}

func FuzzCSV(f *testing.F) {
	fuzzRead(f, CSV, "# start 2026-03-02T08:00:00+08:00 Asia/Shanghai\narrival,duration,cpu,memory,gpu,class,job,labels,image,wait\n3,1m30s,500m,512Mi,1,spot|gpu,\"e2e, long\",disk=ssd;zone=a,golang,12\n",
		"arrival,duration,cpu,memory,class\n2026-03-02T08:00:00.5+08:00,1e3,1,1Gi,a\n1757006747.25,.5,1,1,a\n")
}

func FuzzJSONLines(f *testing.F) {
	fuzzRead(f, JSONLines, `{"start":"2026-03-02T08:00:00+08:00","location":"Asia/Shanghai"}`+"\n"+`{"arrival":3.25,"duration":"90","cpu":2,"memory":"4Gi","class":["spot","gpu"],"labels":{"a":"b"},"wait":null}`)
}

func FuzzColumns(f *testing.F)    { fuzzRead(f, Columns) }
func FuzzJenkins(f *testing.F)    { fuzzRead(f, Jenkins) }
func FuzzGitLab(f *testing.F)     { fuzzRead(f, GitLab) }
func FuzzGitHub(f *testing.F)     { fuzzRead(f, GitHub) }
func FuzzTekton(f *testing.F)     { fuzzRead(f, Tekton) }
func FuzzKubernetes(f *testing.F) { fuzzRead(f, Kubernetes) }

func FuzzPrometheus(f *testing.F) {
	fuzzRead(f, Prometheus, `{"data":{"result":[{"metric":{"__name__":"running"},"values":[[1772442000,"1"],[1772442060,"3"],[1772442120,"0"]]}]}}`)
}

func FuzzMapping(f *testing.F) {
	for _, format := range imports {
		text, err := ExampleMapping(format)
		require.NoError(f, err)
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := ParseMapping("fuzz.yaml", text)
		if err != nil {
			return
		}
		m.rule("job", []string{"tag"})
	})
}
