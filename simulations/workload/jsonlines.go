package workload

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// readJSONLines reads our JSON lines: an object for each build, its keys the columns.
// A first line with "start" and perhaps "location" tells when the trace begins.
func readJSONLines(c *collector, source *bufio.Reader) error {
	l := lineReader{rowReader: newRowReader(c)}
	for number := 1; ; number++ {
		line, err := readLine(source)
		ended := errors.Is(err, io.EOF)
		if err != nil && !ended {
			return err
		}
		if len(bytes.TrimSpace(line)) > 0 {
			l.read(number, line)
		}
		if ended {
			return nil
		}
	}
}

// readLine returns a line of any length without its end. It is valid until the next.
func readLine(source *bufio.Reader) ([]byte, error) {
	line, err := source.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	long := bytes.Clone(line)
	for errors.Is(err, bufio.ErrBufferFull) {
		line, err = source.ReadSlice('\n')
		long = append(long, line...)
	}
	return long, err
}

// lineReader reads one object after the other.
type lineReader struct {
	*rowReader
	bytes   bytes.Reader
	decoder jsontext.Decoder
	// text holds the values of a line, ends where each of them ends, and columns whose
	// they are: a line's text becomes a string at once.
	text    []byte
	ends    []int
	columns []column
	at      [columnCount]int
	begun   bool
}

func (l *lineReader) read(number int, line []byte) {
	l.bytes.Reset(line)
	l.decoder.Reset(&l.bytes)
	l.text, l.ends, l.columns = l.text[:0], l.ends[:0], l.columns[:0]
	if at, f := l.object(); f != nil {
		l.bad(number, at, f)
		return
	}
	if len(l.columns) == 0 {
		return // it was the line with the start
	}
	var fields row
	text, from := string(l.text), 0
	for i, c := range l.columns {
		fields[c] = text[from:l.ends[i]]
		from = l.ends[i]
	}
	if c, f := l.build(&fields); f != nil {
		l.bad(number, max(l.at[c], 1), f)
	}
}

// object reads the line's object into l.text, and returns a column with a fault.
func (l *lineReader) object() (int, *fault) {
	l.at = [columnCount]int{}
	if l.decoder.PeekKind() != '{' {
		if _, err := l.decoder.ReadToken(); err != nil {
			return l.syntax(err)
		}
		return 1, &fault{"", "the line is no JSON object", "", `write one such as {"arrival":0,"duration":90,"cpu":2,"memory":"4Gi","class":"normal"}`}
	}
	if _, err := l.decoder.ReadToken(); err != nil {
		return l.syntax(err)
	}
	var start, location string
	for l.decoder.PeekKind() == '"' {
		key, err := l.decoder.ReadToken()
		if err != nil {
			return l.syntax(err)
		}
		name := key.String()
		at := l.column() - len(name) - len(`""`) // where the key begins
		known, ok := columnNamed(name)
		if !ok && name != "start" && name != "location" {
			return at, &fault{"", "is no column", name, "use " + strings.Join(columnNames[:], ", ")}
		}
		if ok && known == passedOver {
			if err := l.decoder.SkipValue(); err != nil {
				return l.syntax(err)
			}
			continue
		}
		before := len(l.text)
		if f, err := l.value(name); err != nil {
			return l.syntax(err)
		} else if f != nil {
			return at, f
		}
		switch name {
		case "start":
			start, l.text = string(l.text[before:]), l.text[:before]
		case "location":
			location, l.text = string(l.text[before:]), l.text[:before]
		default:
			l.ends, l.columns, l.at[known] = append(l.ends, len(l.text)), append(l.columns, known), at
		}
	}
	if _, err := l.decoder.ReadToken(); err != nil {
		return l.syntax(err)
	}
	if _, err := l.decoder.ReadToken(); err == nil {
		return l.column(), &fault{"", "the line goes on after the object", "", "write one object per line"}
	} else if !errors.Is(err, io.EOF) {
		return l.syntax(err)
	}
	return l.begin(start, location)
}

// begin takes the start from the first line, if the line is about that.
func (l *lineReader) begin(start, location string) (int, *fault) {
	first := !l.begun
	l.begun = true
	switch {
	case start == "" && location == "" && len(l.columns) > 0:
		return 0, nil
	case start == "" && location == "":
		return 1, &fault{"", "the object is empty", "", "write a build, or take the line out"}
	case !first || len(l.columns) > 0 || start == "":
		return 1, &fault{"start", "may only stand in the first line, alone or with a location", "", `begin the file with {"start":"2026-01-05T00:00:00Z"}`}
	}
	at, f := parseStart(start, location)
	l.start = at
	return 1, f
}

// column is where the decoder is in the line.
func (l *lineReader) column() int { return int(l.decoder.InputOffset()) + 1 }

func (l *lineReader) syntax(err error) (int, *fault) {
	return l.column(), &fault{"", jsonMessage(err), "", "write one whole JSON object per line"}
}
