package workload

import (
	"encoding/binary"
	"slices"
	"strings"
	"time"
)

// column is a column of our formats.
type column int

const (
	arrivalColumn column = iota
	durationColumn
	waitColumn
	// The columns from here on make the shape.
	classColumn
	cpuColumn
	memoryColumn
	gpuColumn
	jobColumn
	labelsColumn
	imageColumn
	columnCount
)

var columnNames = [columnCount]string{
	"arrival", "duration", "wait", "class", "cpu", "memory", "gpu", "job", "labels", "image",
}

// requiredColumns are those without which a build says nothing.
var requiredColumns = []column{arrivalColumn, durationColumn, cpuColumn, memoryColumn, classColumn}

// resultColumns are those that the results of a simulation add: they are passed over,
// so that results can be played again.
var resultColumns = []string{"started", "ended", "group", "node", "interruptions", "lost", "cause"}

// passedOver stands for a column that is known and not wanted.
const passedOver column = -1

func columnNamed(name string) (column, bool) {
	if slices.Contains(resultColumns, name) {
		return passedOver, true
	}
	i := slices.Index(columnNames[:], name)
	return column(i), i >= 0
}

// row is one build as text, by column; what the source leaves out is empty.
type row [columnCount]string

// rowReader turns rows into builds. Rows of one shape look alike, so that the text of
// a shape is parsed once and then found again.
type rowReader struct {
	*collector
	seen map[string]int32
	key  []byte
}

func newRowReader(c *collector) *rowReader {
	return &rowReader{collector: c, seen: map[string]int32{}}
}

// build adds the row's build to the collection, or tells which column is wrong.
func (r *rowReader) build(fields *row) (column, *fault) {
	for _, c := range requiredColumns {
		if strings.TrimSpace(fields[c]) == "" {
			return c, &fault{columnNames[c], "is missing", "", "write it in every line"}
		}
	}
	arrival, f := parseInstant("arrival", strings.TrimSpace(fields[arrivalColumn]))
	if f != nil {
		return arrivalColumn, f
	}
	duration, f := parseDuration("duration", strings.TrimSpace(fields[durationColumn]))
	if f != nil {
		return durationColumn, f
	}
	wait := UnknownWait
	if w := strings.TrimSpace(fields[waitColumn]); w != "" {
		if wait, f = parseDuration("wait", w); f != nil {
			return waitColumn, f
		}
	}
	shape, c, f := r.shape(fields)
	if f != nil {
		return c, f
	}
	return arrivalColumn, r.add(arrival, Build{Duration: duration, Wait: wait, Shape: shape})
}

func (r *rowReader) shape(fields *row) (int32, column, *fault) {
	r.key = r.key[:0]
	for _, text := range fields[classColumn:] {
		r.key = binary.AppendUvarint(r.key, uint64(len(text)))
		r.key = append(r.key, text...)
	}
	if i, ok := r.seen[string(r.key)]; ok {
		return i, 0, nil
	}
	shape, c, f := parseShape(fields)
	if f != nil {
		return 0, c, f
	}
	i := r.shapes.index(shape)
	r.seen[string(r.key)] = i
	return i, 0, nil
}

func parseShape(fields *row) (shape Shape, c column, f *fault) {
	trimmed := func(of column) (string, string) {
		c = of
		return columnNames[of], strings.TrimSpace(fields[of])
	}
	if shape.Classes, f = parseClasses(trimmed(classColumn)); f != nil {
		return shape, c, f
	}
	if shape.MilliCPU, f = parseCPU(trimmed(cpuColumn)); f != nil {
		return shape, c, f
	}
	if shape.MemoryBytes, f = parseMemory(trimmed(memoryColumn)); f != nil {
		return shape, c, f
	}
	if shape.GPUs, f = parseGPUs(trimmed(gpuColumn)); f != nil {
		return shape, c, f
	}
	if shape.Labels, f = parseLabels(trimmed(labelsColumn)); f != nil {
		return shape, c, f
	}
	for _, of := range []column{jobColumn, imageColumn} {
		if f = checkText(columnNames[of], fields[of]); f != nil {
			return shape, of, f
		}
	}
	// Copies, because the row's text may be part of a longer one.
	shape.Job, shape.Image = strings.Clone(fields[jobColumn]), strings.Clone(fields[imageColumn])
	return shape, 0, nil
}

// formatStart is how our formats write when a trace begins: the instant, and the name
// of its location if it has one that can be loaded elsewhere.
func formatStart(start time.Time) (instant, location string) {
	instant = start.Format(time.RFC3339Nano)
	if name := start.Location().String(); name != "UTC" && name != "Local" && name != "" {
		if _, err := time.LoadLocation(name); err == nil {
			location = name
		}
	}
	return instant, location
}

// parseStart is the inverse of formatStart. A location that is not known here is a
// fault: the hours of the day would silently be others.
func parseStart(at, location string) (time.Time, *fault) {
	start, err := time.Parse(time.RFC3339Nano, at)
	if err != nil {
		return start, &fault{"start", "is no time", at, "write RFC 3339 such as 2026-01-05T00:00:00+08:00"}
	}
	if _, f := sinceEpoch("start", start); f != nil {
		return start, f
	}
	if location == "" {
		_, offset := start.Zone()
		return start.In(fixedZone(offset)), nil
	}
	loaded, err := time.LoadLocation(location)
	if err != nil || location == "Local" {
		return start, &fault{"start", "is no known location", location, "write a name of the time zone database such as Asia/Shanghai"}
	}
	return start.In(loaded), nil
}

func fixedZone(offset int) *time.Location {
	if offset == 0 {
		return time.UTC
	}
	return time.FixedZone("", offset)
}
