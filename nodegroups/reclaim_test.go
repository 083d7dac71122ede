package nodegroups_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/nodegroups/spot"
)

func reclaimable(notice config.OnReclaimNotice) groupSpec {
	return groupSpec{name: "s", max: 10, desired: 2, class: config.ClassSpot, notice: notice}
}

func (w *world) reclaim(n int) (id string) {
	w.t.Helper()
	id = w.account.State().Groups[0].Instances[n].ID
	require.NoError(w.t, w.account.Reclaim(id, account.ReclaimNotice))
	return id
}

// The replacement is on its way half a minute after the notice, and there before the
// instance is gone; target, number and instances are the same all the time.
func TestReplacementBeginsAtTheNotice(t *testing.T) {
	play(t, []groupSpec{reclaimable("")}, func(w *world) {
		w.after(time.Minute)
		id := w.reclaim(0)
		w.after(20 * time.Second)
		closing, _ := w.Closings()
		require.Contains(t, closing, id)
		assert.Equal(t, spot.Noticed, closing[id].Why)
		assert.Contains(t, w.said(), "s: the cloud takes spot instance "+id+" back within 5 minutes")
		assert.Contains(t, w.said(), "s: let spot instance "+id+" go before the cloud takes it back, so that another is created now: what runs there cannot be seen")
		for range 20 {
			assert.Equal(t, 2, w.target("s"))
			assert.Equal(t, 2, w.desired("s"))
			w.after(10 * time.Second)
		}
		assert.Len(t, w.account.State().Groups[0].Instances, 2, "the new one is there, and the old one is nobody's")
		closing, _ = w.Closings()
		assert.Contains(t, closing, id, "its node takes no build to its end")
		w.after(10 * time.Minute)
		closing, _ = w.Closings()
		assert.Empty(t, closing)
		assert.Equal(t, 2, w.target("s"))
	})
}

func TestClosingsAreThoseOfThePolicy(t *testing.T) {
	for notice, closed := range map[config.OnReclaimNotice]bool{config.ReclaimReplaced: true, config.ReclaimCordoned: true, config.ReclaimIgnored: false} {
		t.Run(string(notice), func(t *testing.T) {
			play(t, []groupSpec{reclaimable(notice)}, func(w *world) {
				w.after(time.Minute)
				closing, open := w.Closings()
				assert.Empty(t, closing)
				assert.Len(t, open, 2, "nothing closes them")
				id := w.reclaim(0)
				w.after(time.Minute)
				closing, open = w.Closings()
				assert.Equal(t, closed, closing[id].Why == spot.Noticed)
				assert.Equal(t, !closed, open[id])
				calls := w.account.Calls()
				assert.Equal(t, closed, calls["DescribeInstances"] > 0, "notices are asked for where they count")
				assert.Equal(t, notice == config.ReclaimReplaced, calls["DetachInstances"] == 1)
			})
		})
	}
}

// What is not known closes nothing, and opens nothing either.
func TestNodesStayAsTheyAreWhileNoticesAreUnseen(t *testing.T) {
	play(t, []groupSpec{reclaimable("")}, func(w *world) {
		require.NoError(t, w.account.InjectFault(esssim.Fault{API: "DescribeInstances", Kind: esssim.FaultError, Status: 403, Code: "Forbidden.RAM"}))
		w.after(3 * time.Minute)
		w.after(3 * time.Minute)
		closing, open := w.Closings()
		assert.Empty(t, closing)
		assert.Empty(t, open)
	})
}

func TestNodesCloseAtDrainAfter(t *testing.T) {
	group := reclaimable("")
	group.drain = "50m"
	play(t, []groupSpec{group}, func(w *world) {
		w.after(time.Minute)
		created := w.account.State().Groups[0].Instances[0].Created
		w.after(time.Until(created.Add(50*time.Minute - time.Second)))
		closing, open := w.Closings()
		assert.Empty(t, closing)
		assert.Len(t, open, 2)
		w.after(time.Second)
		closing, open = w.Closings()
		assert.Empty(t, open)
		require.Len(t, closing, 2)
		for _, c := range closing {
			assert.Equal(t, spot.Aged, c.Why)
			assert.Equal(t, "s", c.Group)
		}
		assert.Equal(t, 2, w.target("s"), "nothing is removed by it")
		require.NoError(t, w.IncreaseSize(w.t.Context(), "s", 1), "and the group can grow")
		w.after(time.Minute)
		_, open = w.Closings()
		assert.Len(t, open, 1, "the new one takes builds")
	})
}

// A group without spot instances costs no call.
func TestNoNoticesAreAskedForOnDemand(t *testing.T) {
	play(t, []groupSpec{{name: "n", max: 10, desired: 2, class: config.ClassNormal}}, func(w *world) {
		w.after(time.Minute)
		assert.Zero(t, w.account.Calls()["DescribeInstances"])
		_, open := w.Closings()
		assert.Len(t, open, 2)
	})
}
