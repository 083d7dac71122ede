package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a node-group file.
type Problem struct {
	// File is the name the file was parsed under.
	File string
	// Line and Column start at 1.
	Line   int
	Column int
	// Field is the path of the value, such as groups[2].taints[0].effect; empty for
	// the file as a whole.
	Field string
	// Message says what is wrong, Fix what to do about it.
	Message string
	Fix     string
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

// Errors are all problems of a file, in the file's order. No problem carries a
// credential, even if the file does.
type Errors []Problem

func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// inFileOrder sorts the problems and drops repetitions, which arise when one
// anchored value is used in several places.
func inFileOrder(problems Errors) Errors {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(
			cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Field, b.Field),
			cmp.Compare(a.Message, b.Message),
		)
	})
	return slices.Compact(problems)
}
