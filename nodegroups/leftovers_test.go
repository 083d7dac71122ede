package nodegroups_test

import (
	"log/slog"
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
	"github.com/buildpool/buildpool/nodegroups/config"
)

var spotOfFour = groupSpec{name: "b", max: 10, desired: 4, class: config.ClassSpot}

// leftovers is a provider over a group of four instances and the cluster of their
// nodes, which CA has shown it.
type leftovers struct {
	*nodegroups.Provider
	t       *testing.T
	account *esssim.Simulator
	seen    *stagedCluster
	ids     []string
}

func playLeftovers(t *testing.T, enabled bool, group groupSpec, test func(l *leftovers)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		account := newAccount(t, clock.RealClock{}, group)
		cfg := parseConfig(t, group)
		cfg.NodeCleanup.Enabled = enabled
		l := &leftovers{t: t, account: account, seen: &stagedCluster{nodes: map[string]*cloudprovider.ClusterNode{}}}
		var err error
		l.Provider, err = nodegroups.New(cfg, nodegroups.Settings{
			Cloud: newCloud(t, account), Cluster: l.seen, NodeDeleter: l.seen, Clock: clock.RealClock{},
			Log: slog.New(slog.DiscardHandler), NewToken: tokens(),
		})
		require.NoError(t, err)
		defer l.Close()
		clock.RealClock{}.Sleep(time.Minute)
		require.NoError(t, l.Refresh(t.Context()))
		for _, i := range account.Account().State().Groups[0].Instances {
			l.ids = append(l.ids, i.ID)
			l.joined(i.ID)
			_, err := l.NodeGroupForNode(cloudprovider.Node{Name: i.ID, ProviderID: "cn-hangzhou." + i.ID})
			require.NoError(t, err)
		}
		test(l)
	})
}

func (l *leftovers) joined(id string) {
	l.set(id, corev1.ConditionTrue, map[string]string{cloudprovider.LabelClass: "spot"})
}

func (l *leftovers) set(id string, ready corev1.ConditionStatus, labels map[string]string) {
	l.seen.mu.Lock()
	defer l.seen.mu.Unlock()
	l.seen.nodes[id] = &cloudprovider.ClusterNode{
		Name: id, ProviderID: "cn-hangzhou." + id, InstanceID: id, Labels: labels, Ready: ready, ReadySince: clock.RealClock{}.Now(),
	}
}

// silent is what becomes of a node whose kubelet is heard no more.
func (l *leftovers) silent(id string) {
	l.set(id, corev1.ConditionUnknown, map[string]string{cloudprovider.LabelClass: "spot"})
}

func (l *leftovers) refreshAfter(d time.Duration) {
	l.t.Helper()
	clock.RealClock{}.Sleep(d)
	require.NoError(l.t, l.Refresh(l.t.Context()))
	synctest.Wait()
}

// TestNodeOfAGoneInstanceIsDeleted: after the cloud took instances back, and after the
// grace period; nodes whose instance is there, however silent, or whose kubelet still
// talks, and nodes that were never ours stay.
func TestNodeOfAGoneInstanceIsDeleted(t *testing.T) {
	playLeftovers(t, true, spotOfFour, func(l *leftovers) {
		gone, talks, hangs := l.ids[0], l.ids[1], l.ids[2]
		require.NoError(t, l.account.Account().Reclaim(gone, 0))
		require.NoError(t, l.account.Account().Reclaim(talks, 0))
		l.silent(gone)
		l.silent(hangs)
		l.silent("i-stranger")
		l.refreshAfter(time.Minute)
		assert.Empty(t, l.seen.deleted, "the grace period")

		l.seen.mu.Lock()
		l.seen.away = true
		l.seen.mu.Unlock()
		l.refreshAfter(10 * time.Minute)
		assert.Empty(t, l.seen.deleted, "what is known of the cluster is old")

		l.seen.mu.Lock()
		l.seen.away = false
		l.seen.mu.Unlock()
		l.refreshAfter(time.Minute)
		assert.Equal(t, []string{gone}, l.seen.deleted)
		l.refreshAfter(10 * time.Minute)
		assert.Equal(t, []string{gone}, l.seen.deleted)
	})
}

// TestNodeOfAStoppedInstanceIsDeleted: it comes back under the same ID, and its old node
// would pass for it.
func TestNodeOfAStoppedInstanceIsDeleted(t *testing.T) {
	playLeftovers(t, true, groupSpec{name: "b", max: 10, desired: 4, recycles: true}, func(l *leftovers) {
		id := l.ids[0]
		_, err := l.account.Account().RemoveInstances(account.Removal{GroupID: "asg-b", InstanceIDs: []string{id}, Policy: account.Recycle})
		require.NoError(t, err)
		l.silent(id)
		l.refreshAfter(5 * time.Minute)
		assert.Equal(t, []string{id}, l.seen.deleted)

		require.NoError(t, l.IncreaseSize(l.t.Context(), "b", 1))
		l.silent(id) // it has registered and is not ready yet
		l.refreshAfter(5 * time.Minute)
		state := l.account.Account().State().Groups[0]
		require.Len(t, state.Instances, 4, "the stopped one was started")
		assert.Equal(t, []string{id}, l.seen.deleted, "it is there")
	})
}

// TestNodesAreSomebodyElsesByDefault: a cloud-controller-manager deletes them.
func TestNodesAreSomebodyElsesByDefault(t *testing.T) {
	playLeftovers(t, false, spotOfFour, func(l *leftovers) {
		require.NoError(t, l.account.Account().Reclaim(l.ids[0], 0))
		l.silent(l.ids[0])
		l.refreshAfter(10 * time.Minute)
		assert.Empty(t, l.seen.deleted)
	})
}
