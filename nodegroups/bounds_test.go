package nodegroups

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
)

func TestWhoseBoundsTheyAre(t *testing.T) {
	type sizes struct{ min, max int }
	for name, test := range map[string]struct {
		configured, live, want sizes
		lowest, highest        BoundReason
	}{
		"the same":                   {sizes{1, 5}, sizes{1, 5}, sizes{1, 5}, BoundConfigured, BoundConfigured},
		"a wider scaling group":      {sizes{1, 5}, sizes{0, 9}, sizes{1, 5}, BoundConfigured, BoundConfigured},
		"a narrower scaling group":   {sizes{1, 5}, sizes{2, 4}, sizes{2, 4}, BoundScalingGroup, BoundScalingGroup},
		"its min above our max":      {sizes{0, 5}, sizes{6, 9}, sizes{5, 5}, BoundMax, BoundConfigured},
		"our min above its max":      {sizes{5, 9}, sizes{0, 4}, sizes{4, 4}, BoundMax, BoundScalingGroup},
		"our min equal to its max":   {sizes{4, 9}, sizes{0, 4}, sizes{4, 4}, BoundConfigured, BoundScalingGroup},
		"its min equal to our max":   {sizes{0, 4}, sizes{4, 9}, sizes{4, 4}, BoundScalingGroup, BoundConfigured},
		"both mins above either max": {sizes{5, 5}, sizes{6, 6}, sizes{5, 5}, BoundMax, BoundConfigured},
	} {
		t.Run(name, func(t *testing.T) {
			g := config.Group{Min: test.configured.min, Max: test.configured.max}
			live := cloudprovider.ScalingGroup{Min: test.live.min, Max: test.live.max}
			lowest, highest := bounds(g, live)
			assert.Equal(t, test.want, sizes{lowest, highest})
			why, whyMax := reasonsOf(g, live)
			assert.Equal(t, test.lowest, why)
			assert.Equal(t, test.highest, whyMax)
		})
	}
}
