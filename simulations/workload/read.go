package workload

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Read reads builds. The name tells the format if the options do not, and stands in
// the problems. Sources packed with gzip are unpacked.
//
// Builds that arrive out of order are sorted. What is wrong with the source is an
// *Errors with the first problems in full; with SkipBad, builds that are wrong are
// counted in Dropped instead, and ErrNoBuilds is returned if none is left. Dropped
// also counts what a mapping drops and what an export holds beside finished builds.
func Read(name string, r io.Reader, o Options) (Trace, Dropped, error) {
	if o.Format == "" {
		var err error
		if o.Format, err = FormatOf(name); err != nil {
			return Trace{}, Dropped{}, err
		}
	}
	read, ok := readers[o.Format]
	if !ok {
		return Trace{}, Dropped{}, fmt.Errorf("%w %q: use one of %s", ErrUnknownFormat, o.Format, strings.Join(formatNames(), ", "))
	}
	source, err := unpack(r)
	if err != nil {
		return Trace{}, Dropped{}, fmt.Errorf("read %s: %w", name, err)
	}
	c := newCollector(name, o)
	if err := read(c, source); err != nil {
		return Trace{}, c.dropped, fmt.Errorf("read %s: %w", name, err)
	}
	return c.trace()
}

// ReadFile reads the builds of the file of that name.
func ReadFile(name string, o Options) (Trace, Dropped, error) {
	f, err := os.Open(name)
	if err != nil {
		return Trace{}, Dropped{}, fmt.Errorf("open trace: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	return Read(name, f, o)
}

// readers read a source of each format into a collector. They return an error only if
// the source itself fails; what is wrong with its content goes to the collector.
var readers = map[Format]func(*collector, *bufio.Reader) error{
	CSV:        readCSV,
	JSONLines:  readJSONLines,
	Columns:    readColumns,
	Jenkins:    readJenkins,
	GitLab:     readGitLab,
	GitHub:     readGitHub,
	Tekton:     readTekton,
	Kubernetes: readKubernetes,
	Prometheus: readPrometheus,
}

// Formats are all formats, our own first.
func Formats() []Format {
	return []Format{CSV, JSONLines, Columns, Jenkins, GitLab, GitHub, Tekton, Kubernetes, Prometheus}
}

func formatNames() []string {
	var names []string
	for _, f := range Formats() {
		names = append(names, string(f))
	}
	return names
}

// ErrUnknownFormat is returned for a format that is none, or a name that tells none.
var ErrUnknownFormat = errors.New("unknown format")

// FormatOf tells the format from a file's name: it knows our own formats only, because
// every export ends in .json.
func FormatOf(name string) (Format, error) {
	base := strings.TrimSuffix(strings.ToLower(name), ".gz")
	switch {
	case strings.HasSuffix(base, ".csv"):
		return CSV, nil
	case strings.HasSuffix(base, ".jsonl"), strings.HasSuffix(base, ".ndjson"):
		return JSONLines, nil
	}
	return "", fmt.Errorf("%s: %w: name it .csv or .jsonl, or say which of %s it is", name, ErrUnknownFormat, strings.Join(formatNames(), ", "))
}

// readAhead is the size of the buffer that a source is read through.
const readAhead = 256 << 10

// unpack looks at the first bytes: gzip's are unpacked, a byte order mark is skipped.
func unpack(r io.Reader) (*bufio.Reader, error) {
	source := bufio.NewReaderSize(r, readAhead)
	if head, _ := source.Peek(2); string(head) == "\x1f\x8b" {
		packed, err := gzip.NewReader(source)
		if err != nil {
			return nil, fmt.Errorf("unpack gzip: %w", err)
		}
		source = bufio.NewReaderSize(packed, readAhead)
	}
	if head, _ := source.Peek(3); string(head) == "\xef\xbb\xbf" {
		if _, err := source.Discard(len(head)); err != nil {
			return nil, fmt.Errorf("skip byte order mark: %w", err)
		}
	}
	return source, nil
}
