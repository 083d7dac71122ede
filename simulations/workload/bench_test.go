//go:build unix

package workload

import (
	"bytes"
	"syscall"
	"testing"
	"time"
)

// cpuTime is what this process has had of the machine, which says more than the wall
// clock does where others want it too.
func cpuTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// benchmarkRead reads a million builds of a month, as our formats write them.
func benchmarkRead(b *testing.B, f Format) {
	trace := generate(b, "monorepo-fan-out", Params{Days: 30, Seed: 1, BuildsPerWeekday: 1e6 / 21.0})
	var file bytes.Buffer
	if err := Write(&file, trace, f); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(file.Len()))
	b.ReportAllocs()
	before := cpuTime()
	for b.Loop() {
		again, _, err := Read("bench", bytes.NewReader(file.Bytes()), Options{Format: f})
		if err != nil || len(again.Builds) != len(trace.Builds) {
			b.Fatal(len(again.Builds), err)
		}
	}
	b.ReportMetric((cpuTime()-before).Seconds()/float64(b.N), "cpu-s/op")
	b.ReportMetric(float64(len(trace.Builds)), "builds")
}

func BenchmarkReadCSVMillion(b *testing.B)       { benchmarkRead(b, CSV) }
func BenchmarkReadJSONLinesMillion(b *testing.B) { benchmarkRead(b, JSONLines) }

func BenchmarkImport(b *testing.B) {
	for _, f := range imports {
		b.Run(string(f), func(b *testing.B) {
			name, text := exportOf(b, f)
			o := Options{Format: f, Mapping: exampleMapping(b, f), SkipBad: true}
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				if _, _, err := Read(name, bytes.NewReader(text), o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkGenerateMillion(b *testing.B) {
	for _, p := range Profiles() {
		b.Run(p.Name, func(b *testing.B) {
			var builds int
			for b.Loop() {
				builds += len(generate(b, p.Name, Params{Days: 30, Seed: 1, BuildsPerWeekday: 1e6 / 21.0}).Builds)
			}
			b.ReportMetric(float64(builds)/b.Elapsed().Seconds(), "builds/s")
		})
	}
}

func BenchmarkDescribeMillion(b *testing.B) {
	trace := generate(b, "monorepo-fan-out", Params{Days: 30, Seed: 1, BuildsPerWeekday: 1e6 / 21.0})
	for b.Loop() {
		Describe(trace)
	}
}
