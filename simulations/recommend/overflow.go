package recommend

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/engine"
)

// OverflowSetting is when builds move to the virtual node.
type OverflowSetting struct {
	// Off: they do not.
	Off bool `json:"off,omitempty"`
	// WaitedFor is the age at which they do, whatever else the node-group file says of
	// when they start; left out: as the file says.
	WaitedFor config.Duration `json:"waitedFor,omitempty"`
}

// overflowChoices are what is searched where the file has an overflow section, from the
// least that moves to the most: off, by age alone, then as the file says. Where it has
// none there is nothing to search.
func overflowChoices(s engine.Settings) []*OverflowSetting {
	if s.Overflow == nil {
		return []*OverflowSetting{nil}
	}
	out := []*OverflowSetting{{Off: true}}
	for _, minutes := range []time.Duration{10, 5, 3, 2, 1} {
		out = append(out, &OverflowSetting{WaitedFor: config.Duration(minutes * time.Minute)})
	}
	return append(out, &OverflowSetting{})
}

// overflowCoarse are the steps of the coarse grid.
func overflowCoarse(choices []*OverflowSetting) []int {
	if len(choices) == 1 {
		return []int{0}
	}
	return []int{0, 3, len(choices) - 1}
}

// apply makes the engine's settings; the given ones stay as they were.
func (o *OverflowSetting) apply(to *engine.Settings) {
	switch {
	case o == nil || to.Overflow == nil:
	case o.Off:
		to.Overflow = nil
	case o.WaitedFor > 0:
		changed := *to.Overflow
		changed.Classes = slices.Clone(changed.Classes)
		for i := range changed.Classes {
			start := &changed.Classes[i].Policy.Start
			start.After, start.PredictedLater, start.WhenBlocked = time.Duration(o.WaitedFor), 0, false
		}
		to.Overflow = &changed
	}
}

// short tells it in a few words.
func (o *OverflowSetting) short() string {
	switch {
	case o.Off:
		return "no overflow"
	case o.WaitedFor > 0:
		return "overflow after " + durationText(time.Duration(o.WaitedFor))
	}
	return "overflow as it is"
}

// yaml are the keys of the node-group file; empty: they stay as they are.
func (o *OverflowSetting) yaml(base engine.Settings) string {
	switch {
	case o == nil || base.Overflow == nil || !o.Off && o.WaitedFor == 0:
		return ""
	case o.Off:
		return "overflow:\n  classes: []\n"
	}
	var b strings.Builder
	b.WriteString("overflow:\n  classes:\n")
	for _, c := range base.Overflow.Classes {
		fmt.Fprintf(&b, "    - class: %s\n      startWhen: {waitedFor: %s}\n", c.Class, durationText(time.Duration(o.WaitedFor)))
	}
	return b.String()
}
