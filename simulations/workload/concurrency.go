package workload

import (
	"cmp"
	"slices"
	"time"
)

// Concurrency is how much would run at once if no build ever waited: from its arrival
// for its duration. It is what the demand is, whatever the capacity was.
type Concurrency struct {
	Builds      Level `json:"builds"`
	Cores       Level `json:"cores"`
	MemoryBytes Level `json:"memoryBytes"`
	GPUs        Level `json:"gpus"`
}

// Level is a level over time: its mean, the levels that it stays at or below for half,
// 90 %, 95 % and 99 % of the time, and the highest. Time runs from the trace's start to the last arrival.
type Level struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	Max  float64 `json:"max"`
}

// ending is the end of a build of a shape.
type ending struct {
	at    time.Duration
	shape int32
}

// concurrency walks through the arrivals and ends of the builds, which are in order of
// arrival.
func concurrency(t Trace, builds []Build) Concurrency {
	ends := make([]ending, len(builds))
	for i, b := range builds {
		ends[i] = ending{b.Arrival + b.Duration, b.Shape}
	}
	slices.SortFunc(ends, func(a, b ending) int { return cmp.Compare(a.at, b.at) })
	until := t.Builds[len(t.Builds)-1].Arrival
	var levels [4]levelMeter
	move := func(at time.Duration, shape int32, by int64) {
		s := &t.Shapes[shape]
		for i, amount := range [4]int64{1, s.MilliCPU, s.MemoryBytes, s.GPUs} {
			levels[i].move(at, by*amount)
		}
	}
	gone := 0
	for _, b := range builds {
		// Who ends at the instant another one arrives leaves first.
		for ; ends[gone].at <= b.Arrival && gone < len(ends)-1; gone++ {
			move(ends[gone].at, ends[gone].shape, -1)
		}
		move(b.Arrival, b.Shape, 1)
	}
	for ; gone < len(ends) && ends[gone].at < until; gone++ {
		move(ends[gone].at, ends[gone].shape, -1)
	}
	return Concurrency{
		Builds:      levels[0].level(until, 1),
		Cores:       levels[1].level(until, 1000),
		MemoryBytes: levels[2].level(until, 1),
		GPUs:        levels[3].level(until, 1),
	}
}

// levelMeter follows a level and keeps for how long it was what.
type levelMeter struct {
	now     int64
	since   time.Duration
	highest int64
	times   map[int64]time.Duration
}

func (m *levelMeter) move(at time.Duration, by int64) {
	if by == 0 {
		return
	}
	m.stay(at)
	m.now += by
	m.highest = max(m.highest, m.now)
}

func (m *levelMeter) stay(until time.Duration) {
	if m.times == nil {
		m.times = map[int64]time.Duration{}
	}
	if until > m.since {
		m.times[m.now] += until - m.since
		m.since = until
	}
}

// level sums up, in units of so many.
func (m *levelMeter) level(until time.Duration, unit float64) Level {
	m.stay(until)
	values := make([]int64, 0, len(m.times))
	sum := 0.0
	for v := range m.times {
		values = append(values, v)
	}
	slices.Sort(values)
	for _, v := range values { // in order, so that the sum is always the same
		sum += float64(v) * m.times[v].Seconds()
	}
	l := Level{Max: float64(m.highest) / unit}
	if until <= 0 {
		return l
	}
	l.Mean = sum / until.Seconds() / unit
	for _, q := range []struct {
		share float64
		to    *float64
	}{{0.50, &l.P50}, {0.90, &l.P90}, {0.95, &l.P95}, {0.99, &l.P99}} {
		var below time.Duration
		for _, v := range values {
			if below += m.times[v]; below.Seconds() >= q.share*until.Seconds() {
				*q.to = float64(v) / unit
				break
			}
		}
	}
	return l
}
