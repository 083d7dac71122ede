package baseline

import (
	"math"
	"time"
)

// Queue is the textbook's static pool: builds that arrive at random and each take a
// whole server for an exponential time (M/M/c). It is what StaticWaits is checked
// against, and any other model of a pool that never changes.
type Queue struct {
	Servers int
	// ArrivalsPerHour on average, and Service the average duration.
	ArrivalsPerHour float64
	Service         time.Duration
}

// load is the servers that are busy on average (Erlangs).
func (q Queue) load() float64 { return q.ArrivalsPerHour * q.Service.Hours() }

// WaitShare is the share of the builds that have to wait (Erlang C); 1 where the pool
// cannot keep up.
func (q Queue) WaitShare() float64 {
	a, c := q.load(), float64(q.Servers)
	if a >= c {
		return 1
	}
	// Erlang B by its recursion, which does not overflow, then C from B.
	blocked := 1.0
	for n := 1; n <= q.Servers; n++ {
		blocked = a * blocked / (float64(n) + a*blocked)
	}
	return blocked / (1 - a/c*(1-blocked))
}

// MeanWait of all builds; it grows without bound as the load reaches the servers.
func (q Queue) MeanWait() time.Duration {
	a, c := q.load(), float64(q.Servers)
	if a >= c {
		return math.MaxInt64
	}
	return time.Duration(q.WaitShare() * float64(q.Service) / (c - a))
}

// WaitAt is the p-th percentile (0 to 100) of the waits of all builds.
func (q Queue) WaitAt(p float64) time.Duration {
	a, c := q.load(), float64(q.Servers)
	if a >= c {
		return math.MaxInt64
	}
	beyond := 1 - p/100
	if beyond >= q.WaitShare() {
		return 0
	}
	return time.Duration(math.Log(q.WaitShare()/beyond) * float64(q.Service) / (c - a))
}
