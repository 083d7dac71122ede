package nodegroups_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/ess/esssim"
)

// CA dies while its deletes wait or are being repeated. Its successor takes the nodes
// for ones that stay and builds are put on them, so that nothing may be removed later.
func TestADeleteWhoseCallersDiedIsNotSent(t *testing.T) {
	for name, c := range map[string]struct {
		fault esssim.Fault
		after time.Duration
	}{
		"while it waits for company": {after: 50 * time.Millisecond},
		"while it is repeated": {
			fault: esssim.Fault{API: "RemoveInstances", Kind: esssim.FaultError, Status: 500, Code: "InternalError", Count: 2},
			after: 150 * time.Millisecond,
		},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, spotGroup, func(w *world) {
				ids := w.grow("spot", 3)
				if c.fault.API != "" {
					require.NoError(t, w.account.InjectFault(c.fault))
				}
				autoscaler, dies := context.WithCancel(w.t.Context())
				var deletes sync.WaitGroup
				for _, id := range ids[:2] {
					deletes.Go(func() {
						assert.ErrorIs(t, w.DeleteNodes(autoscaler, "spot", []cloudprovider.Node{node(id)}), context.Canceled)
					})
				}
				clock.RealClock{}.Sleep(c.after)
				dies()
				deletes.Wait()
				synctest.Wait()
				w.account.ClearFaults()
				w.after(time.Minute)
				assert.Equal(t, 3, w.desired("spot"))
				assert.Len(t, w.listed("spot", cloudprovider.Running), 3)
				assert.Equal(t, 3, w.target("spot"))

				// The successor's own delete goes through.
				require.NoError(t, w.DeleteNodes(w.t.Context(), "spot", []cloudprovider.Node{node(ids[0])}))
				assert.Equal(t, 2, w.desired("spot"))
			})
		})
	}
}

// One of two callers dies: the other still wants the shared call.
func TestADeleteThatSomebodyStillWaitsForIsSent(t *testing.T) {
	play(t, spotGroup, func(w *world) {
		ids := w.grow("spot", 3)
		one, dies := context.WithCancel(w.t.Context())
		var deletes sync.WaitGroup
		deletes.Go(func() {
			assert.ErrorIs(t, w.DeleteNodes(one, "spot", []cloudprovider.Node{node(ids[0])}), context.Canceled)
		})
		deletes.Go(func() {
			assert.NoError(t, w.DeleteNodes(w.t.Context(), "spot", []cloudprovider.Node{node(ids[1])}))
		})
		clock.RealClock{}.Sleep(50 * time.Millisecond)
		dies()
		deletes.Wait()
		assert.Equal(t, 2, w.desired("spot"), "what the dead one wanted is not part of it")
	})
}
