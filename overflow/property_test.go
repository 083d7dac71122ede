package overflow_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/buildpool/buildpool/overflow"
)

func drawAge(t *rapid.T, what string) time.Duration {
	return time.Duration(rapid.IntRange(0, 300).Draw(t, what)) * time.Second
}

// drawSituation has builds that fill a node each, so that the surplus can be counted,
// of one or two groups.
func drawSituation(t *rapid.T) overflow.Situation {
	s := overflow.Situation{Now: now, ScanInterval: 10 * time.Second, Live: rapid.IntRange(0, 40).Draw(t, "live")}
	s.LiveCostPerHour = float64(rapid.IntRange(-1, 20).Draw(t, "liveCost"))
	for _, name := range []string{"spot", "normal"} {
		s.Groups = append(s.Groups, overflow.Group{
			Name:    name,
			Blocked: rapid.SampledFrom([]overflow.Reason{"", overflow.MovedAtMax, overflow.MovedOutOfStock, overflow.MovedByBackoff}).Draw(t, "blocked"),
			Boot:    drawAge(t, "boot"),
		})
	}
	for range rapid.IntRange(0, 20).Draw(t, "upcoming") {
		u := coming(drawAge(t, "expected") - 2*time.Minute)
		u.Group = rapid.SampledFrom([]string{"spot", "normal"}).Draw(t, "of")
		s.Upcoming = append(s.Upcoming, u)
	}
	groups := [][]string{{"spot"}, {"normal"}, nil}
	if rapid.Bool().Draw(t, "either") {
		groups = [][]string{{"spot", "normal"}}
	}
	for n := range rapid.IntRange(0, 60).Draw(t, "waiting") {
		w := one(fmt.Sprintf("%02d", n), drawAge(t, "age"))
		w.Groups = rapid.SampledFrom(groups).Draw(t, "groups")
		w.Ineligible = rapid.SampledFrom([]overflow.Reason{"", "", "", overflow.NotSelected, overflow.Tolerates, overflow.UsesHostPath}).Draw(t, "ineligible")
		w.CostPerHour = float64(rapid.IntRange(-1, 4).Draw(t, "cost"))
		if rapid.Bool().Draw(t, "triggered") {
			w.Triggered = ago(drawAge(t, "triggeredAgo"))
		}
		if rapid.Bool().Draw(t, "notTriggered") {
			w.NotTriggered = ago(drawAge(t, "notTriggeredAgo"))
		}
		s.Waiting = append(s.Waiting, w)
	}
	s.Bucket = s.Bucket.Take(ago(time.Second), rapid.IntRange(0, overflow.Burst).Draw(t, "spent"))
	return s
}

func drawPolicy(t *rapid.T) overflow.Policy {
	return overflow.Policy{
		Start: overflow.Start{
			After: drawAge(t, "after"), PredictedLater: drawAge(t, "later"), WhenBlocked: rapid.Bool().Draw(t, "whenBlocked"),
		},
		Margin:         drawAge(t, "margin"),
		MaxPods:        rapid.IntRange(0, 60).Draw(t, "maxPods"),
		MaxCostPerHour: float64(rapid.IntRange(0, 40).Draw(t, "maxCost")),
	}
}

// surplus is how many of the builds that need a real node have none on its way that is
// not late. The builds fill a node each, and either all of them can use both groups or
// each can use one at most.
func surplus(p overflow.Policy, s overflow.Situation) int {
	builds, nodes := map[string]int{}, map[string]int{}
	need := 0
	either := slices.ContainsFunc(s.Waiting, func(w overflow.Waiting) bool { return len(w.Groups) == 2 })
	of := func(group string) string {
		if either {
			return ""
		}
		return group
	}
	for _, w := range s.Waiting {
		if w.Ineligible == overflow.Tolerates {
			continue
		}
		need++
		if len(w.Groups) > 0 {
			builds[of(w.Groups[0])]++
		}
	}
	for _, u := range s.Upcoming {
		if !s.Now.After(u.Expected.Add(p.Margin)) {
			nodes[of(u.Group)]++
		}
	}
	for kind, n := range builds {
		need -= min(n, nodes[kind])
	}
	return need
}

func TestDecisionKeepsEveryBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, s := drawPolicy(t), drawSituation(t)
		verdicts, bucket := p.Decide(s)
		if len(verdicts) != len(s.Waiting) {
			t.Fatalf("%d verdicts on %d builds", len(verdicts), len(s.Waiting))
		}
		moved, cost := 0, s.LiveCostPerHour
		for _, v := range verdicts {
			if v.Reason.String() == "" {
				t.Fatalf("%s: %q is not told in words", v.Name, v.Reason)
			}
			if !v.Moves {
				continue
			}
			w := s.Waiting[slices.IndexFunc(s.Waiting, func(w overflow.Waiting) bool { return w.Name == v.Name })]
			moved, cost = moved+1, cost+w.CostPerHour
			if w.Ineligible != "" {
				t.Fatalf("%s moves though it may not: %s", v.Name, w.Ineligible)
			}
			if p.MaxCostPerHour > 0 && (w.CostPerHour < 0 || s.LiveCostPerHour < 0) {
				t.Fatalf("%s moves under a limit on the cost that is not known", v.Name)
			}
		}
		if most := surplus(p, s); moved > most {
			t.Fatalf("%d move, the surplus is %d", moved, most)
		}
		if moved > 0 && s.Live+moved > p.MaxPods {
			t.Fatalf("%d on the virtual node and %d more are above %d", s.Live, moved, p.MaxPods)
		}
		if moved > 0 && p.MaxCostPerHour > 0 && cost > p.MaxCostPerHour {
			t.Fatalf("%g per hour is above %g", cost, p.MaxCostPerHour)
		}
		if before := s.Bucket.Available(s.Now); moved > before || bucket.Available(s.Now) != before-moved {
			t.Fatalf("%d move with %d tokens, %d are left", moved, before, bucket.Available(s.Now))
		}
	})
}

// The order in which builds, groups and nodes are listed means nothing, and what is
// decided once is decided again: a restart changes nothing.
func TestDecisionDependsOnFactsAlone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, s := drawPolicy(t), drawSituation(t)
		first, _ := p.Decide(s)
		slices.Reverse(s.Waiting)
		slices.Reverse(s.Groups)
		again, _ := p.Decide(s)
		if !slices.Equal(first, again) {
			t.Fatalf("decided %v, then %v", first, again)
		}
	})
}

// Until the time that is told, and for ever if none is, no build moves that does not now.
func TestNothingChangesBeforeItIsTold(t *testing.T) {
	told := 0
	rapid.Check(t, func(t *rapid.T) {
		p, s := drawPolicy(t), drawSituation(t)
		p.MaxPods, p.MaxCostPerHour, s.Bucket = 1000, 0, overflow.Bucket{}
		now := moves(p, s)
		until := p.Changes(s)
		later := s
		later.Now = until
		if until.IsZero() {
			later.Now = s.Now.Add(time.Hour)
		} else if until.Before(s.Now) {
			t.Fatalf("it changes at %v, and it is %v", until, s.Now)
		}
		for name := range moves(p, later) {
			if !now[name] {
				t.Fatalf("%s moves at %v and not at %v", name, later.Now, s.Now)
			}
		}
		later.Now = later.Now.Add(time.Nanosecond)
		if !until.IsZero() && !maps.Equal(now, moves(p, later)) {
			told++
		}
	})
	if told == 0 {
		t.Fatal("no decision changed at the time told")
	}
}

func moves(p overflow.Policy, s overflow.Situation) map[string]bool {
	out := map[string]bool{}
	verdicts, _ := p.Decide(s)
	for _, v := range verdicts {
		if v.Moves {
			out[v.Name] = true
		}
	}
	return out
}
