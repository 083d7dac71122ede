package nodegroups_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
)

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
