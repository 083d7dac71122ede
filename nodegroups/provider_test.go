package nodegroups_test

import (
	"context"
	"net/http"
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

func setStock(s *esssim.Simulator, charge string, n int) error {
	return s.SetStock("cn-hangzhou-h", "ecs.c7.2xlarge", account.Charge(charge), n)
}

var spotGroup = []groupSpec{{name: "spot", max: 40, class: config.ClassSpot}}

func TestNothingIsServedBeforeTheFirstRefresh(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		w.restart()
		_, err := w.NodeGroups()
		assert.ErrorIs(t, err, cloudprovider.ErrNotReady)
		_, err = w.TargetSize("spot")
		assert.ErrorIs(t, err, cloudprovider.ErrNotReady)
		require.NoError(t, w.account.InjectFault(esssim.Fault{API: "*", Kind: esssim.FaultError, Rate: 1, Status: http.StatusServiceUnavailable}))
		ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Second)
		defer cancel()
		assert.Error(t, w.Refresh(ctx))
	})
}

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

func TestDeleteRemovesExactlyTheNamedNode(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		ids := w.grow("spot", 3)
		require.NoError(t, w.DeleteNodes(w.t.Context(), "spot", []cloudprovider.Node{node(ids[1])}))
		assert.Equal(t, 2, w.target("spot"))
		assert.Equal(t, []string{ids[1]}, w.listed("spot", cloudprovider.Deleting))

		require.NoError(t, w.DeleteNodes(w.t.Context(), "spot", []cloudprovider.Node{node(ids[1])}), "again")
		assert.Equal(t, 2, w.target("spot"), "a node that has left does not lower the target twice")
		w.after(30 * time.Second)
		require.NoError(t, w.DeleteNodes(w.t.Context(), "spot", []cloudprovider.Node{node(ids[1])}), "and when it is gone")
		assert.Equal(t, 2, w.target("spot"))
		assert.Equal(t, []string{ids[0], ids[2]}, w.listed("spot", cloudprovider.Running))
		assert.Equal(t, 2, w.desired("spot"))
	})
}

func TestDeleteRefuses(t *testing.T) {
	groups := []groupSpec{{name: "spot", max: 40, class: config.ClassSpot}, {name: "kept", min: 1, max: 5}}
	play(t, groups, func(w *world) {
		spot, kept := w.grow("spot", 1), w.grow("kept", 2)
		del := func(group string, n cloudprovider.Node) error {
			return w.DeleteNodes(w.t.Context(), group, []cloudprovider.Node{n})
		}
		assert.ErrorIs(t, del("kept", node(spot[0])), cloudprovider.ErrInvalidArgument, "another group's")
		assert.ErrorIs(t, del("spot", node("cn-hangzhou.i-foreign")), cloudprovider.ErrNotManaged)
		assert.ErrorIs(t, del("spot", node("cn-beijing.i-abroad")), cloudprovider.ErrNotManaged)
		assert.ErrorIs(t, del("spot", node("kwok://virtual")), cloudprovider.ErrNotManaged)
		require.NoError(t, del("kept", node(kept[0])))
		assert.ErrorIs(t, del("kept", node(kept[1])), cloudprovider.ErrBelowMin)
		assert.ErrorIs(t, w.DeleteNodes(w.t.Context(), "spot", nil), cloudprovider.ErrInvalidArgument)

		_, err := w.NodeGroupForNode(node("alicloud://" + spot[0]))
		require.NoError(t, err)
		assert.ErrorIs(t, del("spot", fakeNode(spot[0], "unregistered")), cloudprovider.ErrNodeInUse, "its node lives under the other spelling")
	})
}

func TestConcurrentDeletesShareTheirCalls(t *testing.T) {
	play(t, []groupSpec{{name: "spot", max: 100, class: config.ClassSpot}}, func(w *world) {
		ids := w.grow("spot", 100)
		w.account.ForgetCalls()
		var deletes sync.WaitGroup
		for _, id := range ids {
			deletes.Go(func() {
				assert.NoError(t, w.DeleteNodes(w.t.Context(), "spot", []cloudprovider.Node{node(id)}))
			})
		}
		deletes.Wait()
		assert.Equal(t, map[string]int{"RemoveInstances": 5}, w.account.Calls())
		assert.Equal(t, 0, w.target("spot"))
		w.after(time.Minute)
		assert.Empty(t, w.listed("spot", cloudprovider.Running))
		assert.Equal(t, 0, w.desired("spot"))
	})
}

func TestTheSameNodeDeletedTwiceAtOnceCountsOnce(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		ids := w.grow("spot", 3)
		var deletes sync.WaitGroup
		for range 5 {
			deletes.Go(func() {
				assert.NoError(t, w.DeleteNodes(w.t.Context(), "spot", []cloudprovider.Node{node(ids[0])}))
			})
		}
		deletes.Wait()
		assert.Equal(t, 2, w.target("spot"))
		assert.Equal(t, 2, w.desired("spot"))
	})
}

func TestDeleteSurvivesAnInstanceThatIsGone(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		ids := w.grow("spot", 3)
		gone, _, err := cloudprovider.ParseProviderID(ids[0])
		require.NoError(t, err)
		require.NoError(t, w.account.Reclaim(gone.InstanceID, 0))
		clock.RealClock{}.Sleep(30 * time.Second) // the provider has not looked since

		nodes := []cloudprovider.Node{node(ids[0]), node(ids[1])}
		require.NoError(t, w.DeleteNodes(w.t.Context(), "spot", nodes))
		assert.Equal(t, 2, w.target("spot"), "one was removed, and one had left by itself")
	})
}

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

