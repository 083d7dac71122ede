package workload

import (
	"fmt"
	"strings"
)

// Problem is one thing that is wrong with a file of builds or with a mapping file.
type Problem struct {
	// File is the name the file was read under.
	File string
	// Line and Column start at 1. In JSON exports they are those of the build's object.
	Line, Column int
	// Field is the column or the path of the value; empty for the line as a whole.
	Field string
	// Message says what is wrong, Fix what to do about it.
	Message, Fix string
}

// String gives one line: file:line:col: field: message; fix.
func (p Problem) String() string {
	s := fmt.Sprintf("%s:%d:%d: ", p.File, p.Line, p.Column)
	if p.Field != "" {
		s += p.Field + ": "
	}
	s += p.Message
	if p.Fix != "" {
		s += "; " + p.Fix
	}
	return s
}

// Errors are the problems of a file: the first ones in full, the others as a number,
// because a file of a million lines that is wrong is wrong in a million lines.
type Errors struct {
	// Problems are the first ones, in the file's order.
	Problems []Problem
	// More counts those that are not in Problems.
	More int
}

func (e *Errors) Error() string {
	lines := make([]string, len(e.Problems), len(e.Problems)+1)
	for i, p := range e.Problems {
		lines[i] = p.String()
	}
	if e.More > 0 {
		lines = append(lines, fmt.Sprintf("… and %d more", e.More))
	}
	return strings.Join(lines, "\n")
}

// maxProblems is how many problems are told in full.
const maxProblems = 20

func (e *Errors) add(p Problem) {
	if len(e.Problems) < maxProblems {
		e.Problems = append(e.Problems, p)
		return
	}
	e.More++
}

// orNil is nil for no problems at all, which a *Errors in an error is not.
func (e *Errors) orNil() error {
	if len(e.Problems) == 0 {
		return nil
	}
	return e
}

// Dropped tells which builds of a source did not become part of the trace.
type Dropped struct {
	// Count is how many there are in all.
	Count int
	// Reasons are in the order of their first occurrence.
	Reasons []Reason
}

// Reason is why builds were dropped.
type Reason struct {
	// Text says it without the build's own values, such as "duration: is negative".
	Text string
	// Count is how many builds were dropped for it.
	Count int
	// First is the first of them.
	First Problem
}

func (d *Dropped) add(p Problem, text string) {
	d.Count++
	for i := range d.Reasons {
		if d.Reasons[i].Text == text {
			d.Reasons[i].Count++
			return
		}
	}
	d.Reasons = append(d.Reasons, Reason{Text: text, Count: 1, First: p})
}

// fault is what is wrong with a value, before it is known where the value stands.
type fault struct {
	// field is the column or path.
	field string
	// reason says it without the value, so that faults of one kind can be counted.
	reason string
	// value is what was written; it is quoted in the message if it is not empty.
	value string
	fix   string
}

// maxQuoted keeps a message readable when the value is not.
const maxQuoted = 60

func (f *fault) message() string {
	if f.value == "" {
		return f.reason
	}
	v := f.value
	if len(v) > maxQuoted {
		v = v[:maxQuoted] + "…"
	}
	return fmt.Sprintf("%q %s", v, f.reason)
}

func (f *fault) text() string {
	if f.field == "" {
		return f.reason
	}
	return f.field + ": " + f.reason
}
