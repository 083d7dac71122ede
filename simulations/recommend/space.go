package recommend

import (
	"math"
	"slices"
	"time"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/engine"
)

// What is searched is a ladder of values for each thing that can be set; the coarse grid
// steps on some of them only. These are the ladders of all traces. The max is in peaks of
// the demand; a spot group beside others that would do may have less, down to nothing. The
// min is a quantile of the hours' demand, then a part of the peak: builds that come in bursts need
// more than any hour's mean. What is kept warm is in means of the window's demand.
var (
	unneededSteps  = []time.Duration{1, 2, 3, 5, 7, 10, 15, 20, 30} // minutes
	unneededCoarse = []int{1, 4, 6}
	maxSteps       = []float64{0.25, 0.4, 0.55, 0.7, 0.85, 1, 1.25, 1.5}
	maxCoarse      = []int{3, 5, 6}
	spotSteps      = []float64{0, 0.1, 0.25, 0.5, 0.75, 1, 1.25}
	spotCoarse     = []int{0, 3, 6}
	minSteps       = []float64{0, 0.1, 0.25, 0.5, 0.75, 0.9, 1}
	minPeakSteps   = []float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1}
	minCoarse      = []int{0, 3, 8}
	warmSteps      = []float64{0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4, 6}
	warmCoarse     = []int{0, 2, 4, 7}
)

// maxNodes is the largest group that ESS takes.
const maxNodes = 2000

// space is all that is searched.
type space struct {
	base       engine.Settings
	expanders  [][]string
	schedulers []engine.Scheduler
	overflows  []*OverflowSetting
	groups     []groupSpace
}

// groupSpace are the values of a group, by step.
type groupSpace struct {
	min, max []int
	spot     bool // its max is the share of spot
	warm     [][]config.Window
}

// point is a place in the space: a step on each ladder.
type point struct {
	unneeded, expander, scheduler, overflow int
	groups                                  []groupPoint
}

type groupPoint struct{ min, max, warm int }

func newSpace(base engine.Settings) space {
	s := space{base: base, expanders: [][]string{base.Autoscaler.Expander}, schedulers: []engine.Scheduler{base.Scheduler}, overflows: overflowChoices(base)}
	zone, location := zoneOf(base.Trace.Start)
	var holidays []string
	for _, g := range base.Groups {
		for _, w := range g.Config.Schedules {
			holidays = append(holidays, w.Holidays...)
		}
	}
	slices.Sort(holidays)
	holidays = slices.Compact(holidays)
	shared := false
	for i, d := range demands(base, location) {
		shared = shared || d.shared
		s.groups = append(s.groups, newGroupSpace(base.Groups[i], d, zone, holidays))
	}
	for _, other := range []engine.Scheduler{engine.LeastAllocated, engine.MostAllocated} {
		if other != base.Scheduler {
			s.schedulers = append(s.schedulers, other)
		}
	}
	if !shared {
		return s // there is nothing to choose between
	}
	for _, other := range []string{engine.LeastWaste, engine.ByPrice, engine.GRPC} {
		if !slices.Equal(base.Autoscaler.Expander, []string{other}) {
			s.expanders = append(s.expanders, []string{other})
		}
	}
	return s
}

// newGroupSpace makes the ladders of a group. One that no build of the trace asks for
// stays as it is: the trace says nothing of it.
func newGroupSpace(g engine.Group, d demand, zone string, holidays []string) groupSpace {
	if d.peak == 0 {
		return groupSpace{min: []int{g.Config.Min}, max: []int{g.Config.Max}, warm: [][]config.Window{g.Config.Schedules}}
	}
	s := groupSpace{spot: d.shared && g.Config.Class == config.ClassSpot}
	steps := maxSteps
	if s.spot {
		steps = spotSteps
	}
	for _, share := range steps {
		n := int(math.Ceil(share*float64(d.peak) - 1e-9))
		if g.Stock > 0 {
			n = min(n, g.Stock)
		}
		s.max = append(s.max, min(n, maxNodes))
	}
	for _, q := range minSteps {
		s.min = append(s.min, quantile(d.week, q))
	}
	for _, share := range minPeakSteps {
		least := int(math.Ceil(share*float64(d.peak) - 1e-9))
		s.min = append(s.min, max(least, s.min[len(s.min)-1]))
	}
	for _, share := range warmSteps {
		windows := warmWindows(d.week, share, zone, g.Boot.P95)
		for i := range windows {
			windows[i].Holidays = holidays
		}
		s.warm = append(s.warm, windows)
	}
	return s
}

// quantile of the hours' demand in whole nodes; nothing of it is nothing.
func quantile(week [hoursOfWeek]float64, q float64) int {
	if q == 0 {
		return 0
	}
	sorted := slices.Clone(week[:])
	slices.Sort(sorted)
	return int(math.Ceil(sorted[int(q*(hoursOfWeek-1))] - 1e-9))
}

// setting is what a point stands for.
func (s space) setting(p point) Setting {
	out := Setting{
		Unneeded: config.Duration(unneededSteps[p.unneeded] * time.Minute), Expander: s.expanders[p.expander],
		Scheduler: s.schedulers[p.scheduler], Overflow: s.overflows[p.overflow],
	}
	kept := false
	for i, at := range p.groups {
		g := s.groups[i]
		group := GroupSetting{Name: s.base.Groups[i].Config.Name, Max: g.max[at.max]}
		group.Min = min(g.min[at.min], group.Max)
		for _, w := range g.warm[at.warm] {
			if w.Min = min(w.Min, group.Max); w.Min > group.Min {
				group.Schedules = append(group.Schedules, w)
			}
		}
		kept = kept || group.Min > 0 || len(group.Schedules) > 0
		out.Groups = append(out.Groups, group)
	}
	out.EnforceMin = s.base.Autoscaler.EnforceNodeGroupMinSize ||
		kept && s.base.Schedule.Mode != config.ScheduleByProvider
	return out
}
