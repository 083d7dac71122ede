package nodegroups_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
)

func TestStockOutBecomesPlaceholdersAndIsGivenUp(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		w.stock(1)
		require.NoError(t, w.IncreaseSize(w.t.Context(), "spot", 3))
		w.after(30 * time.Second)
		failed := w.placeholders("spot")
		require.Len(t, failed, 2)
		assert.Equal(t, 3, w.target("spot"), "the target stays until CA has seen the failure")
		group, err := w.NodeGroupForNode(failed[0])
		require.NoError(t, err)
		assert.Equal(t, "spot", group.ID)

		require.NoError(t, w.DeleteNodes(w.t.Context(), "spot", failed))
		assert.Equal(t, 1, w.target("spot"))
		assert.Empty(t, w.placeholders("spot"))
		assert.Equal(t, 1, w.desired("spot"), "the cloud is told at once to stop trying")

		w.stock(-1)
		w.after(5 * time.Minute)
		assert.Len(t, w.listed("spot", cloudprovider.Running), 1, "nobody asked for more")
		require.NoError(t, w.IncreaseSize(w.t.Context(), "spot", 2))
		w.after(time.Minute)
		assert.Len(t, w.listed("spot", cloudprovider.Running), 3)
	})
}

func TestPlaceholdersSurviveARestart(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		w.stock(0)
		require.NoError(t, w.IncreaseSize(w.t.Context(), "spot", 2))
		w.after(30 * time.Second)
		before := w.placeholders("spot")
		require.Len(t, before, 2)
		w.restart()
		w.after(time.Second)
		assert.Equal(t, before, w.placeholders("spot"))
		assert.Equal(t, 2, w.target("spot"))
	})
}

func TestDecreaseStopsAtWhatExists(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		w.grow("spot", 2)
		assert.ErrorIs(t, w.DecreaseTargetSize(w.t.Context(), "spot", 1), cloudprovider.ErrInvalidArgument)
		require.NoError(t, w.DecreaseTargetSize(w.t.Context(), "spot", -1))
		assert.Equal(t, 2, w.target("spot"), "never kills")

		w.stock(0)
		require.NoError(t, w.IncreaseSize(w.t.Context(), "spot", 4))
		w.after(30 * time.Second)
		require.NoError(t, w.DecreaseTargetSize(w.t.Context(), "spot", -6))
		assert.Equal(t, 2, w.target("spot"))
		assert.Equal(t, 2, w.desired("spot"))
		w.after(5 * time.Second)
		assert.Len(t, w.listed("spot", cloudprovider.Running), 2)
	})
}

func TestDesiredNumberIsNotLoweredWhileInstancesAreBeingCreated(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		w.stock(0)
		require.NoError(t, w.IncreaseSize(w.t.Context(), "spot", 2))
		w.after(30 * time.Second)
		failed := w.placeholders("spot")
		repeating := false
		for !repeating {
			clock.RealClock{}.Sleep(100 * time.Millisecond)
			activities, err := w.cloud.Activities(w.t.Context(), "asg-spot")
			require.NoError(t, err)
			repeating = activities[0].Status == cloudprovider.ActivityInProgress
		}
		require.NoError(t, w.DeleteNodes(w.t.Context(), "spot", failed))
		assert.Equal(t, 0, w.target("spot"), "CA's view is right at once")
		assert.Equal(t, 2, w.desired("spot"), "ESS may be about to bring them")
		w.after(10 * time.Second)
		assert.Equal(t, 0, w.desired("spot"))
		assert.Equal(t, 0, w.target("spot"))
	})
}

func TestInstanceThatCameWhileCAGaveItUpIsKept(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		w.stock(0)
		require.NoError(t, w.IncreaseSize(w.t.Context(), "spot", 2))
		w.after(30 * time.Second)
		failed := w.placeholders("spot")
		require.Len(t, failed, 2)
		w.stock(-1)
		clock.RealClock{}.Sleep(90 * time.Second) // ESS repeats the creation, and it works

		require.NoError(t, w.DeleteNodes(w.t.Context(), "spot", failed))
		w.after(time.Minute)
		assert.Equal(t, 2, w.target("spot"), "they exist, so they count")
		assert.Equal(t, 2, w.desired("spot"))
		assert.Len(t, w.listed("spot", cloudprovider.Running), 2, "nobody chose a victim")
	})
}
