package workload

import "regexp"

// Mapping gives the builds of an export what the export does not say: their class,
// requests, image and labels. What a rule says goes before what the export says, and
// that before the default. ParseMapping reads one.
type Mapping struct {
	// Default holds for what neither a rule nor the export says.
	Default Requests
	// Rules are tried in order; the first that matches a build is its rule.
	Rules []Rule
	// JobLabel is the label or annotation that names a pod's job; empty: the pod's name
	// without what was generated.
	JobLabel string
	// Columns tell the columns of a file that is read as columns; nil: there is none.
	Columns *ColumnNames
	// Curve says that series of a Prometheus export count builds, and what to call
	// these; nil: such series are refused.
	Curve *Curve
}

// Requests are what a rule, a default or an export says of a build; nil and empty:
// nothing.
type Requests struct {
	Classes                     []string
	MilliCPU, MemoryBytes, GPUs *int64
	Image                       string
	Labels                      map[string]string
}

// Rule is what holds for builds whose job and tags match.
type Rule struct {
	// Job and Tag are patterns; nil matches everything. Tag matches if one of the
	// build's tags does: what an export knows builds by beside their job.
	Job, Tag *regexp.Regexp
	// As is the job's name in the trace, for jobs that are to count as one; empty: its own.
	As string
	// Drop leaves the builds out.
	Drop bool
	Requests
}

// ColumnNames tell what the columns of a foreign CSV file hold, by the names in its header.
type ColumnNames struct {
	// Arrival is when the build was asked for, Start when it began to run, End when it
	// was done. Duration and Wait are seconds or Go durations, where the file has these
	// instead of Start and End.
	Arrival, Start, End, Duration, Wait string
	// Job, Class, CPU, Memory, GPU, Image and Labels are as in our own CSV.
	Job, Class, CPU, Memory, GPU, Image, Labels string
	// Tags are columns whose values become tags, as column=value.
	Tags []string
	// Time is how times are written: "seconds" or "milliseconds" since 1970, or a layout
	// of Go's such as 2006-01-02 15:04:05. Empty: seconds or RFC 3339.
	Time string
	// Separator stands between values; 0: a comma.
	Separator rune
}

// Curve says how builds are made from a curve of their number.
type Curve struct {
	// Job names the builds.
	Job string
}

// rule is the first that matches, or nil.
func (m *Mapping) rule(job string, tags []string) *Rule {
	for i := range m.Rules {
		if m.Rules[i].matches(job, tags) {
			return &m.Rules[i]
		}
	}
	return nil
}

func (r *Rule) matches(job string, tags []string) bool {
	if r.Job != nil && !r.Job.MatchString(job) {
		return false
	}
	if r.Tag == nil {
		return true
	}
	for _, tag := range tags {
		if r.Tag.MatchString(tag) {
			return true
		}
	}
	return false
}

// over is r where it says something, else what is below.
func (r Requests) over(below Requests) Requests {
	if len(r.Classes) == 0 {
		r.Classes = below.Classes
	}
	if r.MilliCPU == nil {
		r.MilliCPU = below.MilliCPU
	}
	if r.MemoryBytes == nil {
		r.MemoryBytes = below.MemoryBytes
	}
	if r.GPUs == nil {
		r.GPUs = below.GPUs
	}
	if r.Image == "" {
		r.Image = below.Image
	}
	if r.Labels == nil {
		r.Labels = below.Labels
	}
	return r
}

// shape is what the requests make of a job, or what they leave open.
func (r Requests) shape(job string) (Shape, *fault) {
	missing := ""
	switch {
	case len(r.Classes) == 0:
		missing = "class"
	case r.MilliCPU == nil:
		missing = "cpu"
	case r.MemoryBytes == nil:
		missing = "memory"
	}
	if missing != "" {
		return Shape{}, &fault{"job", "has no " + missing, job, "add a rule for it to the mapping, or a default: {class: normal, cpu: 2, memory: 4Gi}"}
	}
	if f := checkText("job", job); f != nil {
		return Shape{}, f
	}
	s := Shape{
		Job: job, Classes: append([]string(nil), r.Classes...), Labels: r.Labels, Image: r.Image,
		MilliCPU: *r.MilliCPU, MemoryBytes: *r.MemoryBytes,
	}
	if r.GPUs != nil {
		s.GPUs = *r.GPUs
	}
	return s, nil
}
