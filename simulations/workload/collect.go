package workload

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrNoBuilds is returned if every build of a source was dropped.
var ErrNoBuilds = errors.New("no build could be read")

// collector gathers what a source says into a trace, and what is wrong with it.
type collector struct {
	name     string
	options  Options
	shapes   *shapes
	builds   []Build
	problems Errors
	dropped  Dropped
	// start is when the source says that it begins; zero: it does not say.
	start time.Time
	// first is the first arrival: it settles whether arrivals are absolute.
	first instant
	// unsorted: an arrival came before one that stood before it.
	unsorted bool
}

func newCollector(name string, o Options) *collector {
	return &collector{name: name, options: o, shapes: newShapes()}
}

// bad reports what is wrong with a build: a reason to drop it or a problem.
func (c *collector) bad(line, column int, f *fault) {
	p := c.problem(line, column, f)
	if c.options.SkipBad {
		c.dropped.add(p, f.text())
		return
	}
	c.problems.add(p)
}

func (c *collector) problem(line, column int, f *fault) Problem {
	return Problem{File: c.name, Line: line, Column: column, Field: f.field, Message: f.message(), Fix: f.fix}
}

// fail reports what makes the whole source unreadable.
func (c *collector) fail(line, column int, f *fault) {
	c.problems.add(c.problem(line, column, f))
}

// add appends a build that arrives at that instant.
func (c *collector) add(arrival instant, b Build) *fault {
	if len(c.builds) == 0 {
		c.first = arrival
	} else if arrival.absolute != c.first.absolute {
		return &fault{"arrival", "mixes seconds after the start with times of the calendar", "", "write all arrivals in one way"}
	}
	b.Arrival = arrival.at
	if n := len(c.builds); n > 0 && b.Arrival < c.builds[n-1].Arrival {
		c.unsorted = true
	}
	c.builds = append(c.builds, b)
	return nil
}

// trace is what was gathered: sorted, counted from its start.
func (c *collector) trace() (Trace, Dropped, error) {
	if err := c.problems.orNil(); err != nil {
		return Trace{}, c.dropped, err
	}
	if len(c.builds) == 0 && c.dropped.Count > 0 {
		r := c.dropped.Reasons[0]
		return Trace{}, c.dropped, fmt.Errorf("%s: %w: %d dropped, the first because of %s", c.name, ErrNoBuilds, c.dropped.Count, r.First)
	}
	if c.unsorted {
		sortBuilds(c.builds)
	}
	start, f := c.begin()
	if f != nil {
		c.fail(1, 1, f)
		return Trace{}, c.dropped, c.problems.orNil()
	}
	return renumber(Trace{Start: start, Shapes: c.shapes.list, Builds: c.builds}), c.dropped, nil
}

// begin settles the trace's start, and counts arrivals from it.
func (c *collector) begin() (time.Time, *fault) {
	start := c.start
	if start.IsZero() {
		start = c.options.Start
	}
	switch {
	case c.first.absolute && start.IsZero():
		start = time.Unix(0, int64(c.builds[0].Arrival)).In(fixedZone(c.first.offset))
	case start.IsZero():
		start = DefaultStart
	}
	if c.options.Location != nil {
		start = start.In(c.options.Location)
	}
	if !c.first.absolute {
		return start, nil
	}
	origin := time.Duration(start.UnixNano())
	if c.builds[0].Arrival < origin {
		first := time.Unix(0, int64(c.builds[0].Arrival)).In(start.Location())
		return start, &fault{"start", "is after the first arrival, " + first.Format(time.RFC3339), start.Format(time.RFC3339), "give a start that is not, or none"}
	}
	for i := range c.builds {
		c.builds[i].Arrival -= origin
	}
	return start, nil
}

// sortBuilds sorts by arrival; builds that arrive at one instant keep their order.
func sortBuilds(builds []Build) {
	slices.SortStableFunc(builds, func(a, b Build) int { return cmp.Compare(a.Arrival, b.Arrival) })
}
