package oracle

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/simulations/engine"
)

var (
	differencesOf = flag.String("differences", "", "name of the case whose first differences to show")
	shown         = flag.Int("shown", 12, "how many differences to show")
	apart         = flag.Duration("apart", 15*time.Second, "how far apart in time the same decision may be")
)

// TestDifferences shows where engine and oracle first decide differently, for whoever
// looks for the rule that one of them lacks. Boots take their median, so that both
// have the same cloud.
func TestDifferences(t *testing.T) {
	if *differencesOf == "" {
		t.Skip("no case is named: -differences")
	}
	at := slices.IndexFunc(fidelityCases, func(c fidelityCase) bool { return c.name == *differencesOf })
	require.GreaterOrEqual(t, at, 0, "there is no case %q", *differencesOf)
	s := fidelityCases[at].settings(t)
	for n := range s.Groups {
		s.Groups[n].Boot.P95 = s.Groups[n].Boot.Median
	}
	s.Seed = 1
	ours, err := engine.Run(context.Background(), s, nil)
	require.NoError(t, err)
	run := Play(t, s)
	theirs := decisionsOf(&run.Result)
	for n, d := range differencesBetween(decisionsOf(ours), theirs, *apart) {
		if n == *shown {
			break
		}
		t.Logf("%s\n%s", d, around(run.Log, d.at))
	}
}

// decision is so many nodes more or less of a group.
type decision struct {
	at    time.Duration
	group string
	nodes int
}

// decisionsOf reads the decisions off the nodes' lives: what was asked for at one
// instant is one decision.
func decisionsOf(r *engine.Result) []decision {
	type key struct {
		at    time.Duration
		group int32
		sign  int
	}
	sums := map[key]int{}
	for _, n := range r.Nodes {
		sums[key{n.Requested, n.Group, 1}]++
		if n.Removed != engine.Never && !n.Reclaimed {
			sums[key{n.Removed.Truncate(time.Second), n.Group, -1}]--
		}
	}
	var all []decision
	for k, nodes := range sums {
		all = append(all, decision{k.at, r.Groups[k.group].Name, nodes})
	}
	slices.SortFunc(all, func(a, b decision) int {
		return cmp.Or(cmp.Compare(a.at, b.at), strings.Compare(a.group, b.group), cmp.Compare(a.nodes, b.nodes))
	})
	return all
}

// difference is a decision that only one of the two made.
type difference struct {
	decision
	who string
}

func (d difference) String() string {
	return fmt.Sprintf("only the %s: %+d of %s at %s", d.who, d.nodes, d.group, d.at.Round(time.Millisecond))
}

// differencesBetween pairs the decisions that are alike and close in time, each with
// the first that is left, and returns those without a pair.
func differencesBetween(ours, theirs []decision, apart time.Duration) []difference {
	taken := make([]bool, len(theirs))
	var all []difference
	for _, o := range ours {
		pair := slices.IndexFunc(theirs, func(d decision) bool {
			return d.group == o.group && d.nodes == o.nodes && (d.at-o.at).Abs() <= apart
		})
		for pair >= 0 && taken[pair] {
			next := slices.IndexFunc(theirs[pair+1:], func(d decision) bool {
				return d.group == o.group && d.nodes == o.nodes && (d.at-o.at).Abs() <= apart
			})
			if next < 0 {
				pair = -1
				break
			}
			pair += 1 + next
		}
		if pair < 0 {
			all = append(all, difference{o, "engine"})
			continue
		}
		taken[pair] = true
	}
	for n, d := range theirs {
		if !taken[n] {
			all = append(all, difference{d, "oracle"})
		}
	}
	slices.SortStableFunc(all, func(a, b difference) int { return cmp.Compare(a.at, b.at) })
	return all
}

// around is what the oracle's log tells of the minute before and the moment after.
func around(log []Event, at time.Duration) string {
	var b strings.Builder
	for _, e := range log {
		if e.At >= at-time.Minute && e.At <= at+10*time.Second {
			fmt.Fprintf(&b, "  %s\n", e)
		}
	}
	return b.String()
}

func TestDifferencesArePaired(t *testing.T) {
	ours := []decision{{0, "a", 1}, {time.Second, "a", 1}, {time.Hour, "a", -1}}
	theirs := []decision{{2 * time.Second, "a", 1}, {3 * time.Second, "a", 2}, {time.Hour + time.Second, "a", -1}}
	require.Equal(t, []difference{{decision{time.Second, "a", 1}, "engine"}, {decision{3 * time.Second, "a", 2}, "oracle"}},
		differencesBetween(ours, theirs, 5*time.Second))
}
