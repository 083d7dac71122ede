package oracle

import (
	"encoding/csv"
	"flag"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/simulations/workload"
)

var realTracePath = flag.String("real-trace", os.Getenv("BUILDPOOL_REAL_TRACE"), "CSV of CI tasks with name, created, executing and final (Unix seconds); the project carries none")

// realTrace reads the first days of the real trace: tasks of a public CI system.
func realTrace(days int) func(*testing.T) workload.Trace {
	return func(t *testing.T) workload.Trace {
		if *realTracePath == "" {
			t.Skip("no real trace is given: -real-trace or BUILDPOOL_REAL_TRACE")
		}
		file, err := os.Open(*realTracePath)
		require.NoError(t, err)
		defer file.Close()
		rows, err := csv.NewReader(file).ReadAll()
		require.NoError(t, err)
		return fromTasks(rows, days)
	}
}

// fromTasks takes the tasks whose times are whole; what they asked for is not told, so
// that it is made up from their names: sanitizers and fuzzers take half a 16-core node,
// the rest a quarter.
func fromTasks(rows [][]string, days int) workload.Trace {
	column := map[string]int{}
	for n, name := range rows[0] {
		column[name] = n
	}
	type task struct {
		created, took int64
		name          string
	}
	var tasks []task
	for _, row := range rows[1:] {
		number := func(name string) int64 {
			n, err := strconv.ParseFloat(row[column[name]], 64)
			if err != nil {
				return 0
			}
			return int64(n)
		}
		created, executing, final := number("created"), number("executing"), number("final")
		if created > 0 && executing >= created && final > executing {
			tasks = append(tasks, task{created, final - executing, row[column["name"]]})
		}
	}
	slices.SortStableFunc(tasks, func(a, b task) int { return int(a.created - b.created) })
	midnight := time.Unix(tasks[0].created, 0).UTC().Truncate(24 * time.Hour)
	trace := workload.Trace{Start: midnight, Shapes: []workload.Shape{
		{Job: "light", Classes: []string{"normal"}, MilliCPU: 3900, MemoryBytes: 12 * gib},
		{Job: "heavy", Classes: []string{"normal"}, MilliCPU: 7800, MemoryBytes: 24 * gib},
	}}
	for _, k := range tasks {
		arrival := time.Unix(k.created, 0).Sub(midnight)
		if arrival >= time.Duration(days)*24*time.Hour {
			break
		}
		b := workload.Build{Arrival: arrival, Duration: time.Duration(k.took) * time.Second, Wait: workload.UnknownWait}
		if strings.Contains(strings.ToLower(k.name), "san") || strings.Contains(k.name, "fuzz") {
			b.Shape = 1
		}
		trace.Builds = append(trace.Builds, b)
	}
	return trace
}

// pushes come by chance; each asks for one to twelve builds within a few seconds, whose
// durations are log-normal around five minutes.
func pushes(perHour float64, span time.Duration, parts []workload.ClassShare) workload.Trace {
	chance := rand.New(rand.NewPCG(uint64(perHour), uint64(span)))
	trace := workload.Trace{Start: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}
	total := 0.0
	for _, p := range parts {
		total += p.Share
		trace.Shapes = append(trace.Shapes, workload.Shape{
			Job: "job", Classes: p.Classes, MilliCPU: p.MilliCPU, MemoryBytes: p.MemoryBytes, GPUs: p.GPUs, Labels: p.Labels, Image: p.Image,
		})
	}
	const perPush = 6.5
	for at := 0.0; ; {
		at += chance.ExpFloat64() / perHour * perPush
		push := time.Duration(at * float64(time.Hour))
		if push > span {
			break
		}
		for range 1 + chance.IntN(12) {
			pick, shape := chance.Float64()*total, 0
			for pick -= parts[0].Share; pick > 0 && shape < len(parts)-1; pick -= parts[shape].Share {
				shape++
			}
			duration := time.Duration(float64(5*time.Minute) * math.Exp(0.8*chance.NormFloat64()))
			trace.Builds = append(trace.Builds, workload.Build{
				Arrival: push + time.Duration(chance.Float64()*float64(5*time.Second)), Duration: duration, Wait: workload.UnknownWait, Shape: int32(shape),
			})
		}
	}
	slices.SortStableFunc(trace.Builds, func(a, b workload.Build) int { return int(a.Arrival - b.Arrival) })
	return trace
}
