package nodegroups_test

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
	"github.com/buildpool/buildpool/nodegroups"
)

// recycled is a provider over a recycling group of two instances, whose nodes it sees.
type recycled struct {
	*nodegroups.Provider
	t       *testing.T
	account *esssim.Simulator
	seen    *stagedCluster
	ids     []string
}

// playRecycled lets the account's instances join after 40 s when they are created, and
// 20 s when they are started again.
func playRecycled(t *testing.T, cleanup bool, test func(r *recycled)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		group := groupSpec{name: "b", max: 10, desired: 2, recycles: true}
		r := &recycled{t: t, account: newAccount(t, clock.RealClock{}, group), seen: &stagedCluster{nodes: map[string]*cloudprovider.ClusterNode{}}}
		cfg := parseConfig(t, group)
		cfg.NodeCleanup.Enabled = cleanup
		var err error
		r.Provider, err = nodegroups.New(cfg, nodegroups.Settings{
			Cloud: newCloud(t, r.account), Cluster: r.seen, NodeDeleter: r.seen, NodeReopener: r.seen, Clock: clock.RealClock{},
			Log: slog.New(slog.DiscardHandler), NewToken: tokens(),
		})
		require.NoError(t, err)
		defer r.Close()
		require.NoError(t, r.Refresh(t.Context()))
		r.refreshAfter(30 * time.Second)
		for _, i := range r.account.Account().State().Groups[0].Instances {
			r.ids = append(r.ids, i.ID)
			r.kubeletUp(i.ID)
		}
		r.refreshAfter(10 * time.Second)
		test(r)
	})
}

func (r *recycled) refreshAfter(d time.Duration) {
	r.t.Helper()
	clock.RealClock{}.Sleep(d)
	require.NoError(r.t, r.Refresh(r.t.Context()))
	synctest.Wait()
}

func (r *recycled) change(id string, change func(n *cloudprovider.ClusterNode)) {
	r.seen.mu.Lock()
	defer r.seen.mu.Unlock()
	now := clock.RealClock{}.Now()
	n := &cloudprovider.ClusterNode{Name: id, ProviderID: "cn-hangzhou." + id, InstanceID: id, Created: now, Ready: corev1.ConditionFalse, ReadySince: now}
	if old := r.seen.nodes[id]; old != nil {
		kept := *old
		n = &kept
	}
	ready := n.Ready
	change(n)
	if n.Ready != ready {
		n.ReadySince = now
	}
	r.seen.nodes[id] = n
}

// kubeletUp is a kubelet that registers, or finds its old node, and CA's next loop.
func (r *recycled) kubeletUp(id string) {
	r.change(id, func(n *cloudprovider.ClusterNode) { n.Ready = corev1.ConditionTrue })
	require.NoError(r.t, r.Refresh(r.t.Context()))
	_, _ = r.owner(id)
}

func (r *recycled) owner(id string) (string, error) {
	g, err := r.NodeGroupForNode(cloudprovider.Node{Name: id, ProviderID: "cn-hangzhou." + id})
	return g.ID, err
}

// closeAndStop is CA's removal of a node, until its kubelet is missed.
func (r *recycled) closeAndStop(id string) {
	r.t.Helper()
	closed := corev1.Taint{Key: cloudprovider.TaintToBeDeleted, Value: fmt.Sprint(clock.RealClock{}.Now().Unix()), Effect: corev1.TaintEffectNoSchedule}
	r.change(id, func(n *cloudprovider.ClusterNode) { n.Taints = []corev1.Taint{closed} })
	require.NoError(r.t, r.DeleteNodes(r.t.Context(), "b", []cloudprovider.Node{node("cn-hangzhou." + id)}))
	r.refreshAfter(50 * time.Second)
	require.Equal(r.t, account.Stopped, r.stateOf(id))
}

func (r *recycled) missed(id string) {
	r.change(id, func(n *cloudprovider.ClusterNode) { n.Ready = corev1.ConditionUnknown })
}

func (r *recycled) stateOf(id string) account.InstanceState {
	for _, i := range r.account.Account().State().Groups[0].Instances {
		if i.ID == id {
			return i.State
		}
	}
	return "gone"
}

func (r *recycled) status() nodegroups.GroupStatus { return r.Status().Groups[0] }

