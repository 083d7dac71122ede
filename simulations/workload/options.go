package workload

import "time"

// Format is how a source of builds is written.
type Format string

// The formats. CSV and JSONLines are our own; the others are exports of other
// systems, which need a mapping for what they do not say.
const (
	CSV        Format = "csv"
	JSONLines  Format = "jsonl"
	Columns    Format = "columns"
	Jenkins    Format = "jenkins"
	GitLab     Format = "gitlab"
	GitHub     Format = "github"
	Tekton     Format = "tekton"
	Kubernetes Format = "kubernetes"
	Prometheus Format = "prometheus"
)

// Options say how a source is read. The zero value reads our own formats strictly.
type Options struct {
	// Format of the source; empty: told from the name's ending, .csv, .jsonl or
	// .ndjson, with or without .gz.
	Format Format
	// Start is what arrivals in seconds count from if the source does not say;
	// zero: DefaultStart. Its location is used too.
	Start time.Time
	// Location is where the hours of a day are told; nil: the source's own, which is
	// that of its start, else the offset of its first arrival, else UTC.
	Location *time.Location
	// SkipBad drops builds that cannot be read, and counts them, where an error would
	// be returned otherwise.
	SkipBad bool
	// Mapping gives builds of an export what the export does not say; nil: nothing.
	Mapping *Mapping
}

// DefaultStart is the start of traces that name no instant: a Monday, so that a week
// of builds is a week of the calendar.
var DefaultStart = time.Date(2026, time.January, 5, 0, 0, 0, 0, time.UTC)
