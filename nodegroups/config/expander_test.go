package config

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestExpanderByDefault(t *testing.T) {
	const group = "groups: [{name: a, class: normal, max: 1, scalingGroup: {id: asg-a}}]\n"
	spot, normal := Tier{Classes: []Class{ClassSpot}}, Tier{Classes: []Class{ClassNormal}}
	gpu := Tier{Classes: []Class{ClassGPU}, OnlyForGPUPods: true}
	for name, test := range map[string]struct {
		text string
		want []Tier
	}{
		"nothing said":           {"", []Tier{spot, normal, gpu}},
		"a class of one's own":   {"expander: {tiers: [{classes: [normal]}]}\n", []Tier{normal, spot, gpu}},
		"gpu for everything":     {"expander: {tiers: [{classes: [gpu]}]}\n", []Tier{{Classes: []Class{ClassGPU}}, spot, normal}},
		"all in one":             {"expander: {tiers: [{classes: [gpu, spot, normal]}]}\n", []Tier{{Classes: []Class{ClassGPU, ClassSpot, ClassNormal}}}},
		"the rest of the policy": {"expander: {whenAllSkipped: veto, skipFor: {failed: 0s}}\n", []Tier{spot, normal, gpu}},
	} {
		t.Run(name, func(t *testing.T) {
			e := parseGood(t, header+test.text+group).Expander
			assert.Equal(t, test.want, e.Tiers)
			for what, d := range map[time.Duration]*Duration{5 * time.Minute: e.SkipFor.OutOfStock, 10 * time.Minute: e.SkipFor.Reclaimed, time.Minute: e.SkipFor.Throttled} {
				assert.Equal(t, Duration(what), *d)
			}
			failed, answer := Duration(5*time.Minute), LeastBad
			if test.text == "expander: {whenAllSkipped: veto, skipFor: {failed: 0s}}\n" {
				failed, answer = 0, Veto
			}
			assert.Equal(t, failed, *e.SkipFor.Failed)
			assert.Equal(t, answer, e.WhenAllSkipped)
			assert.Equal(t, e, expanderWithDefaults(e), "the defaults of the defaults are the same")
		})
	}
	assert.Equal(t, parseGood(t, header+group).Expander, DefaultExpander())
}
