package engine_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

// erlangC is the probability that a build has to wait in an M/M/c queue with an offered
// load of a, and the mean wait as a multiple of the mean duration.
func erlangC(a float64, c int) (wait, meanWait float64) {
	term, sum := 1.0, 1.0
	for k := 1; k < c; k++ {
		term *= a / float64(k)
		sum += term
	}
	last := term * a / float64(c) * float64(c) / (float64(c) - a)
	wait = last / (sum + last)
	return wait, wait / (float64(c) - a)
}

// TestAStaticPoolIsAnErlangCQueue: where min is max and a node holds one build, theory
// knows how long builds wait.
func TestAStaticPoolIsAnErlangCQueue(t *testing.T) {
	whole := workload.Shape{Classes: []string{"normal"}, MilliCPU: 16000, MemoryBytes: gib}
	for _, test := range []struct {
		nodes   int
		perHour float64
	}{{1, 5}, {4, 20}, {10, 54}, {30, 162}} {
		const mean = 10 * time.Minute
		span := time.Duration(200_000 / test.perHour * float64(time.Hour))
		trace := poisson(7, test.perHour, span, mean, whole)
		r := run(t, settings(trace, normal("static", test.nodes, test.nodes)))
		waited, sum := 0, time.Duration(0)
		for i, b := range r.Builds {
			require.NotEqual(t, engine.Never, b.Started)
			if w := b.Started - trace.Builds[i].Arrival; w > 0 {
				waited++
				sum += w
			}
		}
		share, wait := erlangC(test.perHour*mean.Hours(), test.nodes)
		n := float64(len(r.Builds))
		require.InEpsilon(t, share, float64(waited)/n, 0.02, "%d nodes: share that waits", test.nodes)
		require.InEpsilon(t, wait*mean.Seconds(), sum.Seconds()/n, 0.05, "%d nodes: mean wait", test.nodes)
	}
}
