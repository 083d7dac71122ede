package workload

import (
	"bufio"
	"encoding/csv"
	"errors"
	"io"
	"strings"
)

// readCSV reads our CSV: lines of comments that begin with '#', of which one may be
// "# start <RFC 3339> [location]", then a header that names the columns, then builds.
func readCSV(c *collector, source *bufio.Reader) error {
	before, err := readComments(c, source)
	if err != nil || len(c.problems.Problems) > 0 {
		return err
	}
	r := csv.NewReader(source)
	r.ReuseRecord = true
	r.FieldsPerRecord = -1 // told with a better message below
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		c.fail(before+1, 1, &fault{"", "the file is empty", "", "start with a header such as arrival,duration,cpu,memory,class"})
		return nil
	}
	if p := (*csv.ParseError)(nil); errors.As(err, &p) {
		c.fail(before+p.Line, p.Column, csvFault(p))
		return nil
	} else if err != nil {
		return err
	}
	columns := readHeader(c, r, before, header)
	if len(c.problems.Problems) > 0 {
		return nil
	}
	return readRecords(newRowReader(c), r, before, columns)
}

func readRecords(rows *rowReader, r *csv.Reader, before int, columns []column) error {
	var fields row
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if p := (*csv.ParseError)(nil); errors.As(err, &p) {
			rows.bad(before+p.Line, p.Column, csvFault(p))
			continue
		} else if err != nil {
			return err
		}
		if len(record) != len(columns) {
			line, _ := r.FieldPos(0)
			rows.bad(before+line, 1, &fault{"", "the line has another number of values than the header", "", "write one value per column, and quote values that hold a comma"})
			continue
		}
		for i, c := range columns {
			if c != passedOver {
				fields[c] = record[i]
			}
		}
		if at, f := rows.build(&fields); f != nil {
			line, column := placeOf(r, columns, at)
			rows.bad(before+line, column, f)
		}
	}
}

// placeOf is where the column's value stands in the last record.
func placeOf(r *csv.Reader, columns []column, at column) (int, int) {
	for i, c := range columns {
		if c == at {
			return r.FieldPos(i)
		}
	}
	line, _ := r.FieldPos(0)
	return line, 1
}

// readComments reads the lines before the header and returns how many there are.
func readComments(c *collector, source *bufio.Reader) (int, error) {
	for lines := 0; ; lines++ {
		if head, _ := source.Peek(1); string(head) != "#" {
			return lines, nil
		}
		line, err := source.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return lines, err
		}
		words := strings.Fields(strings.TrimPrefix(line, "#"))
		if len(words) < 2 || words[0] != "start" {
			continue
		}
		location := ""
		if len(words) > 2 {
			location = words[2]
		}
		start, f := parseStart(words[1], location)
		if f != nil {
			c.fail(lines+1, 1, f)
			return lines, nil
		}
		c.start = start
	}
}

// readHeader tells which column each field of a line belongs to.
func readHeader(c *collector, r *csv.Reader, before int, header []string) []column {
	columns := make([]column, len(header))
	var has [columnCount]bool
	for i, name := range header {
		line, at := r.FieldPos(i)
		known, ok := columnNamed(strings.ToLower(strings.TrimSpace(name)))
		switch {
		case !ok:
			c.fail(before+line, at, &fault{"header", "is no column", name, "use " + strings.Join(columnNames[:], ", ") + ", or read the file as columns with a mapping"})
			continue
		case known == passedOver:
			columns[i] = passedOver
			continue
		case has[known]:
			c.fail(before+line, at, &fault{"header", "is there twice", name, "name every column once"})
		}
		columns[i], has[known] = known, true
	}
	line, _ := r.FieldPos(0)
	for _, required := range requiredColumns {
		if !has[required] {
			c.fail(before+line, 1, &fault{"header", "the column " + columnNames[required] + " is missing", "", "add it"})
		}
	}
	return columns
}

func csvFault(p *csv.ParseError) *fault {
	return &fault{"", p.Err.Error(), "", `put values with quotes in quotes and double those within: "a ""b"""`}
}
