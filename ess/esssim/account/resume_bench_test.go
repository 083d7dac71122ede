package account

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkResume makes an account again after 10,000 writes that came a minute apart.
func BenchmarkResume(b *testing.B) {
	a, clock := newTwoGroups(b, 1)
	begun := clock.Now()
	var kept [][]byte
	a.Keep(func(c Change) error {
		line, err := json.Marshal(c)
		kept = append(kept, line)
		return err
	})
	for n := range 10_000 {
		clock.SetTime(clock.Now().Add(time.Minute))
		_, err := a.ScaleWithAdjustment(Adjustment{GroupID: "expected", Type: TotalCapacity, Value: 5 + n%20})
		require.NoError(b, err)
	}
	cfg, err := Parse("two.yaml", []byte(twoGroups))
	require.NoError(b, err)
	for b.Loop() {
		again, err := Resume(cfg, clock, 1, begun)
		require.NoError(b, err)
		for _, line := range kept {
			var c Change
			require.NoError(b, json.Unmarshal(line, &c))
			_, err := again.Redo(c)
			require.NoError(b, err)
		}
	}
}
