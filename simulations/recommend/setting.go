package recommend

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/engine"
)

// Setting is what is searched for: what a node-group file and cluster-autoscaler's flags
// can say.
type Setting struct {
	// Unneeded is --scale-down-unneeded-time.
	Unneeded config.Duration `json:"scaleDownUnneededTime"`
	// Expander is --expander.
	Expander []string `json:"expander"`
	// Scheduler is kube-scheduler's scoring strategy.
	Scheduler engine.Scheduler `json:"scheduler"`
	// EnforceMin is --enforce-node-group-min-size: without it nobody brings a group up
	// to its min again.
	EnforceMin bool `json:"enforceNodeGroupMinSize"`
	// Overflow to the virtual node; left out where the node-group file has none.
	Overflow *OverflowSetting `json:"overflow,omitempty"`
	// Groups in the order of the node-group file.
	Groups []GroupSetting `json:"groups"`
}

// GroupSetting is a node group's part.
type GroupSetting struct {
	// Name of the group.
	Name string `json:"name"`
	// Min and Max size.
	Min int `json:"min"`
	Max int `json:"max"`
	// Schedules are the warm windows; left out where there are none.
	Schedules []config.Window `json:"schedules,omitempty"`
}

// settingOf is what is set already.
func settingOf(s engine.Settings) Setting {
	out := Setting{
		Unneeded: config.Duration(s.Autoscaler.ScaleDownUnneededTime), Expander: s.Autoscaler.Expander,
		Scheduler: s.Scheduler, EnforceMin: s.Autoscaler.EnforceNodeGroupMinSize,
	}
	if s.Overflow != nil {
		out.Overflow = &OverflowSetting{}
	}
	for _, g := range s.Groups {
		out.Groups = append(out.Groups, GroupSetting{g.Config.Name, g.Config.Min, g.Config.Max, slices.Clone(g.Config.Schedules)})
	}
	return out
}

// apply makes the engine's settings; the given ones stay as they were.
func (s Setting) apply(to engine.Settings) engine.Settings {
	to.Autoscaler.ScaleDownUnneededTime = time.Duration(s.Unneeded)
	to.Autoscaler.Expander = s.Expander
	to.Autoscaler.EnforceNodeGroupMinSize = s.EnforceMin
	to.Scheduler = s.Scheduler
	s.Overflow.apply(&to)
	to.Groups = slices.Clone(to.Groups)
	for i, g := range s.Groups {
		c := &to.Groups[i].Config
		c.Min, c.Max, c.Schedules = g.Min, g.Max, g.Schedules
		if c.Options.ScaleDownUnneededTime != nil {
			unneeded := s.Unneeded
			c.Options.ScaleDownUnneededTime = &unneeded
		}
	}
	return to
}

// key tells settings apart.
func (s Setting) key() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %q %s %t", s.Unneeded, s.Expander, s.Scheduler, s.EnforceMin)
	if s.Overflow != nil {
		b.WriteString(" " + s.Overflow.short())
	}
	for _, g := range s.Groups {
		fmt.Fprintf(&b, " %d-%d", g.Min, g.Max)
		for _, w := range g.Schedules {
			fmt.Fprintf(&b, "[%q %d %d %v %s %v]", w.Cron, w.Duration, w.Min, w.Share, w.TimeZone, w.Holidays)
		}
	}
	return b.String()
}

// short tells a group's part in a few letters: its bounds, and the most that its windows
// keep.
func (g GroupSetting) short() string {
	text := fmt.Sprintf("%s %d-%d", g.Name, g.Min, g.Max)
	warm := 0
	for _, w := range g.Schedules {
		warm = max(warm, w.Least(g.Max))
	}
	if warm > 0 {
		text += fmt.Sprintf(" warm %d", warm)
	}
	return text
}
