package nodegroups_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
)

func TestScaleUpIsVisibleAtOnceAndHappens(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		require.NoError(t, w.IncreaseSize(w.t.Context(), "spot", 3))
		assert.Equal(t, 3, w.target("spot"))
		assert.Equal(t, 3, w.desired("spot"))
		w.after(2 * time.Second)
		assert.Len(t, w.listed("spot", cloudprovider.Creating), 3)
		w.after(30 * time.Second)
		running := w.listed("spot", cloudprovider.Running)
		require.Len(t, running, 3)
		group, err := w.NodeGroupForNode(node(running[0]))
		require.NoError(t, err)
		assert.Equal(t, cloudprovider.NodeGroup{ID: "spot", Min: 0, Max: 40, Debug: group.Debug}, group)
	})
}

func TestIncreasesInARowAddUp(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		for range 4 {
			require.NoError(t, w.IncreaseSize(w.t.Context(), "spot", 2))
			w.after(100 * time.Millisecond)
		}
		assert.Equal(t, 8, w.target("spot"))
		w.after(time.Minute)
		assert.Len(t, w.listed("spot", cloudprovider.Running), 8)
	})
}

func TestMaxIsNeverExceeded(t *testing.T) {
	play(t, []groupSpec{{name: "small", max: 2}}, func(w *world) {
		assert.ErrorIs(t, w.IncreaseSize(w.t.Context(), "small", 3), cloudprovider.ErrAboveMax)
		assert.ErrorIs(t, w.IncreaseSize(w.t.Context(), "small", 0), cloudprovider.ErrInvalidArgument)
		assert.ErrorIs(t, w.IncreaseSize(w.t.Context(), "tiny", 1), cloudprovider.ErrGroupNotFound)
		require.NoError(t, w.IncreaseSize(w.t.Context(), "small", 2))
		assert.Equal(t, 2, w.target("small"))
	})
}

func TestInactiveGroupRefusesToGrow(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		inactive := account.Inactive
		require.NoError(t, w.account.Account().EditGroup("asg-spot", account.GroupChange{Lifecycle: &inactive}))
		assert.ErrorIs(t, w.IncreaseSize(w.t.Context(), "spot", 1), cloudprovider.ErrGroupInactive)
		assert.Equal(t, 0, w.target("spot"))
	})
}

func TestIncreaseNeverUndercutsAChangeByHand(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		w.grow("spot", 2)
		ten := 10
		require.NoError(t, w.account.Account().EditGroup("asg-spot", account.GroupChange{Desired: &ten}))
		require.NoError(t, w.IncreaseSize(w.t.Context(), "spot", 1))
		assert.Equal(t, 11, w.desired("spot"))
		assert.Equal(t, 11, w.target("spot"))
	})
}

func TestWriteWithoutAnAnswerIsSettledByTheNextLook(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		ids := w.grow("spot", 3)
		lost := esssim.Fault{Kind: esssim.FaultDrop, AfterEffect: true}
		short := func(do func(context.Context) error) error {
			ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Second)
			defer cancel()
			return do(ctx)
		}
		lost.API = "ScaleWithAdjustment"
		require.NoError(t, w.IncreaseSize(w.t.Context(), "spot", 1))
		require.NoError(t, w.account.InjectFault(lost))
		err := short(func(ctx context.Context) error { return w.IncreaseSize(ctx, "spot", 2) })
		require.ErrorIs(t, err, cloudprovider.ErrOutcomeUnknown)
		assert.Equal(t, 4, w.target("spot"), "what is not known is not promised")
		w.account.ClearFaults()
		w.after(10 * time.Second)
		assert.Equal(t, 6, w.target("spot"), "it did happen, once")
		w.after(time.Minute)
		assert.Len(t, w.listed("spot", cloudprovider.Running), 6)
		require.NoError(t, w.DeleteNodes(w.t.Context(), "spot", []cloudprovider.Node{node(ids[2])}))

		lost.API = "RemoveInstances"
		require.NoError(t, w.account.InjectFault(lost))
		err = short(func(ctx context.Context) error {
			return w.DeleteNodes(ctx, "spot", []cloudprovider.Node{node(ids[0])})
		})
		require.Error(t, err)
		w.account.ClearFaults()
		w.after(time.Second)
		assert.Equal(t, 4, w.target("spot"))
		assert.Contains(t, w.listed("spot", cloudprovider.Deleting), ids[0])
	})
}

func TestGroupOutsideExpectedNumberModeQueuesItsIncrease(t *testing.T) {
	play(t, []groupSpec{{name: "old", max: 10, classic: true}}, func(w *world) {
		require.NoError(t, w.IncreaseSize(w.t.Context(), "old", 2))
		w.after(time.Second)
		require.NoError(t, w.IncreaseSize(w.t.Context(), "old", 3), "while the first activity runs")
		assert.Equal(t, 5, w.target("old"))
		for range 12 {
			w.after(10 * time.Second)
			assert.Equal(t, 5, w.target("old"))
		}
		assert.Len(t, w.listed("old", cloudprovider.Running), 5)
	})
}

func TestRestartInTheMiddleOfAScaleUpDoublesNothing(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		require.NoError(t, w.IncreaseSize(w.t.Context(), "spot", 5))
		w.restart()
		w.after(time.Second)
		assert.Equal(t, 5, w.target("spot"))
		w.after(time.Minute)
		assert.Len(t, w.listed("spot", cloudprovider.Running), 5)
	})
}
