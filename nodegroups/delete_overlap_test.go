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

// A delete that comes while another of the same node is on its way finds it gone: it is
// done, and not refused because the group is at its min by then.
func TestADeleteThatOverlapsAnotherIsDone(t *testing.T) {
	play(t, []groupSpec{{name: "spot", min: 1, max: 40, class: config.ClassSpot}}, func(w *world) {
		ids := w.grow("spot", 2)
		require.NoError(t, w.account.InjectFault(esssim.Fault{
			API: "RemoveInstances", Kind: esssim.FaultSlow, Count: 1, Delay: account.Duration(2 * time.Second), AfterEffect: true,
		}))
		var deletes sync.WaitGroup
		for _, later := range []time.Duration{0, time.Second} {
			deletes.Go(func() {
				clock.RealClock{}.Sleep(later)
				assert.NoError(t, w.DeleteNodes(w.t.Context(), "spot", []cloudprovider.Node{node(ids[0])}), "after %s", later)
			})
		}
		deletes.Wait()
		assert.Equal(t, 1, w.target("spot"))
		assert.Equal(t, 1, w.desired("spot"))
	})
}
