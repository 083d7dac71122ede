package workload

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Description is the shape of a trace in numbers. Times are seconds unless a name says
// otherwise; the JSON keys are a promise.
type Description struct {
	// Start is the trace's; its location tells the hours of the day.
	Start time.Time `json:"start"`
	// Hours is how long builds arrive: from the start to the last arrival, in full hours.
	Hours  int `json:"hours"`
	Builds int `json:"builds"`
	// Shapes is how many kinds of build there are.
	Shapes int `json:"shapes"`

	Arrivals    Arrivals    `json:"arrivals"`
	Durations   Quantiles   `json:"durations"`
	Concurrency Concurrency `json:"concurrency"`
	// OverAnHour is the share of builds that run for more than an hour.
	OverAnHour float64 `json:"overAnHour"`
	// Waits are those that were observed; nil if none was.
	Waits *Quantiles `json:"waits,omitempty"`
	// HourOfWeek has the mean number of builds that arrive in each hour, Monday first;
	// an hour that the trace does not reach has 0.
	HourOfWeek [7][24]float64 `json:"hourOfWeek"`
	// Classes are in order of their names, Jobs those with the most builds first.
	Classes []ClassDescription `json:"classes"`
	Jobs    []JobDescription   `json:"jobs"`
}

// Arrivals is how builds come.
type Arrivals struct {
	// PerHour is the mean, PerWeekday the mean of a day from Monday to Friday.
	PerHour    float64 `json:"perHour"`
	PerWeekday float64 `json:"perWeekday"`
	// Peak is the number of builds in the busiest hour of the clock, PeakAt its
	// beginning, PeakToMean how many times the mean it is; PeakMinute is the most
	// within a minute of the clock.
	Peak       int       `json:"peak"`
	PeakAt     time.Time `json:"peakAt"`
	PeakToMean float64   `json:"peakToMean"`
	PeakMinute int       `json:"peakMinute"`
	// InterarrivalCV is the standard deviation of the times between arrivals, in means:
	// 1 if builds come by chance one at a time, more if they come in bursts.
	InterarrivalCV float64 `json:"interarrivalCV"`
	// WeekendShare is the share of builds that come on a Saturday or Sunday.
	WeekendShare float64 `json:"weekendShare"`
}

// Quantiles tell a distribution.
type Quantiles struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	Max  float64 `json:"max"`
}

// ClassDescription is Description for the builds of one class, or of several that would do.
type ClassDescription struct {
	// Class is as in our CSV, such as spot|normal.
	Class       string      `json:"class"`
	Builds      int         `json:"builds"`
	Share       float64     `json:"share"`
	Durations   Quantiles   `json:"durations"`
	Concurrency Concurrency `json:"concurrency"`
}

// JobDescription is Description for the builds of one job.
type JobDescription struct {
	Job       string    `json:"job"`
	Builds    int       `json:"builds"`
	Share     float64   `json:"share"`
	Durations Quantiles `json:"durations"`
}

// Describe measures a trace.
func Describe(t Trace) Description {
	d := Description{
		Start: t.Start, Builds: len(t.Builds), Shapes: len(t.Shapes),
		Classes: []ClassDescription{}, Jobs: []JobDescription{},
	}
	if len(t.Builds) == 0 {
		return d
	}
	d.arrivals(t)
	var long int
	durations := make([]time.Duration, len(t.Builds))
	var waits []time.Duration
	for i, b := range t.Builds {
		durations[i] = b.Duration
		if b.Duration > time.Hour {
			long++
		}
		if b.Wait >= 0 {
			waits = append(waits, b.Wait)
		}
	}
	d.OverAnHour = float64(long) / float64(len(t.Builds))
	d.Durations = quantiles(durations)
	if len(waits) > 0 {
		w := quantiles(waits)
		d.Waits = &w
	}
	d.Concurrency = concurrency(t, t.Builds)
	d.classes(t)
	d.jobs(t)
	return d
}

func (d *Description) classes(t Trace) {
	for class, builds := range group(t, func(s Shape) string { return classText(s.Classes) }) {
		d.Classes = append(d.Classes, ClassDescription{
			Class: class, Builds: len(builds), Share: float64(len(builds)) / float64(len(t.Builds)),
			Durations: quantiles(durationsOf(builds)), Concurrency: concurrency(t, builds),
		})
	}
	slices.SortFunc(d.Classes, func(a, b ClassDescription) int { return cmp.Compare(a.Class, b.Class) })
}

func (d *Description) jobs(t Trace) {
	for job, builds := range group(t, func(s Shape) string { return s.Job }) {
		d.Jobs = append(d.Jobs, JobDescription{
			Job: job, Builds: len(builds), Share: float64(len(builds)) / float64(len(t.Builds)),
			Durations: quantiles(durationsOf(builds)),
		})
	}
	slices.SortFunc(d.Jobs, func(a, b JobDescription) int {
		return cmp.Or(-cmp.Compare(a.Builds, b.Builds), cmp.Compare(a.Job, b.Job))
	})
}

// group parts the builds by something of their shapes.
func group(t Trace, by func(Shape) string) map[string][]Build {
	names := make([]string, len(t.Shapes))
	counts := map[string]int{}
	for i, s := range t.Shapes {
		names[i] = by(s)
	}
	for _, b := range t.Builds {
		counts[names[b.Shape]]++
	}
	groups := make(map[string][]Build, len(counts))
	for _, b := range t.Builds {
		name := names[b.Shape]
		if groups[name] == nil {
			groups[name] = make([]Build, 0, counts[name])
		}
		groups[name] = append(groups[name], b)
	}
	return groups
}

func durationsOf(builds []Build) []time.Duration {
	durations := make([]time.Duration, len(builds))
	for i, b := range builds {
		durations[i] = b.Duration
	}
	return durations
}

// quantiles sorts the values, of which there is at least one.
func quantiles(values []time.Duration) Quantiles {
	slices.Sort(values)
	sum := 0.0
	for _, v := range values {
		sum += v.Seconds()
	}
	at := func(q float64) float64 {
		return values[max(int(math.Ceil(q*float64(len(values))))-1, 0)].Seconds()
	}
	return Quantiles{
		Mean: sum / float64(len(values)),
		P50:  at(0.50), P90: at(0.90), P95: at(0.95), P99: at(0.99), Max: at(1),
	}
}
