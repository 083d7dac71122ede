package nodegroups_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/nodegroups/spot"
)

// watch lets time pass with a look every 20 s.
func (w *world) watch(d time.Duration) {
	w.t.Helper()
	for ; d > 0; d -= 20 * time.Second {
		w.after(20 * time.Second)
	}
}

// What was seen of a type in a zone outlives the provider that saw it, and a notice that
// the next one still sees is not another.
func TestReclaimsAreRecalled(t *testing.T) {
	play(t, []groupSpec{reclaimable(config.ReclaimCordoned), {name: "n", max: 3, desired: 1}}, func(w *world) {
		w.watch(time.Hour)
		id := w.reclaim(0)
		w.watch(time.Minute)
		st := w.Status().Groups[0]
		require.Len(w.t, st.Notices, 1)
		assert.Equal(w.t, id, st.Notices[0].InstanceID)
		assert.False(w.t, st.Notices[0].LetGo)
		pool := spot.Pool{InstanceType: "ecs.c7.2xlarge", Zone: "cn-hangzhou-h"}
		assert.Equal(w.t, map[spot.Pool]int{pool: 1}, st.Noticed)
		require.Len(w.t, st.Pools, 1)
		assert.Equal(w.t, pool, st.Pools[0].Pool)
		assert.InDelta(w.t, 1, st.Pools[0].Reclaims, 0.01)
		assert.InDelta(w.t, 2, st.Pools[0].Hours, 0.1, "two instances for an hour")
		assert.InDelta(w.t, 1./12, st.ReclaimsPerHour, 0.005)
		assert.False(w.t, st.LosesMore)
		assert.Empty(w.t, w.Status().Groups[1].Pools, "it buys on demand")

		text, err := w.Reclaims().Encode()
		require.NoError(w.t, err)
		w.Close()
		w.restart()
		require.NoError(w.t, w.Refresh(w.t.Context()))
		h, err := spot.DecodeHistory(text)
		require.NoError(w.t, err)
		w.RecallReclaims(h)
		w.watch(time.Minute)
		assert.InDelta(w.t, 1./12, w.Status().Groups[0].ReclaimsPerHour, 0.005, "the notice that the next one still sees was counted")
		w.ForgetReclaims()
		assert.Zero(w.t, w.Status().Groups[0].ReclaimsPerHour)
	})
}

// Where notices are not asked for, nothing is known.
func TestNoReclaimsAreKnownWhereNoticesAreIgnored(t *testing.T) {
	play(t, []groupSpec{reclaimable(config.ReclaimIgnored)}, func(w *world) {
		w.watch(10 * time.Minute)
		w.reclaim(0)
		w.watch(10 * time.Minute)
		assert.Empty(w.t, w.Reclaims().Pools)
	})
}
