package nodegroups_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
	"github.com/buildpool/buildpool/nodegroups/config"
)

var spotAndNormal = []groupSpec{{name: "normal", max: 40}, {name: "spot", max: 40, class: config.ClassSpot}}

// ask asks for room for one small pod on each of the groups.
func (w *world) ask(groups ...string) cloudprovider.Expansion {
	w.t.Helper()
	var options []cloudprovider.ExpansionOption
	for _, id := range groups {
		options = append(options, cloudprovider.ExpansionOption{
			GroupID: id, NodeCount: 1,
			Demand: func() (cloudprovider.PodDemand, error) {
				return cloudprovider.PodDemand{Pods: 1, MilliCPU: 2000, MemoryBytes: 4 << 30}, nil
			},
			Node: func() (cloudprovider.NodeOffer, bool) { return cloudprovider.NodeOffer{}, false },
		})
	}
	x, err := w.BestOptions(options)
	require.NoError(w.t, err)
	return x
}

// against is the worst reason against a group.
func against(t *testing.T, x cloudprovider.Expansion, group string) cloudprovider.Skip {
	t.Helper()
	for _, r := range x.Ranked {
		if r.GroupID == group && len(r.Skips) > 0 {
			return r.Skips[0]
		}
	}
	require.Fail(t, "nothing speaks against the group", group)
	return cloudprovider.Skip{}
}

func TestExpanderNeedsASnapshot(t *testing.T) {
	play(t, spotAndNormal, func(w *world) {
		w.restart()
		_, err := w.BestOptions(nil)
		assert.ErrorIs(w.t, err, cloudprovider.ErrNotReady)
	})
}

func TestSpotUntilItIsOutOfStock(t *testing.T) {
	play(t, spotAndNormal, func(w *world) {
		assert.Equal(w.t, []string{"spot"}, w.ask("normal", "spot").Best)

		require.NoError(w.t, setStock(w.account, "spot", 0))
		require.NoError(w.t, w.IncreaseSize(w.t.Context(), "spot", 2))
		w.after(30 * time.Second)
		require.Len(w.t, w.placeholders("spot"), 2)
		x := w.ask("normal", "spot")
		assert.Equal(w.t, []string{"normal"}, x.Best)
		assert.Equal(w.t, cloudprovider.SkippedOutOfStock, against(w.t, x, "spot").Reason)
		assert.Equal(w.t, "OperationDenied.NoStock", against(w.t, x, "spot").Code)

		require.NoError(w.t, w.DeleteNodes(w.t.Context(), "spot", w.placeholders("spot")))
		w.after(time.Second)
		assert.Equal(w.t, []string{"normal"}, w.ask("normal", "spot").Best, "CA has given up, the stock-out is not forgotten")

		w.restart()
		require.NoError(w.t, w.Refresh(w.t.Context()))
		assert.Equal(w.t, []string{"normal"}, w.ask("normal", "spot").Best, "nor by a restart")

		w.after(5 * time.Minute)
		assert.Equal(w.t, []string{"spot"}, w.ask("normal", "spot").Best, "but by time")
	})
}

func TestStockThatIsBackIsUsed(t *testing.T) {
	play(t, spotAndNormal, func(w *world) {
		require.NoError(w.t, setStock(w.account, "spot", 0))
		require.NoError(w.t, w.IncreaseSize(w.t.Context(), "spot", 1))
		w.after(30 * time.Second)
		require.Equal(w.t, []string{"normal"}, w.ask("normal", "spot").Best)
		require.NoError(w.t, setStock(w.account, "spot", 100))
		w.after(2 * time.Minute) // ESS tries again by itself
		require.Len(w.t, w.listed("spot", cloudprovider.Running), 1)
		assert.Equal(w.t, []string{"spot"}, w.ask("normal", "spot").Best)
	})
}

func TestReclaimedGroupRestsAndOurOwnRemovalsDoNot(t *testing.T) {
	play(t, spotAndNormal, func(w *world) {
		ids := w.grow("spot", 3)
		require.NoError(w.t, w.DeleteNodes(w.t.Context(), "spot", []cloudprovider.Node{node(ids[0])}))
		w.after(time.Minute)
		require.Equal(w.t, []string{"spot"}, w.ask("normal", "spot").Best, "we removed it ourselves")

		id, _, err := cloudprovider.ParseProviderID(ids[1])
		require.NoError(w.t, err)
		require.NoError(w.t, w.account.Account().Reclaim(id.InstanceID, account.ReclaimNotice))
		w.after(account.ReclaimNotice + 2*time.Second)
		w.after(5 * time.Minute) // the replacement leaves the counters as they were
		x := w.ask("normal", "spot")
		assert.Equal(w.t, []string{"normal"}, x.Best)
		seen := against(w.t, x, "spot")
		assert.Equal(w.t, cloudprovider.SkippedReclaimed, seen.Reason)
		assert.Equal(w.t, 10*time.Minute, seen.Until.Sub(seen.At))
		w.after(seen.Until.Sub(clock.RealClock{}.Now()))
		assert.Equal(w.t, []string{"spot"}, w.ask("normal", "spot").Best)
	})
}