// TestAStoppedInstanceComesBackToItsOldNode: the old Node object is nobody's while its
// instance is stopped and until its kubelet is back; then it is opened, and the node is
// one like any other, with a life of its own.
func TestAStoppedInstanceComesBackToItsOldNode(t *testing.T) {
	playRecycled(t, false, func(r *recycled) {
		id := r.ids[0]
		r.closeAndStop(id)
		r.missed(id)
		r.refreshAfter(10 * time.Second)
		st := r.status()
		assert.Equal(r.t, []int{1, 1, 1}, []int{st.Target, st.Running, st.Stopped})
		_, err := r.owner(id)
		require.ErrorIs(r.t, err, cloudprovider.ErrNotManaged)
		_, ok := r.BirthOf(id)
		assert.False(r.t, ok, "it has no life")
		require.NoError(r.t, r.DeleteNodes(r.t.Context(), "b", []cloudprovider.Node{node("cn-hangzhou." + id)}), "a late repetition")
		assert.Equal(r.t, account.Stopped, r.stateOf(id))
		assert.NotEmpty(r.t, r.seen.nodes[id].Taints, "there is nothing to open")

		asked := clock.RealClock{}.Now()
		require.NoError(r.t, r.IncreaseSize(r.t.Context(), "b", 1))
		r.refreshAfter(5 * time.Second)
		st = r.status()
		assert.Equal(r.t, []int{2, 1, 1, 0}, []int{st.Target, st.Running, st.Creating, st.Stopped}, "started, none created")
		assert.Empty(r.t, r.seen.nodes[id].Taints, "what CA closed in the life before is open")
		_, err = r.owner(id)
		require.ErrorIs(r.t, err, cloudprovider.ErrNotManaged, "CA would take it for a broken node and ask for another")

		r.refreshAfter(15 * time.Second)
		assert.Equal(r.t, account.InService, r.stateOf(id))
		_, err = r.owner(id)
		require.ErrorIs(r.t, err, cloudprovider.ErrNotManaged, "its kubelet is not up yet")
		r.kubeletUp(id)
		group, err := r.owner(id)
		require.NoError(r.t, err)
		assert.Equal(r.t, "b", group)
		birth, ok := r.BirthOf(id)
		require.True(r.t, ok)
		assert.Equal(r.t, nodegroups.Birth{Group: "b", Asked: asked, Created: asked, Again: true}, birth)
		r.refreshAfter(10 * time.Second)
		assert.Equal(r.t, 20*time.Second, r.status().BootStarted)
		assert.Equal(r.t, st.Boot, r.status().Boot, "a measure of its own")

		// CA closes it again: this time it means it.
		r.closeAndStop(id)
		assert.NotEmpty(r.t, r.seen.nodes[id].Taints)
	})
}

// TestWhatCannotBeOpenedIsReleased: a node that stays closed is not worth its disk.
func TestWhatCannotBeOpenedIsReleased(t *testing.T) {
	playRecycled(t, false, func(r *recycled) {
		r.seen.mayNotOpen = true
		r.closeAndStop(r.ids[0])
		r.missed(r.ids[0])
		require.NoError(r.t, r.IncreaseSize(r.t.Context(), "b", 1))
		r.refreshAfter(10 * time.Second)
		require.NoError(r.t, r.DeleteNodes(r.t.Context(), "b", []cloudprovider.Node{node("cn-hangzhou." + r.ids[1])}))
		r.refreshAfter(time.Minute)
		assert.EqualValues(r.t, "gone", r.stateOf(r.ids[1]))
		assert.NotEmpty(r.t, r.seen.nodes[r.ids[0]].Taints)
	})
}

// TestTheOldNodeOfAStoppedInstanceIsDeleted where that is ours to do, as soon as its
// kubelet is missed; the new one is the group's at once.
func TestTheOldNodeOfAStoppedInstanceIsDeleted(t *testing.T) {
	playRecycled(t, true, func(r *recycled) {
		id := r.ids[0]
		r.closeAndStop(id)
		r.refreshAfter(time.Second)
		assert.Empty(r.t, r.seen.deleted, "Ready until it is missed")
		r.missed(id)
		r.refreshAfter(time.Second)
		assert.Equal(r.t, []string{id}, r.seen.deleted)

		require.NoError(r.t, r.IncreaseSize(r.t.Context(), "b", 1))
		r.refreshAfter(25 * time.Second)
		r.change(id, func(*cloudprovider.ClusterNode) {}) // registered, not Ready yet
		r.refreshAfter(time.Second)
		_, err := r.owner(id)
		require.NoError(r.t, err)
		r.refreshAfter(5 * time.Minute)
		assert.Equal(r.t, []string{id}, r.seen.deleted, "it is there")
	})
}

// TestANodeThatNeverComesBackIsTheGroups: or CA would wait for it for ever.
func TestANodeThatNeverComesBackIsTheGroups(t *testing.T) {
	playRecycled(t, false, func(r *recycled) {
		id := r.ids[0]
		r.closeAndStop(id)
		r.missed(id)
		require.NoError(r.t, r.IncreaseSize(r.t.Context(), "b", 1))
		r.refreshAfter(14 * time.Minute)
		_, err := r.owner(id)
		require.ErrorIs(r.t, err, cloudprovider.ErrNotManaged)
		r.refreshAfter(2 * time.Minute)
		_, err = r.owner(id)
		require.NoError(r.t, err)
	})
}

// TestAnIllInstanceIsReleased: it is not worth starting again, nor is one whose node
// never came.
func TestAnIllInstanceIsReleased(t *testing.T) {
	playRecycled(t, false, func(r *recycled) {
		require.NoError(r.t, r.account.Account().SuspendProcesses("asg-b", []string{"HealthCheck"}, true))
		require.NoError(r.t, r.account.Account().SetHealth(r.ids[0], account.Unhealthy))
		r.refreshAfter(6 * time.Minute) // a full look
		var nodes []cloudprovider.Node
		for _, id := range r.ids {
			nodes = append(nodes, node("cn-hangzhou."+id))
		}
		require.NoError(r.t, r.DeleteNodes(r.t.Context(), "b", nodes))
		r.refreshAfter(30 * time.Second)
		assert.Equal(r.t, []account.InstanceState{"gone", account.Stopped}, []account.InstanceState{r.stateOf(r.ids[0]), r.stateOf(r.ids[1])})
		require.NoError(r.t, r.IncreaseSize(r.t.Context(), "b", 2))
		r.refreshAfter(30 * time.Second)
		for _, i := range r.account.Account().State().Groups[0].Instances {
			if !slices.Contains(r.ids, i.ID) {
				require.NoError(r.t, r.DeleteNodes(r.t.Context(), "b", []cloudprovider.Node{fakeNode("cn-hangzhou."+i.ID, "unregistered")}))
				r.refreshAfter(30 * time.Second)
				assert.EqualValues(r.t, "gone", r.stateOf(i.ID))
			}
		}
	})
}
