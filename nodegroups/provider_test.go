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
