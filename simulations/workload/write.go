package workload

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Write writes the trace as CSV or JSON lines, so that reading gives the same trace:
// the same instants, and shapes in order of their first build. It fails for a trace
// that our formats cannot hold, such as one with a line break in a job's name.
func Write(w io.Writer, t Trace, f Format) error {
	out := bufio.NewWriterSize(w, readAhead)
	var err error
	switch f {
	case CSV:
		err = writeCSV(out, t)
	case JSONLines:
		err = writeJSONLines(out, t)
	default:
		err = fmt.Errorf("write trace: %w %q: use csv or jsonl", ErrUnknownFormat, f)
	}
	if err != nil {
		return err
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write trace: %w", err)
	}
	return nil
}

// shapeColumns is the order in which a shape's columns are written.
var shapeColumns = []column{cpuColumn, memoryColumn, gpuColumn, classColumn, jobColumn, labelsColumn, imageColumn}

func writeCSV(out *bufio.Writer, t Trace) error {
	rows, err := shapeRows(t)
	if err != nil {
		return err
	}
	used, waits := usedColumns(rows), anyWait(t)
	fmt.Fprint(out, csvHeader(t.Start, used, waits))
	tails := make([][]byte, len(rows))
	for i, fields := range rows {
		if tails[i], err = csvTail(fields, used); err != nil {
			return fmt.Errorf("write shape %d: %w", i, err)
		}
	}
	arrival := arrivalWriter(t)
	var line []byte
	for _, b := range t.Builds {
		line = append(arrival(line[:0], b.Arrival), ',')
		line = append(appendSeconds(line, b.Duration), tails[b.Shape]...)
		if waits {
			line = append(line, ',')
			if b.Wait >= 0 {
				line = appendSeconds(line, b.Wait)
			}
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			return fmt.Errorf("write trace: %w", err)
		}
	}
	return nil
}

// CSVStart is the line before a CSV trace's header that says when the trace starts; empty
// where that is not known.
func CSVStart(start time.Time) string {
	if start.IsZero() {
		return ""
	}
	at, location := formatStart(start)
	return strings.TrimSpace("# start "+at+" "+location) + "\n"
}

// csvHeader is what stands before the builds.
func csvHeader(start time.Time, used []column, waits bool) string {
	var h strings.Builder
	h.WriteString(CSVStart(start))
	h.WriteString("arrival,duration")
	for _, c := range used {
		h.WriteString("," + columnNames[c])
	}
	if waits {
		h.WriteString(",wait")
	}
	h.WriteByte('\n')
	return h.String()
}

// csvTail is what the lines of a shape have in common.
func csvTail(fields row, used []column) ([]byte, error) {
	var tail bytes.Buffer
	w := csv.NewWriter(&tail)
	record := []string{""} // for a comma at the beginning
	for _, c := range used {
		record = append(record, fields[c])
	}
	if err := w.Write(record); err != nil {
		return nil, err
	}
	w.Flush()
	return bytes.TrimSuffix(tail.Bytes(), []byte("\n")), w.Error()
}

func writeJSONLines(out *bufio.Writer, t Trace) error {
	rows, err := shapeRows(t)
	if err != nil {
		return err
	}
	if !t.Start.IsZero() {
		at, location := formatStart(t.Start)
		line := `{"start":` + strconv.Quote(at)
		if location != "" {
			line += `,"location":` + strconv.Quote(location)
		}
		fmt.Fprintln(out, line+"}")
	}
	tails := make([][]byte, len(rows))
	for i, fields := range rows {
		for _, c := range shapeColumns {
			if fields[c] == "" {
				continue
			}
			tails[i] = append(tails[i], `,"`+columnNames[c]+`":`...)
			if tails[i], err = jsontext.AppendQuote(tails[i], fields[c]); err != nil {
				return fmt.Errorf("write shape %d: %w", i, err)
			}
		}
	}
	arrival := arrivalWriter(t)
	quote := arrivalIsText(t)
	var line []byte
	for _, b := range t.Builds {
		line = append(line[:0], `{"arrival":`...)
		if quote {
			line = append(line, '"')
		}
		line = arrival(line, b.Arrival)
		if quote {
			line = append(line, '"')
		}
		line = append(appendSeconds(append(line, `,"duration":`...), b.Duration), tails[b.Shape]...)
		if b.Wait >= 0 {
			line = appendSeconds(append(line, `,"wait":`...), b.Wait)
		}
		if _, err := out.Write(append(line, '}', '\n')); err != nil {
			return fmt.Errorf("write trace: %w", err)
		}
	}
	return nil
}

// arrivalIsText: the trace is so long that seconds after its start would be taken for
// Unix times, so that arrivals are written as RFC 3339.
func arrivalIsText(t Trace) bool {
	return len(t.Builds) > 0 && t.Builds[len(t.Builds)-1].Arrival >= unixFrom
}

func arrivalWriter(t Trace) func([]byte, time.Duration) []byte {
	if !arrivalIsText(t) {
		return appendSeconds
	}
	return func(to []byte, d time.Duration) []byte {
		return t.Start.Add(d).AppendFormat(to, time.RFC3339Nano)
	}
}

// shapeRows are the shapes as text, each of which gives its shape again.
func shapeRows(t Trace) ([]row, error) {
	rows := make([]row, len(t.Shapes))
	for i, s := range t.Shapes {
		rows[i] = rowOf(s)
		again, _, f := parseShape(&rows[i])
		if f != nil {
			return nil, fmt.Errorf("write shape %d: %s", i, f.field+": "+f.message())
		}
		if !sameClasses(again.Classes, s.Classes) || rowOf(again) != rows[i] {
			return nil, fmt.Errorf("write shape %d: %v would be read as another shape", i, s)
		}
	}
	return rows, nil
}

func sameClasses(a, b []string) bool {
	return slices.Equal(slices.Compact(slices.Sorted(slices.Values(a))), slices.Compact(slices.Sorted(slices.Values(b))))
}

func rowOf(s Shape) (fields row) {
	fields[cpuColumn] = resource.NewMilliQuantity(s.MilliCPU, resource.DecimalSI).String()
	fields[memoryColumn] = resource.NewQuantity(s.MemoryBytes, resource.BinarySI).String()
	if s.GPUs != 0 {
		fields[gpuColumn] = strconv.FormatInt(s.GPUs, 10)
	}
	fields[classColumn] = classText(s.Classes)
	fields[jobColumn], fields[imageColumn] = s.Job, s.Image
	fields[labelsColumn] = labelText(s.Labels)
	return fields
}

// usedColumns leaves out what no shape has.
func usedColumns(rows []row) []column {
	var used []column
	for _, c := range shapeColumns {
		for i := range rows {
			if rows[i][c] != "" {
				used = append(used, c)
				break
			}
		}
	}
	if len(rows) == 0 {
		return []column{cpuColumn, memoryColumn, classColumn}
	}
	return used
}

func anyWait(t Trace) bool {
	for _, b := range t.Builds {
		if b.Wait >= 0 {
			return true
		}
	}
	return false
}
