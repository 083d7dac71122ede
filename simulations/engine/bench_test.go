package engine_test

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/overflow"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

// logNormal is a trace of builds at a rate, a quarter of a node each, whose durations
// are log-normal about ten minutes with a 95th percentile of forty.
func logNormal(perHour float64, span time.Duration) workload.Trace {
	chance := rand.New(rand.NewPCG(5, 5))
	sigma := math.Log(4) / 1.6448536269514722
	t := workload.Trace{Start: monday, Shapes: []workload.Shape{quarter}}
	for now := 0.0; ; {
		now += chance.ExpFloat64() / perHour
		arrival := time.Duration(now * float64(time.Hour))
		if arrival > span {
			return t
		}
		t.Builds = append(t.Builds, workload.Build{
			Arrival:  arrival,
			Duration: time.Duration(10 * float64(time.Minute) * math.Exp(sigma*chance.NormFloat64())),
			Wait:     workload.UnknownWait,
		})
	}
}

// pushes is a trace of the shape of real CI: pushes that start a dozen builds at once,
// by day and on weekdays, as many in a month as the public history of Bitcoin Core has.
func pushes(b *testing.B, days int, perWeekday float64) workload.Trace {
	t, err := workload.Generate("single-timezone", workload.Params{
		Days: days, BuildsPerWeekday: perWeekday, Seed: 1,
		Classes: []workload.ClassShare{{Classes: []string{"normal"}, Share: 1, MilliCPU: 4000, MemoryBytes: 8 * gib}},
	})
	require.NoError(b, err)
	return t
}

func bench(b *testing.B, s engine.Settings) {
	b.Helper()
	b.ReportAllocs()
	var r *engine.Result
	began, runs := processorTime(b), 0
	for b.Loop() {
		var err error
		if r, err = engine.Run(context.Background(), s, nil); err != nil {
			b.Fatal(err)
		}
		runs++
	}
	b.ReportMetric(float64((processorTime(b)-began).Nanoseconds())/1e6/float64(runs), "cpu-ms/op")
	b.ReportMetric(float64(len(s.Trace.Builds)), "builds")
	b.ReportMetric(float64(r.Groups[0].Peak), "nodes")
	b.ReportMetric(float64(r.Loops), "loops")
}

// processorTime is what the process has had of the processors: on a busy machine that
// says more than the time that passes.
func processorTime(b *testing.B) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkMonth is thirty days of an office's builds.
func BenchmarkMonth(b *testing.B) { bench(b, settings(pushes(b, 30, 520), normal("n", 0, 2000))) }

// BenchmarkThousandAnHour is a day of 1,000 builds an hour.
func BenchmarkThousandAnHour(b *testing.B) {
	bench(b, settings(logNormal(1000, 24*time.Hour), normal("n", 0, 2000)))
}

// BenchmarkThousandAnHourWithOverflow is the same with too few nodes by day and night, and a
// virtual node for the rest.
func BenchmarkThousandAnHourWithOverflow(b *testing.B) {
	s := settings(logNormal(1000, 24*time.Hour), normal("n", 0, 50))
	s.Overflow = &engine.Overflow{
		ScanInterval: 10 * time.Second, Every: overflow.Period, Start: engine.Delay{Median: 15 * time.Second, P95: 30 * time.Second},
		Classes: []engine.OverflowClass{{Class: "normal", Policy: overflow.Policy{
			Start:  overflow.Start{After: 5 * time.Minute, WhenBlocked: true},
			Margin: time.Minute, MaxPods: 500, Price: overflow.Price{PerCPU: 0.2, PerGiB: 0.02}, TaintKey: "virtual-kubelet.io/provider",
		}}},
	}
	bench(b, s)
}

// BenchmarkSixtyThousandAnHour is an hour on more than 1,400 nodes.
func BenchmarkSixtyThousandAnHour(b *testing.B) {
	bench(b, settings(logNormal(60_000, time.Hour), normal("n", 0, 10_000)))
}

// BenchmarkSixtyThousandAnHourOfManyShapes is the same with thirty kinds of request, so
// that hardly two nodes are alike.
func BenchmarkSixtyThousandAnHourOfManyShapes(b *testing.B) {
	t := logNormal(60_000, time.Hour)
	t.Shapes = nil
	for i := range 30 {
		t.Shapes = append(t.Shapes, workload.Shape{
			Job: fmt.Sprint(i), Classes: []string{"normal"}, MilliCPU: int64(900 + 190*i), MemoryBytes: int64(1+i%7) * gib,
		})
	}
	for i := range t.Builds {
		t.Builds[i].Shape = int32(i * 7 % 30)
	}
	bench(b, settings(t, normal("n", 0, 10_000)))
}

// BenchmarkMillion is a million builds in 90 days.
func BenchmarkMillion(b *testing.B) {
	bench(b, settings(logNormal(1_000_000.0/(90*24), 90*24*time.Hour), normal("n", 0, 2000)))
}

// BenchmarkGrowth shows how time grows with builds: 1,000 an hour, for longer and longer.
func BenchmarkGrowth(b *testing.B) {
	for n := 10_000; n <= 10_000_000; n *= 10 {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			if n > 1_000_000 && testing.Short() {
				b.Skip("takes a gigabyte")
			}
			bench(b, settings(logNormal(1000, time.Duration(n/1000)*time.Hour), normal("n", 0, 2000)))
		})
	}
}

// BenchmarkRealMonth is thirty days of a public CI system, as BUILDPOOL_REAL_TRACE names
// its export: created, executing and final as Unix seconds.
func BenchmarkRealMonth(b *testing.B) {
	path := os.Getenv("BUILDPOOL_REAL_TRACE")
	if path == "" {
		b.Skip("BUILDPOOL_REAL_TRACE names no trace")
	}
	file, err := os.Open(path)
	require.NoError(b, err)
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	require.NoError(b, err)
	bench(b, settings(realMonth(rows), normal("n", 0, 2000)))
}

func realMonth(rows [][]string) workload.Trace {
	number := func(row []string, name string) int64 {
		n, err := strconv.ParseInt(row[slices.Index(rows[0], name)], 10, 64)
		if err != nil {
			return 0
		}
		return n
	}
	first := int64(math.MaxInt64)
	t := workload.Trace{Shapes: []workload.Shape{quarter}}
	for _, row := range rows[1:] {
		created, executing, final := number(row, "created"), number(row, "executing"), number(row, "final")
		if created == 0 || executing < created || final < executing {
			continue
		}
		first = min(first, created)
		t.Builds = append(t.Builds, workload.Build{
			Arrival: time.Duration(created) * time.Second, Duration: time.Duration(final-executing) * time.Second, Wait: workload.UnknownWait,
		})
	}
	t.Start = time.Unix(first, 0).UTC()
	slices.SortStableFunc(t.Builds, func(a, b workload.Build) int { return cmp.Compare(a.Arrival, b.Arrival) })
	for i := range t.Builds {
		t.Builds[i].Arrival -= time.Duration(first) * time.Second
		if t.Builds[i].Arrival > 30*24*time.Hour {
			t.Builds = t.Builds[:i]
			break
		}
	}
	return t
}
