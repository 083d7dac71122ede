package main

import (
	"fmt"
	"io"
	"time"
)

// steadyFleets are the clusters in which nothing happens; the large one takes minutes,
// most of them the in-tree provider's own pauses.
func steadyFleets(large bool) []fleet {
	fleets := []fleet{
		{groups: 1, nodes: 20}, {groups: 1, nodes: 100},
		{groups: 20, nodes: 20}, {groups: 20, nodes: 100},
		{groups: 100, nodes: 20}, {groups: 100, nodes: 100},
	}
	if large {
		fleets = append(fleets, fleet{groups: 20, nodes: 2000})
	}
	return fleets
}

// removals are the ways in which 100 nodes go.
func removals() []removal {
	one, twenty := fleet{groups: 1, nodes: deletedNodes}, fleet{groups: 20, nodes: deletedNodes}
	return []removal{
		{name: "of one group, 10 at a time (CA's default)", fleet: one, parallel: 10},
		{name: "of one group, 100 at once", fleet: one, parallel: 100},
		{name: "of 20 groups, group by group, 10 at a time", fleet: twenty, parallel: 10},
		{name: "of 20 groups in turn, 10 at a time (the worst case)", fleet: twenty, parallel: 10, interleaved: true},
		{name: "of 20 groups, 100 at once", fleet: twenty, parallel: 100},
	}
}

// growingFleet is the cluster that grows, and dryFleets those that cannot.
func growingFleet() fleet { return fleet{groups: 20, nodes: 100} }

func dryFleets() []fleet { return []fleet{{groups: 2}, {groups: 2, relative: true}} }

// suite runs everything and prints it.
type suite struct {
	out     io.Writer
	latency time.Duration
	large   bool
}

