package workload

import "regexp"

// Mapping gives the builds of an export what the export does not say: their class,
// requests, image and labels. What a rule says goes before what the export says, and
// that before the default.
type Mapping struct {
	// Default holds for what neither rules nor the export say.
	Default Requests
	// Rules are tried in order; the first that matches a build is its rule.
	Rules []Rule
	// Columns tell the columns of a file that is read as columns.
	Columns *ColumnNames
	// Curve says that the series of a Prometheus export count builds, and what to make
	// of it; nil: they are refused.
	Curve *Curve
}

// Requests are what a rule or a default gives to a build; nil and empty: nothing.
type Requests struct {
	Classes                     []string
	MilliCPU, MemoryBytes, GPUs *int64
	Image                       string
	Labels                      map[string]string
}

// Rule is what holds for builds whose job and tags match.
type Rule struct {
	// Job and Tag are patterns; nil matches everything. Tags are what an export knows
	// builds by beside their job: runner tags and labels, and node selectors as key=value.
	Job, Tag *regexp.Regexp
	// As is the job's name in the trace, for jobs that are to count as one; empty: its own.
	As string
	// Drop leaves the builds out.
	Drop bool
	Requests
}

// ColumnNames tell what the columns of a foreign CSV file hold, by their names in its header.
type ColumnNames struct {
	// Arrival is when the build was asked for. Start is when it began to run; End is
	// when it was done; Duration and Wait are seconds or Go durations. Of Start, End and
	// Duration two are needed, or Duration alone.
	Arrival, Start, End, Duration, Wait string
	// Job, Class, CPU, Memory, GPU, Image and Labels are as in our own CSV.
	Job, Class, CPU, Memory, GPU, Image, Labels string
	// Time is how times are written: seconds, milliseconds, or a layout of Go's.
	// Empty: Unix seconds or RFC 3339.
	Time string
	// Keep names, by column, the values of which a build must have one; empty: any.
	Keep map[string][]string
	// Separator stands between values; 0: a comma.
	Separator rune
}

// Curve says how builds are made from a curve of their number.
type Curve struct {
	// Job names the builds.
	Job string
}
