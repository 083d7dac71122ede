package nodegroups_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/config"
)

func (w *world) group(n int) nodegroups.GroupStatus {
	w.t.Helper()
	groups := w.Status().Groups
	require.Greater(w.t, len(groups), n)
	return groups[n]
}

func TestStatusBeforeTheFirstRefresh(t *testing.T) {
	play(t, []groupSpec{{name: "a", min: 1, max: 3}}, func(w *world) {
		w.restart()
		status := w.Status()
		assert.False(w.t, status.Ready)
		assert.Equal(w.t, nodegroups.FormAssumed, status.ProviderID.Origin)
		a := w.group(0)
		assert.Equal(w.t, []int{1, 3, 0}, []int{a.Min, a.Max, a.Target})
		assert.Equal(w.t, nodegroups.BoundConfigured, a.MinReason)
		assert.Equal(w.t, "the group has not been read yet", a.PriceProblem)
		assert.Empty(w.t, a.LastError.Message)
	})
}

func TestStatusTellsTheSpellingOfProviderIDs(t *testing.T) {
	play(t, []groupSpec{{name: "a", max: 3}}, func(w *world) {
		ids := w.grow("a", 1)
		assert.Equal(w.t, nodegroups.ProviderIDStatus{Form: cloudprovider.FormDot, Origin: nodegroups.FormAssumed}, w.Status().ProviderID)
		_, err := w.NodeGroupForNode(node("alicloud://" + ids[0]))
		require.NoError(w.t, err)
		assert.Equal(w.t, nodegroups.ProviderIDStatus{Form: cloudprovider.FormURL, Origin: nodegroups.FormLearned}, w.Status().ProviderID)

		w.config.ProviderID = config.ProviderIDDot
		w.Reload(w.config)
		assert.Equal(w.t, nodegroups.ProviderIDStatus{Form: cloudprovider.FormDot, Origin: nodegroups.FormConfigured}, w.Status().ProviderID)
	})
}

func TestStatusTellsWhatWentWrong(t *testing.T) {
	play(t, []groupSpec{{name: "a", max: 3}}, func(w *world) {
		synctest.Wait()
		a := w.group(0)
		assert.Empty(w.t, a.LastError.Message)
		assert.Equal(w.t, 1.6308, a.Price.PerHour)
		assert.Empty(w.t, a.PriceProblem)

		require.ErrorIs(w.t, w.IncreaseSize(w.t.Context(), "a", -1), cloudprovider.ErrInvalidArgument)
		assert.Empty(w.t, w.group(0).LastError.Message, "the caller's fault is not the group's")
		require.ErrorIs(w.t, w.IncreaseSize(w.t.Context(), "a", 4), cloudprovider.ErrAboveMax)
		assert.Contains(w.t, w.group(0).LastError.Message, "above the group's max")
		assert.Equal(w.t, now(), w.group(0).LastError.At)

		w.after(2 * time.Minute)
		w.stock(0)
		require.NoError(w.t, w.IncreaseSize(w.t.Context(), "a", 2))
		w.after(40 * time.Second)
		a = w.group(0)
		assert.Equal(w.t, 2, a.Placeholders)
		assert.Contains(w.t, a.LastError.Message, "out of stock: OperationDenied.NoStock: ", "with the cloud's own words")

		fault := esssim.Fault{API: "DescribeScalingInstances", Kind: esssim.FaultError, Code: "Forbidden.RAM", Status: 403}
		require.NoError(w.t, w.account.InjectFault(fault))
		w.after(10 * time.Minute)
		a = w.group(0)
		assert.Contains(w.t, a.LastError.Message, "Forbidden.RAM")
		w.account.ClearFaults()
		w.after(10 * time.Second)
		assert.NotContains(w.t, w.group(0).LastError.Message, "Forbidden.RAM", "it can be read again")
	})
}

func TestAnErrorIsShownForADay(t *testing.T) {
	play(t, []groupSpec{{name: "a", max: 3}}, func(w *world) {
		require.Error(w.t, w.IncreaseSize(w.t.Context(), "a", 4))
		w.after(24*time.Hour - time.Second)
		assert.NotEmpty(w.t, w.group(0).LastError.Message)
		w.after(time.Second)
		assert.Empty(w.t, w.group(0).LastError.Message)
	})
}
