package nodegroups_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
)

var autoscalerFlags = cloudprovider.Options{
	ScaleDownUtilizationThreshold: 0.5, ScaleDownGPUUtilizationThreshold: 0.4,
	ScaleDownUnneededTime: 10 * time.Minute, ScaleDownUnreadyTime: 20 * time.Minute,
	MaxNodeProvisionTime: 15 * time.Minute, IgnoreDaemonSetsUtilization: true,
}

func TestOptionsAreLaidOverTheAutoscalersFlags(t *testing.T) {
	with := func(change func(*cloudprovider.Options)) cloudprovider.Options {
		o := autoscalerFlags
		change(&o)
		return o
	}
	unneeded, zero, no, yes := config.Duration(3*time.Minute), config.Duration(0), false, true
	for name, test := range map[string]struct {
		set  config.Options
		want cloudprovider.Options
		ok   bool
	}{
		"none":                              {config.Options{}, autoscalerFlags, false},
		"the permission alone is no option": {config.Options{AllowWithCA135: &yes}, autoscalerFlags, false},
		"one": {config.Options{ScaleDownUnneededTime: &unneeded},
			with(func(o *cloudprovider.Options) { o.ScaleDownUnneededTime = 3 * time.Minute }), true},
		"zero and false are values": {config.Options{ScaleDownUnneededTime: &zero, IgnoreDaemonSetsUtilization: &no},
			with(func(o *cloudprovider.Options) { o.ScaleDownUnneededTime, o.IgnoreDaemonSetsUtilization = 0, false }), true},
		"with the permission": {config.Options{ScaleDownUnneededTime: &unneeded, AllowWithCA135: &yes},
			with(func(o *cloudprovider.Options) { o.ScaleDownUnneededTime, o.AllowWithCA135 = 3*time.Minute, true }), true},
	} {
		t.Run(name, func(t *testing.T) {
			play(t, []groupSpec{{name: "a", max: 1}}, func(w *world) {
				w.config.Groups[0].Options = test.set
				w.restart()
				require.NoError(t, w.Refresh(w.t.Context()))
				options, ok, err := w.Options("a", autoscalerFlags)
				require.NoError(t, err)
				assert.Equal(t, test.ok, ok)
				assert.Equal(t, test.want, options)
			})
		})
	}
}

func TestOptionsOfAnUnknownGroup(t *testing.T) {
	play(t, []groupSpec{{name: "a", max: 1}}, func(w *world) {
		_, _, err := w.Options("b", autoscalerFlags)
		require.ErrorIs(t, err, cloudprovider.ErrGroupNotFound)
	})
}