func (s suite) run() error {
	for _, part := range []func() error{
		s.steady,   // nothing happens
		s.growth,   // nodes come
		s.removals, // nodes go
		s.refusal,  // a node may not go
		s.stockOut, // nodes do not come
	} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

func (s suite) steady() error {
	var results [][len(kinds)]steady
	for _, f := range steadyFleets(s.large) {
		both, err := bothWays(func(k kind) (steady, error) { return beSteady(k, f, s.latency) })
		if err != nil {
			return fmt.Errorf("steady loop of %v: %w", f, err)
		}
		results = append(results, both)
	}
	s.line("### Nothing happens: calls")
	s.line("")
	s.line("| groups × nodes | a loop: in-tree | buildpool | factor | ten minutes, everything included: in-tree | buildpool | factor |")
	s.line("|---|--:|--:|--:|--:|--:|--:|")
	for _, both := range results {
		a, b := both[inTree], both[buildpool]
		s.line("| %v | %d | %d | %s | %d | %d | %s |", a.fleet,
			a.loop.calls, b.loop.calls, factor(a.loop.calls, b.loop.calls),
			a.perTenMinutes(), b.perTenMinutes(), factor(a.perTenMinutes(), b.perTenMinutes()))
	}
	s.line("")
	s.line("### Nothing happens: time")
	s.line("")
	s.line("| groups × nodes | a loop, API without latency: in-tree | buildpool | a loop, %[1]v an API call: in-tree | buildpool | all instances listed, %[1]v: in-tree | buildpool |", s.latency)
	s.line("|---|--:|--:|--:|--:|--:|--:|")
	for _, both := range results {
		a, b := both[inTree], both[buildpool]
		s.line("| %v | %s | %s | %s | %s | %s | %s |", a.fleet, seconds(a.loop.took), seconds(b.loop.took),
			seconds(a.slowLoop.took), seconds(b.slowLoop.took), seconds(a.slowList.took), seconds(b.slowList.took))
	}
	s.line("")
	return nil
}

func (s suite) growth() error {
	f := growingFleet()
	results, err := bothWays(func(k kind) (growth, error) { return grow(k, f) })
	if err != nil {
		return fmt.Errorf("growth of %v: %w", f, err)
	}
	a, b := results[inTree], results[buildpool]
	s.line("### %d nodes come (%v)", added, f)
	s.line("")
	s.line("| | calls: in-tree | buildpool | factor | takes: in-tree | buildpool |")
	s.line("|---|--:|--:|--:|--:|--:|")
	s.line("| IncreaseSize | %d | %d | %s | %s | %s |", a.asked.calls, b.asked.calls, factor(a.asked.calls, b.asked.calls), seconds(a.asked.took), seconds(b.asked.took))
	s.line("| the %d loops until they are ready | %d | %d | %s | %s | %s |", growthLoops, a.loops.calls, b.loops.calls, factor(a.loops.calls, b.loops.calls), seconds(a.loops.took), seconds(b.loops.took))
	s.line("")
	return nil
}

func (s suite) removals() error {
	s.line("### %d nodes go", deletedNodes)
	s.line("")
	s.line("| | calls: in-tree | buildpool | factor | with %v an API call, they take: in-tree | buildpool | calls of the loops in between: in-tree | buildpool |", s.latency)
	s.line("|---|--:|--:|--:|--:|--:|--:|--:|")
	for _, r := range removals() {
		results, err := bothWays(func(k kind) (removed, error) { return r.run(k, s.latency) })
		if err != nil {
			return fmt.Errorf("deletes %s: %w", r.name, err)
		}
		a, b := results[inTree], results[buildpool]
		s.line("| %s | %d | %d | %s | %s | %s | %d | %d |", r.name,
			a.deletes.calls, b.deletes.calls, factor(a.deletes.calls, b.deletes.calls),
			seconds(a.deletes.took), seconds(b.deletes.took), a.around.calls, b.around.calls)
	}
	s.line("")
	return nil
}

func (s suite) refusal() error {
	s.line("### A delete that the account refuses")
	s.line("")
	for _, k := range kinds {
		told, _, err := refusedDelete(k)
		switch {
		case err != nil:
			return fmt.Errorf("refused delete: %s: %w", k, err)
		case told == nil:
			s.line("- %s: CA is told that the node was deleted.", k)
		default:
			s.line("- %s: CA is told that it was not, and why.", k)
		}
	}
	s.line("")
	return nil
}

func (s suite) stockOut() error {
	s.line("### %d nodes do not come: the type is sold out", wanted)
	s.line("")
	s.line("| scaling group | provider | CA is told | after | loops | target CA sees until then | target afterwards | the account still tries |")
	s.line("|---|---|---|--:|--:|--:|--:|--:|")
	for _, f := range dryFleets() {
		mode := "expected-number mode"
		if f.relative {
			mode = "without an expected number"
		}
		results, err := bothWays(func(k kind) (stockOut, error) { return runDry(k, f) })
		if err != nil {
			return fmt.Errorf("stock-out, %s: %w", mode, err)
		}
		for _, k := range kinds {
			r := results[k]
			told := "nothing"
			if r.told {
				told = r.code
			}
			s.line("| %s | %s | %s | %v | %d | %d | %d | %d |", mode, k, told, r.after.Round(time.Second), r.loops, r.promised, r.settled, r.desired)
		}
	}
	s.line("")
	return nil
}

// bothWays measures both providers, one after the other.
func bothWays[T any](measure func(kind) (T, error)) (results [len(kinds)]T, err error) {
	for _, k := range kinds {
		if results[k], err = measure(k); err != nil {
			return results, fmt.Errorf("%s: %w", k, err)
		}
	}
	return results, nil
}

func (s suite) line(format string, a ...any) { fmt.Fprintf(s.out, format+"\n", a...) }

// factor says how many times as many.
func factor(a, b int) string {
	if b == 0 {
		if a == 0 {
			return "–"
		}
		return "∞"
	}
	return fmt.Sprintf("%.1f×", float64(a)/float64(b))
}

func seconds(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
