package workload

import (
	"strings"
	"time"
)

// exported is what an export says of one build.
type exported struct {
	job  string
	tags []string
	// arrival is when the build was asked for, start when it began to run, end when it
	// was done.
	arrival, start, end time.Time
	// waitUnknown: nobody knows how long it waited.
	waitUnknown bool
	said        Requests
}

// exporter adds what an export says to the collection, by way of the mapping.
type exporter struct {
	*collector
	mapping *Mapping
	// rules are the builds' rules by job and tags; a nil one: none matches.
	rules map[string]*Rule
	seen  map[string]bool
	key   strings.Builder
}

func newExporter(c *collector) *exporter {
	e := &exporter{collector: c, mapping: c.options.Mapping, rules: map[string]*Rule{}, seen: map[string]bool{}}
	if e.mapping == nil {
		e.mapping = &Mapping{}
	}
	return e
}

// skip counts a build that is no part of the trace by its nature, whether bad ones are
// to be skipped or not.
func (e *exporter) skip(at place, f *fault) {
	e.dropped.add(e.problem(at.line, at.column, f), f.text())
}

// again tells whether the build was there before: pages of an export overlap when
// builds are added while it is made.
func (e *exporter) again(at place, id string) bool {
	if id == "" {
		return false
	}
	if e.seen[id] {
		e.skip(at, &fault{"", "was exported twice", "", ""})
		return true
	}
	e.seen[id] = true
	return false
}

// maxSkew is how much earlier than asked for a build may begin without its times being
// nonsense: the two are told by two clocks, and cut to seconds.
const maxSkew = 2 * time.Second

// add takes a build, or reports what is wrong with it.
func (e *exporter) add(at place, b exported) {
	rule := e.rule(b)
	said := b.said
	if rule != nil {
		if rule.Drop {
			e.skip(at, &fault{"", "the mapping drops it", "", ""})
			return
		}
		if rule.As != "" {
			b.job = rule.As
		}
		said = rule.over(said)
	}
	shape, f := said.over(e.mapping.Default).shape(b.job)
	if f != nil {
		e.bad(at.line, at.column, f)
		return
	}
	if f := e.addTimes(b, e.shapes.index(shape)); f != nil {
		e.bad(at.line, at.column, f)
	}
}

func (e *exporter) rule(b exported) *Rule {
	e.key.Reset()
	e.key.WriteString(b.job)
	for _, tag := range b.tags {
		e.key.WriteString("\x00" + tag)
	}
	key := e.key.String()
	rule, ok := e.rules[key]
	if !ok {
		rule = e.mapping.rule(b.job, b.tags)
		e.rules[key] = rule
	}
	return rule
}

func (e *exporter) addTimes(b exported, shape int32) *fault {
	arrival, f := sinceEpoch("arrival", b.arrival)
	if f != nil {
		return f
	}
	wait := b.start.Sub(b.arrival)
	switch {
	case b.end.Before(b.start):
		return &fault{"", "it ends before it starts", "", "correct the times, or skip bad builds"}
	case wait < -maxSkew:
		return &fault{"", "it starts before it was asked for", "", "correct the times, or skip bad builds"}
	}
	wait = max(wait, 0)
	if b.waitUnknown {
		wait = UnknownWait
	}
	return e.collector.add(instant{at: arrival, absolute: true}, Build{
		Duration: b.end.Sub(b.start), Wait: wait, Shape: shape,
	})
}
