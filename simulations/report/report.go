package report

import (
	"time"

	"github.com/buildpool/buildpool/simulations/baseline"
	"github.com/buildpool/buildpool/simulations/engine"
)

// Version of the JSON form. It rises when a reader of the older form would be misled.
//
// 2: a run with a virtual node has builds that are of no group, and a cost beside that
// of nodes. A report of version 1 is one of version 2 without a virtual node.
const Version = 2

// Report is what a run came to. Times are in seconds and, where they are instants,
// after the trace's start; costs are in the settings' currency.
type Report struct {
	// Version of this form: 2.
	Version int `json:"version"`
	// Name of the run, for people and for comparisons.
	Name string `json:"name"`
	// Start is the instant of the trace's start, with the offset in which the hours of
	// a day are told.
	Start time.Time `json:"start"`
	// EndSeconds is when the run ended.
	EndSeconds float64 `json:"endSeconds"`
	// SLOSeconds is the longest wait that is good enough; 0: none was given.
	SLOSeconds float64 `json:"sloSeconds"`
	// Currency of all costs; empty: not known.
	Currency string `json:"currency"`
	// Builds counts builds by what became of them.
	Builds Builds `json:"builds"`
	// Waits of all builds.
	Waits Waits `json:"waits"`
	// Observed are the waits that the trace itself tells, of the builds for which it
	// does; left out where it tells none.
	Observed *Waits `json:"observed,omitempty"`
	// Causes split the waits by what their longest part was spent on. Causes of no
	// build are left out.
	Causes []CauseWaits `json:"causes"`
	// Classes split the waits by the classes that a build may run on.
	Classes []NamedWaits `json:"classes"`
	// Jobs split the waits by job, those first that waited the longest in all.
	Jobs []NamedWaits `json:"jobs"`
	// JobsLeftOut counts the jobs that the list has no room for.
	JobsLeftOut int `json:"jobsLeftOut"`
	// Labels split the waits by the node labels that builds ask for, as key=value.
	Labels []NamedWaits `json:"labels"`
	// Hours split the waits by the hour of the day in which the build arrived, as 15:00, in
	// the trace's own time. Hours of no build are left out.
	Hours []NamedWaits `json:"hours"`
	// Curves are the distributions of the waits: of all builds, then of each class.
	Curves []Curve `json:"curves"`
	// Capacity is what all groups together were and cost.
	Capacity Capacity `json:"capacity"`
	// Groups are the node groups, in the order of the settings.
	Groups []Group `json:"groups"`
	// Virtual is the virtual node; left out where there is none.
	Virtual *Virtual `json:"virtual,omitempty"`
	// Baselines are other ways to serve the same builds, on nodes alone.
	Baselines []baseline.Baseline `json:"baselines"`
	// Week is the run by hour of the week.
	Week Week `json:"week"`
	// Timeline is the state over time; left out where the run kept none.
	Timeline *Timeline `json:"timeline,omitempty"`
	// Settings are what the run was made with.
	Settings Settings `json:"settings"`
}

// Builds counts builds.
type Builds struct {
	// Arrived builds of the trace.
	Arrived int `json:"arrived"`
	// Done builds.
	Done int `json:"done"`
	// Unfinished builds had not ended when the run did; Unstarted ones among them.
	Unfinished int `json:"unfinished"`
	// Unstarted builds never ran, or had not begun anew after their node was taken.
	Unstarted int `json:"unstarted"`
	// Interrupted builds lost their node at least once.
	Interrupted int `json:"interrupted"`
	// Interruptions counts how often builds lost their nodes.
	Interruptions int `json:"interruptions"`
	// Lost builds were interrupted and never done.
	Lost int `json:"lost"`
	// LostMinutes are the minutes for which builds had run when they lost their nodes.
	LostMinutes float64 `json:"lostMinutes"`
}

// Options are what Summarize cannot take from the run.
type Options struct {
	// Name of the run.
	Name string
	// SLO is the longest wait that is good enough; 0: none.
	SLO time.Duration
	// Baselines to stand beside the run.
	Baselines []baseline.Baseline
	// TimelinePoints is the most points of the timeline; 0: 1,000. Fewer where there
	// are many groups.
	TimelinePoints int
	// Jobs is the most jobs that are listed; 0: 100.
	Jobs int
}

// Summarize makes the report of a run.
func Summarize(settings engine.Settings, result engine.Result, options Options) Report {
	r := Report{
		Version:    Version,
		Name:       options.Name,
		Start:      settings.Trace.Start,
		EndSeconds: seconds(result.End),
		SLOSeconds: seconds(options.SLO),
		Currency:   settings.Currency,
		Builds:     countBuilds(result.Builds),
		Baselines:  options.Baselines,
		Timeline:   summarizeTimeline(settings, result.Timeline, options.TimelinePoints),
		Settings:   describeSettings(settings),
	}
	waits := waitsOf(settings.Trace, result, options.SLO)
	r.Waits = waits.all()
	r.Observed = waits.observed()
	r.Causes = waits.byCause()
	r.Classes = waits.byClass()
	r.Jobs, r.JobsLeftOut = waits.byJob(options.Jobs)
	r.Labels = waits.byLabel()
	r.Hours = waits.byHour()
	r.Curves = waits.curves()
	r.Capacity, r.Groups = summarizeCapacity(settings, result, waits)
	r.Virtual = summarizeVirtual(result, waits)
	r.Week = summarizeWeek(waits)
	if r.Baselines == nil {
		r.Baselines = []baseline.Baseline{}
	}
	return r
}

func countBuilds(builds []engine.BuildResult) Builds {
	b := Builds{Arrived: len(builds)}
	var lost time.Duration
	for _, one := range builds {
		done := one.Ended != engine.Never
		if done {
			b.Done++
		} else {
			b.Unfinished++
		}
		if one.Started == engine.Never {
			b.Unstarted++
		}
		if one.Interruptions > 0 {
			b.Interrupted++
			if !done {
				b.Lost++
			}
		}
		b.Interruptions += int(one.Interruptions)
		lost += one.Lost
	}
	b.LostMinutes = rounded(lost.Minutes(), 1000)
	return b
}
