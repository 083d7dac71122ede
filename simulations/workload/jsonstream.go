package workload

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// place is where something stands in a source.
type place struct{ line, column int }

// jsonStream reads one JSON value after the other, and knows in which line they begin.
type jsonStream struct {
	*jsontext.Decoder
	lines *lineCounter
}

func newJSONStream(source *bufio.Reader) *jsonStream {
	lines := &lineCounter{source: source, line: 1}
	// Exports are not always what the standard wants: names twice, broken UTF-8. What
	// matters of them is checked where it is used.
	return &jsonStream{
		Decoder: jsontext.NewDecoder(lines, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)),
		lines:   lines,
	}
}

// next is where the next value begins, which has been peeked at.
func (s *jsonStream) next() place {
	offset := s.InputOffset()
	// Blanks, commas and colons stand between the last token and the value.
	between := s.UnreadBuffer()
	return s.lines.at(offset + int64(len(between)-len(bytes.TrimLeft(between, " \t\r\n,:"))))
}

// report tells the collector that the JSON ends or breaks here.
func (s *jsonStream) report(c *collector, err error) {
	at := s.lines.at(s.InputOffset())
	c.bad(at.line, at.column, &fault{"", jsonMessage(err), "", "export it again, and whole"})
}

// failure is the error of the source itself, if err is one.
func failure(err error) error {
	var syntax *jsontext.SyntacticError
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &syntax) {
		return nil
	}
	return err
}

// objects reads a source of JSON objects, however they are wrapped: one after the
// other, in lists, or in objects that hold them under one of the names within. Each is
// given to visit, and is valid during the visit only.
func objects(c *collector, source *bufio.Reader, within []string, visit func(place, jsontext.Value)) error {
	s := newJSONStream(source)
	w := wrapping{collector: c, stream: s, within: within, visit: visit}
	for {
		if kind := s.PeekKind(); kind == 0 {
			_, err := s.ReadToken()
			if !errors.Is(err, io.EOF) {
				s.report(c, err)
			}
			return failure(err)
		}
		if err := w.value(); err != nil {
			s.report(c, err)
			return failure(err)
		}
	}
}

type wrapping struct {
	collector *collector
	stream    *jsonStream
	within    []string
	visit     func(place, jsontext.Value)
}

func (w *wrapping) value() error {
	switch w.stream.PeekKind() {
	case '[':
		return w.elements()
	case '{':
		return w.object()
	}
	at := w.stream.next()
	if err := w.stream.SkipValue(); err != nil {
		return err
	}
	w.collector.bad(at.line, at.column, &fault{"", "is no JSON object", "", "check that the export is of this system"})
	return nil
}

func (w *wrapping) elements() error {
	if _, err := w.stream.ReadToken(); err != nil {
		return err
	}
	for w.stream.PeekKind() != ']' {
		if err := w.value(); err != nil {
			return err
		}
	}
	_, err := w.stream.ReadToken()
	return err
}

// object reads a wrapping, or puts an object together that is none.
func (w *wrapping) object() error {
	at := w.stream.next()
	if _, err := w.stream.ReadToken(); err != nil {
		return err
	}
	whole, wraps := []byte{'{'}, false
	for w.stream.PeekKind() != '}' {
		name, err := w.stream.ReadValue()
		if err != nil {
			return err
		}
		if w.wraps(name) {
			if kind := w.stream.PeekKind(); kind == '[' || kind == '{' {
				wraps = true
				if err := w.value(); err != nil {
					return err
				}
				continue
			}
		}
		if len(whole) > 1 {
			whole = append(whole, ',')
		}
		whole = append(append(whole, name...), ':')
		value, err := w.stream.ReadValue()
		if err != nil {
			return err
		}
		whole = append(whole, value...)
	}
	if _, err := w.stream.ReadToken(); err != nil {
		return err
	}
	if !wraps {
		w.visit(at, append(whole, '}'))
	}
	return nil
}

func (w *wrapping) wraps(name jsontext.Value) bool {
	for _, known := range w.within {
		if string(name) == `"`+known+`"` {
			return true
		}
	}
	return false
}

// decode decodes an object into v, or tells which field is not what it should be.
func decode(object jsontext.Value, v any) *fault {
	err := json.Unmarshal(object, v, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	var wrong *json.SemanticError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &wrong):
		field := strings.ReplaceAll(strings.TrimPrefix(string(wrong.JSONPointer), "/"), "/", ".")
		reason := "is not what it should be"
		if wrong.Err != nil {
			reason += ": " + wrong.Err.Error()
		} else if wrong.JSONKind != 0 {
			reason += ", but a JSON " + wrong.JSONKind.String()
		}
		return &fault{field, reason, "", "check that the export is of this system"}
	}
	return &fault{"", jsonMessage(err), "", "export it again, and whole"}
}
