package recommend

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/simulations/workload"
)

func TestParseSLO(t *testing.T) {
	for text, want := range map[string]SLO{
		"p95<60s":       {Measure: "p95", Limit: time.Minute},
		" p99.9 <= 5m ": {Measure: "p99.9", Limit: 5 * time.Minute, OrEqual: true},
		"gpu:p50<1m30s": {Class: "gpu", Measure: "p50", Limit: 90 * time.Second},
		"mean<30s":      {Measure: "mean", Limit: 30 * time.Second},
		"max<2h":        {Measure: "max", Limit: 2 * time.Hour},
		"p100<1ms":      {Measure: "p100", Limit: time.Millisecond},
	} {
		t.Run(text, func(t *testing.T) {
			got, err := ParseSLO(text)
			require.NoError(t, err)
			assert.Equal(t, want, got)
			again, err := ParseSLO(got.String())
			require.NoError(t, err, "what is written is read again")
			assert.Equal(t, want, again)
			form, err := json.Marshal(got)
			require.NoError(t, err)
			assert.Contains(t, string(form), got.Figure())
		})
	}
	for _, text := range []string{"", "p95", "p95<", "p95<60", "p95<0s", "p95>60s", "p0<1s", "p101<1s", "95<60s", "p95<-1s", "p95<soon", "GPU:p95<1s"} {
		t.Run("not "+text, func(t *testing.T) {
			_, err := ParseSLO(text)
			assert.ErrorIs(t, err, ErrSLO)
		})
	}
}

func FuzzParseSLO(f *testing.F) {
	f.Add("gpu:p99.9<=1h2m3s")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSLO(text)
		if err != nil {
			return
		}
		again, err := ParseSLO(s.String())
		require.NoError(t, err)
		assert.Equal(t, s, again)
	})
}

func TestFiguresOfServiceLevels(t *testing.T) {
	trace := workload.Trace{Shapes: []workload.Shape{{Classes: []string{"normal", "spot"}}, {Classes: []string{"gpu"}}}}
	var waits []time.Duration
	for n := range 100 {
		trace.Builds = append(trace.Builds, workload.Build{Shape: int32(n % 2)})
		waits = append(waits, time.Duration(100-n)*time.Second)
	}
	for text, want := range map[string]time.Duration{
		"p95<1s": 95 * time.Second, "max<1s": 100 * time.Second, "mean<1s": 50500 * time.Millisecond,
		"gpu:max<1s": 99 * time.Second, "spot:p50<1s": 50 * time.Second, "other:p95<1s": 0,
	} {
		s, err := ParseSLO(text)
		require.NoError(t, err)
		assert.Equal(t, want, s.value(trace, waits), text)
	}
	strict, _ := ParseSLO("p95<60s")
	lax, _ := ParseSLO("p95<=60s")
	assert.False(t, strict.Met(time.Minute))
	assert.True(t, lax.Met(time.Minute))
	assert.False(t, lax.Met(time.Minute+1))
}

func TestParseBudget(t *testing.T) {
	for text, want := range map[string]float64{"900": 900, "100/day": 1400, "1200/week": 2400, "3000/month": 1400, "2/hour": 672} {
		b, err := ParseBudget(text)
		require.NoError(t, err, text)
		assert.InDelta(t, want, b.Over(2*week), 1e-9, text)
	}
	assert.True(t, math.IsInf(Budget{}.Over(week), 1), "no budget bounds nothing")
	for _, text := range []string{"", "0", "-5", "NaN", "Inf", "10/year", "ten", "10/"} {
		_, err := ParseBudget(text)
		assert.ErrorIs(t, err, ErrBudget, text)
	}
}