func TestNodeThatSomebodyElseIsRemovingIsGoneAlready(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		ids := w.grow("spot", 2)
		gone, _, err := cloudprovider.ParseProviderID(ids[0])
		require.NoError(t, err)
		_, err = w.cloud.RemoveInstances(w.t.Context(), cloudprovider.RemoveInstances{GroupID: "asg-spot", InstanceIDs: []string{gone.InstanceID}, Token: "by-hand"})
		require.NoError(t, err)
		w.after(time.Second)
		require.Equal(t, []string{ids[0]}, w.listed("spot", cloudprovider.Deleting))
		require.Equal(t, 1, w.target("spot"))
		w.account.ForgetCalls()
		require.NoError(t, w.DeleteNodes(w.t.Context(), "spot", []cloudprovider.Node{node(ids[0])}))
		assert.Empty(t, w.account.Calls())
		assert.Equal(t, 1, w.target("spot"))
	})
}

func TestUnregisteredInstanceMayGoOnceItsNodeIsDead(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		ids := w.grow("spot", 1)
		_, err := w.NodeGroupForNode(node(ids[0]))
		require.NoError(t, err)
		unregistered := []cloudprovider.Node{fakeNode(ids[0], "unregistered")}
		clock.RealClock{}.Sleep(2 * time.Minute)
		assert.ErrorIs(t, w.DeleteNodes(w.t.Context(), "spot", unregistered), cloudprovider.ErrNodeInUse)
		clock.RealClock{}.Sleep(time.Nanosecond)
		assert.NoError(t, w.DeleteNodes(w.t.Context(), "spot", unregistered), "CA has not asked for its node for two minutes")
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

func TestLastGoodSnapshotIsServedWhileTheCloudIsDown(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		ids := w.grow("spot", 2)
		require.NoError(t, w.account.InjectFault(esssim.Fault{API: "*", Kind: esssim.FaultError, Rate: 1, Status: http.StatusServiceUnavailable}))
		clock.RealClock{}.Sleep(10 * time.Second)
		ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Second)
		defer cancel()
		require.NoError(t, w.Refresh(ctx))
		assert.Equal(t, 2, w.target("spot"))
		_, err := w.NodeGroupForNode(node(ids[0]))
		require.NoError(t, err)
		assert.Contains(t, w.Status().LastError, "unavailable")
		assert.ErrorIs(t, w.IncreaseSize(ctx, "spot", 1), cloudprovider.ErrUnavailable)

		w.account.ClearFaults()
		w.after(time.Minute)
		assert.Empty(t, w.Status().LastError)
		require.NoError(t, w.IncreaseSize(w.t.Context(), "spot", 1))
	})
}

func TestMissingGroupDoesNotStopTheOthers(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		w.config = parseConfig(t, groupSpec{name: "spot", max: 40, class: config.ClassSpot}, groupSpec{name: "absent", max: 5})
		w.restart()
		w.after(0)
		groups, err := w.NodeGroups()
		require.NoError(t, err)
		require.Len(t, groups, 1)
		assert.Equal(t, "spot", groups[0].ID)
		assert.Contains(t, w.Status().Groups[1].Problem, "does not exist")
	})
}

func TestReplacedInstanceIsFoundThoughNoCounterMoved(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		ids := w.grow("spot", 2)
		gone, _, err := cloudprovider.ParseProviderID(ids[0])
		require.NoError(t, err)
		require.NoError(t, w.account.Reclaim(gone.InstanceID, 0))
		clock.RealClock{}.Sleep(90 * time.Second) // removed and replaced between two looks
		var fresh string
		for _, i := range w.account.Account().Running() {
			if id := "cn-hangzhou." + i.ID; id != ids[0] && id != ids[1] {
				fresh = id
			}
		}
		require.NotEmpty(t, fresh)
		w.after(0)
		_, err = w.NodeGroupForNode(node(fresh))
		require.ErrorIs(t, err, cloudprovider.ErrNotManaged, "the counters are as they were")
		w.after(10 * time.Second)
		_, err = w.NodeGroupForNode(node(fresh))
		require.NoError(t, err)
	})
}

func TestProviderIDsAreSpeltAsTheClusterDoes(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		ids := w.grow("spot", 2)
		_, err := w.NodeGroupForNode(node("alicloud://" + ids[0]))
		require.NoError(t, err)
		w.after(10 * time.Second)
		assert.Equal(t, []string{"alicloud://" + ids[0], "alicloud://" + ids[1]}, w.listed("spot", cloudprovider.Running))
		for _, foreign := range []string{"", "cn-hangzhou.i-other", "ack-hybrid://x", "virtual-kubelet"} {
			_, err := w.NodeGroupForNode(node(foreign))
			assert.ErrorIs(t, err, cloudprovider.ErrNotManaged, foreign)
		}
	})
}

func TestReloadTakesEffectWithTheNextRefresh(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		w.grow("spot", 2)
		w.Reload(parseConfig(t, groupSpec{name: "spot", max: 7, class: config.ClassSpot}))
		w.after(time.Second)
		groups, err := w.NodeGroups()
		require.NoError(t, err)
		assert.Equal(t, 7, groups[0].Max)
		assert.Equal(t, 2, w.target("spot"))
	})
}

func TestTemplateComesFromTheLiveLaunchSettings(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		template, err := w.TemplateNode("spot")
		require.NoError(t, err)
		assert.Equal(t, "ecs.c7.2xlarge", template.Labels["node.kubernetes.io/instance-type"])
		assert.Equal(t, "cn-hangzhou-h", template.Labels["topology.kubernetes.io/zone"])
		assert.Equal(t, "SpotAsPriceGo", template.Labels["node.alibabacloud.com/spot-strategy"])
		assert.Equal(t, "spot", template.Labels["buildpool.io/class"])
	})
}
