package recommend

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/workload"
)

// BenchmarkThousandSettings searches through a thousand settings on a generated week with
// about as many builds a day as the public history of Bitcoin Core has. CPU time is of
// all cores together.
func BenchmarkThousandSettings(b *testing.B) {
	trace, err := workload.Generate("single-timezone", workload.Params{Days: 7, BuildsPerWeekday: 550, Seed: 1, Start: monday, Classes: []workload.ClassShare{
		{Classes: []string{"normal", "spot"}, Share: 2, MilliCPU: 3000, MemoryBytes: 6 << 30},
		{Classes: []string{"normal"}, Share: 1, MilliCPU: 5000, MemoryBytes: 8 << 30},
	}})
	require.NoError(b, err)
	settings := settingsOf(trace, groupOf("normal", config.ClassNormal, 1), groupOf("spot", config.ClassSpot, 0.2))
	o := smallOptions(2, "p95<60s")
	o.Settings, o.Seeds, o.Weeks = 1000, 5, 20
	tried := 0
	before := processorTime(b)
	for b.Loop() {
		s, err := New(settings, o)
		require.NoError(b, err)
		outcome, err := s.Run(b.Context())
		require.NoError(b, err)
		tried = outcome.Tried
	}
	b.ReportMetric((processorTime(b)-before).Seconds()/float64(b.N), "cpu-s/op")
	b.ReportMetric(float64(tried), "settings")
	b.ReportMetric(float64(len(trace.Builds)), "builds")
}

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
