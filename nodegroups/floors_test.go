package nodegroups

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/nodegroups/floor"
)

func minutes(n int) *config.Duration {
	d := config.Duration(time.Duration(n) * time.Minute)
	return &d
}

// An instance that has not joined within its provision time is not held by a cooldown:
// CA removes it, but not below min.
func TestACooldownDoesNotHoldWhatNeverJoined(t *testing.T) {
	g := config.Group{Name: "builds", Max: 100, Cooldown: config.Cooldown{AfterScaleUp: minutes(60)}, Options: config.Options{MaxNodeProvisionTime: minutes(10)}}
	policy, err := floor.New(g)
	require.NoError(t, err)
	o := seen(at(0), 3, 3)
	for n := range o.instances {
		o.instances[n].Created = at(0)
	}
	m := &member{config: g, floors: policy, seen: o, state: groupState{target: 4, grew: at(0), placeholders: make([]placeholder, 1)}}
	p := &Provider{Settings: Settings{Clock: clocktesting.NewFakeClock(at(0))}, born: at(-3600)}
	p.nodes.saw("i-000", cloudprovider.FormDot, at(90))

	assert.Equal(t, 3, p.floorOf(m, at(600)).Min, "all may still join; the failed one is never held")
	late := p.floorOf(m, at(601))
	assert.Equal(t, 1, late.Min, "two of three never joined")
	assert.Equal(t, floor.Cooldown, late.Reason)

	p.born = at(0)
	assert.Equal(t, 3, p.floorOf(m, at(600)).Min)
	p.born = at(300)
	assert.Equal(t, 3, p.floorOf(m, at(601)).Min, "CA may not have shown us its nodes since our start")
}
