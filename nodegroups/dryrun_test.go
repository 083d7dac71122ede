package nodegroups_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// rehearse replaces the provider by one in a dry run.
func (w *world) rehearse(cfg config.Config) {
	w.t.Helper()
	p, err := nodegroups.New(cfg, nodegroups.Settings{
		Cloud: w.cloud, Clock: clock.RealClock{}, Log: slog.New(slog.NewTextHandler(w.log, nil)),
		NewToken: func() string { return "never sent" }, DryRun: true,
	})
	require.NoError(w.t, err)
	w.Close()
	w.Provider = p
	require.NoError(w.t, w.Refresh(w.t.Context()))
	w.account.ForgetCalls()
}

// onlyRead fails the test if the account was asked anything but to describe itself.
func (w *world) onlyRead() {
	w.t.Helper()
	calls := w.account.Calls()
	require.NotEmpty(w.t, calls)
	for api := range calls {
		assert.Truef(w.t, strings.HasPrefix(api, "Describe"), "%s was sent", api)
	}
}

// The account has everything that a provider may want to write about: room to grow,
// instances to remove, one that could not be created, and a desired number too high.
func TestADryRunWritesNothing(t *testing.T) {
	play(t, []groupSpec{{name: "normal", max: 10}}, func(w *world) {
		ids := w.grow("normal", 2)
		w.stock(0)
		require.NoError(t, w.IncreaseSize(w.t.Context(), "normal", 2))
		w.after(40 * time.Second)
		require.Len(t, w.placeholders("normal"), 2)
		before := w.account.State()

		w.rehearse(w.config)
		assert.True(t, w.Status().DryRun)
		assert.Equal(t, 4, w.target("normal"))
		failed := w.placeholders("normal")
		require.Len(t, failed, 2)

		err := w.IncreaseSize(w.t.Context(), "normal", 3)
		require.ErrorIs(t, err, cloudprovider.ErrDryRun)
		assert.ErrorContains(t, err, "it would have set the capacity of scaling group asg-normal to 7")

		err = w.DeleteNodes(w.t.Context(), "normal", []cloudprovider.Node{node(ids[0])})
		require.ErrorIs(t, err, cloudprovider.ErrDryRun)
		_, instance, _ := strings.Cut(ids[0], ".")
		assert.ErrorContains(t, err, "it would have removed ["+instance+"] from scaling group asg-normal")

		require.ErrorIs(t, w.DeleteNodes(w.t.Context(), "normal", failed), cloudprovider.ErrDryRun)
		require.NoError(t, w.DecreaseTargetSize(w.t.Context(), "normal", -2), "an error would end every loop of the autoscaler")

		w.after(time.Minute)
		assert.Equal(t, 4, w.target("normal"), "the autoscaler sees the account as it is")
		assert.Len(t, w.listed("normal", cloudprovider.Running), 2)
		assert.Len(t, w.placeholders("normal"), 2)
		assert.NotContains(t, w.Status().Groups[0].LastError.Message, "dry run", "what it refuses is no trouble of the group")
		w.onlyRead()
		assert.Equal(t, before.Groups[0].Desired, w.account.State().Groups[0].Desired)
		require.ErrorIs(t, w.IncreaseSize(w.t.Context(), "normal", 30), cloudprovider.ErrAboveMax, "it is decided as ever")
		assert.Contains(t, w.log.String(), `msg="dry run: not sent" write=SetCapacity scaling_group=asg-normal total=7`)
		assert.Contains(t, w.log.String(), `msg="dry run: not sent" write=RemoveInstances scaling_group=asg-normal instances=[`+instance+`]`)
		assert.Contains(t, w.log.String(), `msg="dry run: failed instances are not given up"`)
		assert.Contains(t, w.log.String(), `msg="dry run: target not lowered"`)
	})
}

// A window that buildpool itself keeps warm is said to be cold once, and not at every
// refresh.
func TestADryRunSaysOnceWhatAWindowWouldDo(t *testing.T) {
	play(t, []groupSpec{{name: "normal", max: 10}}, func(w *world) {
		cfg := w.config
		cfg.Schedule.Mode = config.ScheduleByProvider
		cfg.Groups[0].Schedules = []config.Window{{Cron: "0 0 * * *", Duration: config.Duration(23 * time.Hour), Min: 3}}
		w.rehearse(cfg)
		w.after(time.Minute)
		w.after(time.Minute)
		assert.Equal(t, 3, w.Status().Groups[0].Min)
		assert.Equal(t, 1, strings.Count(w.log.String(), "dry run: not sent"), w.log.String())
		w.onlyRead()
	})
}
