package nodegroups_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/ess/esssim"
)

// caLoops plays so many loops of CA, 10 seconds apart, with its own deadline.
func (w *world) caLoops(n int) {
	w.t.Helper()
	for range n {
		ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Second)
		require.NoError(w.t, w.Refresh(ctx))
		cancel()
		clock.RealClock{}.Sleep(10 * time.Second)
	}
}

func TestAnHourWithoutTheCloud(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		ids := w.grow("spot", 2)
		require.NoError(t, w.account.InjectFault(esssim.Fault{API: "*", Kind: esssim.FaultError, Rate: 1, Status: http.StatusServiceUnavailable}))
		w.caLoops(360)
		assert.Equal(t, 2, w.target("spot"))
		assert.Equal(t, ids, w.listed("spot", cloudprovider.Running))
		assert.Contains(t, w.Status().LastError, "unavailable")

		require.NoError(t, w.Refresh(w.t.Context()))
		began := clock.RealClock{}.Now()
		w.account.ForgetCalls()
		assert.ErrorIs(t, w.IncreaseSize(w.t.Context(), "spot", 1), cloudprovider.ErrUnavailable)
		assert.ErrorIs(t, w.DeleteNodes(w.t.Context(), "spot", []cloudprovider.Node{node(ids[0])}), cloudprovider.ErrUnavailable)
		assert.NoError(t, w.DecreaseTargetSize(w.t.Context(), "spot", -1), "an error would abort CA's loop")
		assert.LessOrEqual(t, clock.RealClock{}.Since(began), 100*time.Millisecond, "the window of deletes, and no waiting for the cloud")
		assert.Empty(t, w.account.Calls())
		assert.Equal(t, 2, w.target("spot"))

		w.account.ClearFaults()
		w.caLoops(2)
		assert.Empty(t, w.Status().LastError)
		require.NoError(t, w.IncreaseSize(w.t.Context(), "spot", 1))
		assert.Equal(t, 3, w.target("spot"))
	})
}

func TestRefreshesInQuickSuccessionShareOneReading(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		w.after(time.Minute)
		w.account.ForgetCalls()
		for range 10 {
			w.after(20 * time.Millisecond)
		}
		assert.Empty(t, w.account.Calls())
		w.after(300 * time.Millisecond)
		assert.Equal(t, map[string]int{"DescribeScalingGroups": 1}, w.account.Calls(), "half a second after the last")
	})
}

func TestARefreshIsNotSharedWhileAWriteIsInDoubt(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		w.after(time.Minute)
		require.NoError(t, w.account.InjectFault(esssim.Fault{API: "ScaleWithAdjustment", Kind: esssim.FaultDrop, AfterEffect: true}))
		ctx, cancel := context.WithTimeout(w.t.Context(), 100*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, w.IncreaseSize(ctx, "spot", 2), cloudprovider.ErrOutcomeUnknown)
		w.after(time.Millisecond)
		assert.Equal(t, 2, w.target("spot"))
	})
}

func TestOneUnreadableGroupDoesNotStopTheOthers(t *testing.T) {
	play(t, []groupSpec{{name: "a", max: 5}, {name: "b", max: 5}}, func(w *world) {
		w.grow("a", 1)
		require.NoError(t, w.account.InjectFault(esssim.Fault{API: "DescribeScalingInstances", Kind: esssim.FaultError, Rate: 1}))
		require.NoError(t, w.IncreaseSize(w.t.Context(), "b", 1), "the groups themselves can be read")
		ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Second)
		defer cancel()
		require.NoError(t, w.Refresh(ctx))
		assert.Equal(t, 1, w.target("a"))
		assert.Equal(t, 1, w.target("b"))
		w.account.ClearFaults()
		w.after(time.Minute)
		assert.Len(t, w.listed("b", cloudprovider.Running), 1)
	})
}
