package recommend

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/overflow"
	"github.com/buildpool/buildpool/simulations/engine"
)

// TestOverflowIsSearched: with and without it, its cost counted; the front shows which.
func TestOverflowIsSearched(t *testing.T) {
	s := smallSettings()
	s.Overflow = &engine.Overflow{ScanInterval: 10 * time.Second, Every: 2 * time.Second, Classes: []engine.OverflowClass{{
		Class: config.ClassNormal, Policy: overflow.Policy{Start: overflow.Start{WhenBlocked: true}, MaxPods: 100, Price: overflow.Price{PerCPU: 0.1764, PerGiB: 0.02207}},
	}}}
	o := searched(t, s, smallOptions(2, "p95<60s"))
	require.NotNil(t, o.Today.Setting.Overflow)
	without, with := 0, 0
	for _, r := range o.Front {
		require.NotNil(t, r.Setting.Overflow)
		if r.Setting.Overflow.Off {
			without++
			assert.Zero(t, r.Figures.VirtualCost)
		} else {
			with++
		}
		assert.LessOrEqual(t, r.Figures.VirtualCost, r.Figures.Cost)
	}
	assert.Positive(t, with+without)
	assert.Contains(t, formsOf(t, o), "overflow")
	assert.NotContains(t, formsOf(t, o), "A virtual node was not tried")
	assert.Contains(t, formsOf(t, searched(t, smallSettings(), smallOptions(2, "p95<60s"))), "A virtual node was not tried")
}

func TestOverflowSettingChangesACopy(t *testing.T) {
	s := engine.Settings{Overflow: &engine.Overflow{Classes: []engine.OverflowClass{{
		Class: config.ClassSpot, Policy: overflow.Policy{Start: overflow.Start{WhenBlocked: true, PredictedLater: time.Minute}},
	}}}}
	choices := overflowChoices(s)
	off, aged, asItIs := choices[0], choices[1], choices[len(choices)-1]
	changed := s
	aged.apply(&changed)
	assert.Equal(t, overflow.Start{After: 10 * time.Minute}, changed.Overflow.Classes[0].Policy.Start)
	assert.True(t, s.Overflow.Classes[0].Policy.Start.WhenBlocked)
	assert.Equal(t, "overflow:\n  classes:\n    - class: spot\n      startWhen: {waitedFor: 10m}\n", aged.yaml(s))
	off.apply(&changed)
	assert.Nil(t, changed.Overflow)
	assert.Equal(t, "overflow:\n  classes: []\n", off.yaml(s))
	changed = s
	asItIs.apply(&changed)
	assert.Same(t, s.Overflow, changed.Overflow)
	assert.Empty(t, asItIs.yaml(s))
	assert.Equal(t, []*OverflowSetting{nil}, overflowChoices(engine.Settings{}))
}
