package workload

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// What is written is read again: the same instants, shapes and builds, in both formats.
func TestTracesSurviveBeingWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := drawTrace(t)
		for _, f := range []Format{CSV, JSONLines} {
			var file bytes.Buffer
			require.NoError(t, Write(&file, want, f))
			text := file.String()
			got, dropped, err := Read("trace", &file, Options{Format: f})
			require.NoError(t, err, text)
			require.Zero(t, dropped.Count)
			require.True(t, want.Start.Equal(got.Start), "%s: %s became %s", f, want.Start, got.Start)
			require.Equal(t, want.Start.Format(time.RFC3339Nano), got.Start.Format(time.RFC3339Nano))
			require.Equal(t, want.Start.AddDate(0, 6, 0).Format(time.RFC3339), got.Start.AddDate(0, 6, 0).Format(time.RFC3339), "daylight saving of the location")
			require.Equal(t, want.Shapes, got.Shapes)
			require.Equal(t, len(want.Builds), len(got.Builds))
			for i := range want.Builds {
				require.Equal(t, want.Builds[i], got.Builds[i])
			}
		}
	})
}

// drawTrace draws a trace as readers make it: shapes in order of their first build, and
// each of them used.
func drawTrace(t *rapid.T) Trace {
	location := rapid.SampledFrom([]string{"UTC", "Asia/Shanghai", "America/New_York", "+05:45"}).Draw(t, "location")
	loaded, err := time.LoadLocation(location)
	if err != nil {
		loaded = time.FixedZone("", 5*3600+45*60)
	}
	start := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "start"), rapid.Int64Range(0, 1e9-1).Draw(t, "nanos")).In(loaded)
	known := newShapes()
	builds := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Build {
		b := Build{
			Arrival:  time.Duration(rapid.Int64Range(0, 2e17).Draw(t, "arrival")),
			Duration: time.Duration(rapid.Int64Range(0, 1e15).Draw(t, "duration")),
			Wait:     UnknownWait,
		}
		if rapid.Bool().Draw(t, "waited") {
			b.Wait = time.Duration(rapid.Int64Range(0, 1e13).Draw(t, "wait"))
		}
		return b
	}), 0, 20).Draw(t, "builds")
	sortBuilds(builds)
	for i := range builds {
		builds[i].Shape = known.index(drawShape(t))
	}
	return Trace{Start: start, Shapes: known.list, Builds: builds}
}

func drawShape(t *rapid.T) Shape {
	text := rapid.OneOf(
		rapid.StringMatching(`[a-z ,"'#|=;\\.äß漢-]{0,12}`),
		rapid.Just("#begins like a comment"), rapid.Just(` "quoted", with, commas `),
	)
	label := rapid.StringMatching(`[a-z]([a-z0-9.-]{0,6}[a-z0-9])?`)
	s := Shape{
		Job:         text.Draw(t, "job"),
		Image:       text.Draw(t, "image"),
		Classes:     rapid.SliceOfN(rapid.StringMatching(`[a-z][a-z ,;"-]{0,5}[a-z]`), 1, 3).Draw(t, "classes"),
		MilliCPU:    rapid.Int64Range(0, maxMilliCPU).Draw(t, "cpu"),
		MemoryBytes: rapid.Int64Range(0, maxMemory).Draw(t, "memory"),
		GPUs:        rapid.Int64Range(0, 8).Draw(t, "gpus"),
		Labels:      rapid.MapOfN(label, label, 0, 3).Draw(t, "labels"),
	}
	return s
}

func TestTracesThatCannotBeHeldAreRefused(t *testing.T) {
	for name, shape := range map[string]Shape{
		"line break":    {Job: "a\nb", Classes: []string{"normal"}},
		"no class":      {},
		"bar in class":  {Classes: []string{"a|b"}},
		"space around":  {Classes: []string{" a"}},
		"bad label":     {Classes: []string{"a"}, Labels: map[string]string{"a b": "c"}},
		"negative cpu":  {Classes: []string{"a"}, MilliCPU: -1},
		"not UTF-8":     {Classes: []string{"a"}, Image: "\xff"},
		"endless cores": {Classes: []string{"a"}, MilliCPU: maxMilliCPU + 1},
	} {
		for _, f := range []Format{CSV, JSONLines} {
			trace := Trace{Start: DefaultStart, Shapes: []Shape{shape}, Builds: []Build{{}}}
			require.Error(t, Write(&bytes.Buffer{}, trace, f), "%s as %s", name, f)
		}
	}
	require.ErrorIs(t, Write(&bytes.Buffer{}, Trace{}, GitLab), ErrUnknownFormat)
}
