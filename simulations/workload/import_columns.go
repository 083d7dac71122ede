package workload

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// readColumns reads a foreign CSV file by the names that the mapping gives its columns.
func readColumns(c *collector, source *bufio.Reader) error {
	e := newExporter(c)
	if e.mapping.Columns == nil {
		c.fail(1, 1, &fault{"", "the mapping does not name the columns", "", "add columns: {arrival: …, start: …, end: …} to it"})
		return nil
	}
	r := csv.NewReader(source)
	r.ReuseRecord = true
	r.FieldsPerRecord = -1
	if s := e.mapping.Columns.Separator; s != 0 {
		r.Comma = s
	}
	header, err := r.Read()
	if p := (*csv.ParseError)(nil); errors.As(err, &p) {
		c.fail(p.Line, p.Column, csvFault(p))
		return nil
	} else if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	f := &foreign{exporter: e, names: e.mapping.Columns, index: map[string]int{}}
	for i, name := range header {
		f.index[strings.Clone(name)] = i
	}
	if !f.hasAll(header) {
		return nil
	}
	return f.records(r, len(header))
}

// foreign reads the lines of a file whose columns are named by a mapping.
type foreign struct {
	*exporter
	names  *ColumnNames
	index  map[string]int
	record []string
}

// hasAll tells whether every column that the mapping names is there.
func (f *foreign) hasAll(header []string) bool {
	n := f.names
	named := append([]string{n.Arrival, n.Start, n.End, n.Duration, n.Wait, n.Job, n.Class, n.CPU, n.Memory, n.GPU, n.Image, n.Labels}, n.Tags...)
	all := true
	for _, name := range named {
		if _, ok := f.index[name]; name != "" && !ok {
			f.fail(1, 1, &fault{"header", "is missing", name, "the columns are " + strings.Join(header, ", ")})
			all = false
		}
	}
	return all
}

func (f *foreign) records(r *csv.Reader, width int) error {
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if p := (*csv.ParseError)(nil); errors.As(err, &p) {
			f.bad(p.Line, p.Column, csvFault(p))
			continue
		} else if err != nil {
			return err
		}
		f.record = record
		line, _ := r.FieldPos(0)
		at := place{line, 1}
		if len(record) != width {
			f.bad(line, 1, &fault{"", "the line has another number of values than the header", "", "quote values that hold the separator"})
			continue
		}
		b, bad := f.build()
		if bad != nil {
			if i, ok := f.index[bad.field]; ok {
				line, at.column = r.FieldPos(i)
			}
			f.bad(line, at.column, bad)
			continue
		}
		f.add(at, b)
	}
}

// text is what stands in the column of that name; nothing if none is named.
func (f *foreign) text(name string) string {
	if name == "" {
		return ""
	}
	return strings.TrimSpace(f.record[f.index[name]])
}

func (f *foreign) build() (b exported, bad *fault) {
	n := f.names
	b.job = strings.Clone(f.text(n.Job))
	for _, tag := range n.Tags {
		b.tags = append(b.tags, tag+"="+f.text(tag))
	}
	if rule := f.rule(b); rule != nil && rule.Drop {
		return b, nil // its times may well be missing
	}
	if b.said, bad = f.said(); bad != nil {
		return b, bad
	}
	if b.arrival, bad = f.time(n.Arrival); bad != nil {
		return b, bad
	}
	return b, f.times(&b)
}

// times works out when the build ran, from what there is.
func (f *foreign) times(b *exported) (bad *fault) {
	n := f.names
	var duration time.Duration
	if n.Duration != "" {
		if duration, bad = parseDuration(n.Duration, f.text(n.Duration)); bad != nil {
			return bad
		}
	}
	if n.End != "" {
		if b.end, bad = f.time(n.End); bad != nil {
			return bad
		}
	}
	switch {
	case n.Start != "":
		if b.start, bad = f.time(n.Start); bad != nil {
			return bad
		}
	case n.Wait != "" && f.text(n.Wait) != "":
		wait, bad := parseDuration(n.Wait, f.text(n.Wait))
		if bad != nil {
			return bad
		}
		b.start = b.arrival.Add(wait)
	case n.End != "":
		b.start = b.end.Add(-duration)
	default:
		b.start, b.waitUnknown = b.arrival, true
	}
	if n.End == "" || n.Start == "" && n.Duration != "" {
		b.end = b.start.Add(duration)
	}
	return nil
}

func (f *foreign) time(name string) (time.Time, *fault) {
	text := f.text(name)
	switch layout := f.names.Time; layout {
	case "", "seconds":
		if text == "" {
			return time.Time{}, &fault{name, "is missing", "", "correct it, or skip bad builds"}
		}
		at, bad := parseInstant(name, text)
		return time.Unix(0, int64(at.at)).In(fixedZone(at.offset)), bad
	case "milliseconds":
		ms, err := strconv.ParseInt(text, 10, 64)
		if err != nil || ms < 0 || ms/1000 > maxSeconds {
			return time.Time{}, &fault{name, "is no time in milliseconds", text, "correct it, or skip bad builds"}
		}
		return time.UnixMilli(ms).UTC(), nil
	default:
		location := f.options.Location
		if location == nil {
			location = time.UTC
		}
		t, err := time.ParseInLocation(layout, text, location)
		if err != nil {
			return t, &fault{name, "is no time", text, fmt.Sprintf("the mapping says that times look like %q", layout)}
		}
		return t, nil
	}
}

// said is what the file says of the build's shape.
func (f *foreign) said() (r Requests, bad *fault) {
	n := f.names
	if text := f.text(n.Class); text != "" {
		if r.Classes, bad = parseClasses(n.Class, strings.Clone(text)); bad != nil {
			return r, bad
		}
		slices.Sort(r.Classes)
	}
	for _, a := range []struct {
		name  string
		to    **int64
		parse func(field, s string) (int64, *fault)
	}{{n.CPU, &r.MilliCPU, parseCPU}, {n.Memory, &r.MemoryBytes, parseMemory}, {n.GPU, &r.GPUs, parseGPUs}} {
		if text := f.text(a.name); text != "" {
			v, bad := a.parse(a.name, text)
			if bad != nil {
				return r, bad
			}
			*a.to = &v
		}
	}
	if text := f.text(n.Labels); text != "" {
		if r.Labels, bad = parseLabels(n.Labels, strings.Clone(text)); bad != nil {
			return r, bad
		}
	}
	r.Image = strings.Clone(f.text(n.Image))
	return r, checkText(n.Image, r.Image)
}