func TestThrottledGroupIsPassedOverForAMoment(t *testing.T) {
	play(t, spotAndNormal, func(w *world) {
		require.NoError(w.t, w.account.InjectFault(esssim.Fault{API: "ScaleWithAdjustment", Kind: esssim.FaultThrottle, Rate: 1}))
		assert.ErrorIs(w.t, w.IncreaseSize(w.t.Context(), "spot", 1), cloudprovider.ErrThrottled)
		x := w.ask("normal", "spot")
		assert.Equal(w.t, []string{"normal"}, x.Best)
		assert.Equal(w.t, cloudprovider.SkippedThrottled, against(w.t, x, "spot").Reason)
		w.after(time.Minute)
		assert.Equal(w.t, []string{"spot"}, w.ask("normal", "spot").Best)

		assert.ErrorIs(w.t, w.IncreaseSize(w.t.Context(), "spot", 1), cloudprovider.ErrThrottled)
		require.Equal(w.t, []string{"normal"}, w.ask("normal", "spot").Best)
		w.account.ClearFaults()
		require.NoError(w.t, w.IncreaseSize(w.t.Context(), "spot", 1))
		assert.Equal(w.t, []string{"spot"}, w.ask("normal", "spot").Best, "a scale-up has passed since")
	})
}

// TestStockOutThatGoesOnIsNotForgotten: the cloud tries again and again, no counter
// moves, and each failure counts from its own time.
func TestStockOutThatGoesOnIsNotForgotten(t *testing.T) {
	play(t, spotAndNormal, func(w *world) {
		require.NoError(w.t, setStock(w.account, "spot", 0))
		require.NoError(w.t, w.IncreaseSize(w.t.Context(), "spot", 1))
		for range 12 {
			w.after(time.Minute)
			assert.Equal(w.t, []string{"normal"}, w.ask("normal", "spot").Best)
		}
	})
}

func TestSuspendedGroupIsPassedOver(t *testing.T) {
	play(t, spotAndNormal, func(w *world) {
		inactive := account.Inactive
		require.NoError(w.t, w.account.Account().EditGroup("asg-spot", account.GroupChange{Lifecycle: &inactive}))
		w.after(time.Second)
		x := w.ask("normal", "spot")
		assert.Equal(w.t, []string{"normal"}, x.Best)
		assert.Equal(w.t, cloudprovider.SkippedInactive, against(w.t, x, "spot").Reason)
	})
}

func TestExpanderFollowsTheConfiguration(t *testing.T) {
	play(t, spotAndNormal, func(w *world) {
		changed := w.config
		changed.Expander.Tiers = []config.Tier{{Classes: []config.Class{config.ClassNormal}}, {Classes: []config.Class{config.ClassSpot}}}
		w.Reload(changed)
		assert.Equal(w.t, []string{"spot"}, w.ask("normal", "spot").Best, "not before the next refresh")
		w.after(time.Second)
		assert.Equal(w.t, []string{"normal"}, w.ask("normal", "spot").Best)
	})
}

func TestGroupThatIsNotServedIsStillOurs(t *testing.T) {
	play(t, spotAndNormal, func(w *world) {
		changed := w.config
		changed.Groups = append([]config.Group{}, w.config.Groups...)
		changed.Groups[1].ScalingGroup.ID = "asg-gone"
		w.Reload(changed)
		w.after(time.Second)
		x := w.ask("normal", "spot")
		assert.Equal(w.t, []string{"normal"}, x.Best)
		assert.Equal(w.t, cloudprovider.SkippedInactive, against(w.t, x, "spot").Reason)
	})
}

func TestCheaperOfTwoAlike(t *testing.T) {
	alike := []groupSpec{{name: "a", max: 4}, {name: "b", max: 4}}
	play(t, alike, func(w *world) {
		priced := func(a, b config.Price) cloudprovider.Expansion {
			changed := w.config
			changed.Groups = append([]config.Group{}, w.config.Groups...)
			changed.Groups[0].Price, changed.Groups[1].Price = &a, &b
			w.Reload(changed)
			w.after(time.Second)
			return w.ask("a", "b")
		}
		x := priced(config.Price{PerHour: 2, Currency: "CNY"}, config.Price{PerHour: 1, Currency: "CNY"})
		assert.Equal(w.t, []string{"b"}, x.Best)
		assert.Equal(w.t, cloudprovider.ChosenPrice, x.Reason)
		x = priced(config.Price{PerHour: 2, Currency: "CNY"}, config.Price{PerHour: 1, Currency: "USD"})
		assert.Equal(w.t, []string{"a"}, x.Best, "which is cheaper cannot be told")
		assert.Equal(w.t, cloudprovider.ChosenName, x.Reason)
	})
}

// TestExpanderAnswersWhileGroupsChange is for the race detector.
func TestExpanderAnswersWhileGroupsChange(t *testing.T) {
	play(t, spotAndNormal, func(w *world) {
		var asking sync.WaitGroup
		for range 4 {
			asking.Go(func() {
				for range 50 {
					assert.Len(w.t, w.ask("normal", "spot").Best, 1)
					clock.RealClock{}.Sleep(time.Second)
				}
			})
		}
		require.NoError(w.t, setStock(w.account, "spot", 1))
		require.NoError(w.t, w.IncreaseSize(w.t.Context(), "spot", 3))
		for range 10 {
			w.after(3 * time.Second)
			w.Reload(w.config)
		}
		ids := w.listed("spot", cloudprovider.Running)
		require.Len(w.t, ids, 1)
		require.NoError(w.t, w.DeleteNodes(w.t.Context(), "spot", []cloudprovider.Node{node(ids[0])}))
		asking.Wait()
	})
}
