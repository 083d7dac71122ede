package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// The schemas are made from the types of this package and their comments. A test fails
// when one is out of date.
//
//go:generate go test -run ^TestSchemasAreUpToDate$ -update .
var (
	//go:embed report.schema.json
	schema string
	//go:embed comparison.schema.json
	comparisonSchema string
)

// Schema returns the JSON schema (draft 2020-12) of a report.
func Schema() string { return schema }

// ComparisonSchema returns the JSON schema (draft 2020-12) of a comparison.
func ComparisonSchema() string { return comparisonSchema }

// ErrNotReport is the error of what is not a report of this version.
var ErrNotReport = errors.New("not a report")

// WriteJSON writes a report, or a comparison, with lists of numbers on one line.
func WriteJSON(w io.Writer, v any) error {
	var indented bytes.Buffer
	encoder := json.NewEncoder(&indented)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("encode report: %w", err)
	}
	if _, err := w.Write(joinScalars(indented.Bytes())); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	return nil
}

// Read reads what WriteJSON wrote of a report, also in a release before. What is none,
// or is one of a later version, is ErrNotReport. Keys that a later release may have added are passed over.
func Read(r io.Reader) (Report, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return Report{}, fmt.Errorf("read report: %w", err)
	}
	var out Report
	if err := json.Unmarshal(data, &out); err != nil {
		return Report{}, fmt.Errorf("decode report: %w: %w", ErrNotReport, err)
	}
	if out.Version < 1 || out.Version > Version {
		return Report{}, fmt.Errorf("decode report: %w: its version is %d, this release reads 1 to %d", ErrNotReport, out.Version, Version)
	}
	return out, nil
}

// joinScalars takes the line breaks out of lists that hold no list, no object and no
// text: a thousand points of a timeline are one line, not a thousand.
func joinScalars(indented []byte) []byte {
	var out bytes.Buffer
	out.Grow(len(indented))
	for n := 0; n < len(indented); {
		switch c := indented[n]; c {
		case '"':
			end := endOfText(indented, n)
			out.Write(indented[n:end])
			n = end
		case '[':
			end := n + 1 + bytes.IndexAny(indented[n+1:], `[]{}"`)
			if indented[end] != ']' {
				out.WriteByte(c)
				n++
				continue
			}
			for _, part := range bytes.Fields(indented[n : end+1]) {
				if out.Write(part); part[len(part)-1] == ',' {
					out.WriteByte(' ')
				}
			}
			n = end + 1
		default:
			out.WriteByte(c)
			n++
		}
	}
	return out.Bytes()
}

// endOfText is past the closing quote of the text that begins at start.
func endOfText(data []byte, start int) int {
	for n := start + 1; n < len(data); n++ {
		switch data[n] {
		case '\\':
			n++
		case '"':
			return n + 1
		}
	}
	return len(data)
}
