package report_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/report"
)

// TestSettingsTellWhatADecisionOfTheRunDependsOn: two runs that differ in them must not
// look as if they had the same settings.
func TestSettingsTellWhatADecisionOfTheRunDependsOn(t *testing.T) {
	s := testSettings(1, 20, 1)
	s.Groups[1].Config.Spot.OnReclaimNotice = config.ReclaimIgnored
	s.Groups[1].Config.ScalingGroup.ID = "asg-of-the-account"
	r := report.Summarize(s, play(s), report.Options{})
	assert.Contains(t, string(r.Settings.Groups[1].Config), `"onReclaimNotice":"ignore"`)
	assert.NotContains(t, string(r.Settings.Groups[1].Config), "asg-of-the-account", "a report is passed on")
}
