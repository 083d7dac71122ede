package overflow_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/buildpool/buildpool/overflow"
)

var now = time.Date(2026, 11, 24, 15, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return now.Add(-d) }

// one is a build of which one fits on a node of the group spot.
func one(name string, age time.Duration) overflow.Waiting {
	return overflow.Waiting{Name: name, Created: ago(age), Ask: overflow.Resources{MilliCPU: 3000, Pods: 1}, CostPerHour: 1, Groups: []string{"spot"}}
}

func coming(in time.Duration) overflow.Upcoming {
	return overflow.Upcoming{Group: "spot", Left: overflow.Resources{MilliCPU: 3900, Pods: 100}, Expected: now.Add(in)}
}

// eager moves whatever real nodes will not serve.
func eager() overflow.Policy {
	return overflow.Policy{
		Start:   overflow.Start{After: time.Minute, PredictedLater: 3 * time.Minute, WhenBlocked: true},
		Margin:  30 * time.Second,
		MaxPods: 100,
	}
}

func situation(waiting ...overflow.Waiting) overflow.Situation {
	return overflow.Situation{
		Now: now, ScanInterval: 10 * time.Second, Waiting: waiting,
		Groups: []overflow.Group{{Name: "spot", Boot: 2 * time.Minute}},
	}
}

func TestDecide(t *testing.T) {
	with := func(w overflow.Waiting, change func(*overflow.Waiting)) overflow.Waiting { change(&w); return w }
	triggered := func(d time.Duration) func(*overflow.Waiting) {
		return func(w *overflow.Waiting) { w.Triggered = ago(d) }
	}
	notTriggered := func(d time.Duration) func(*overflow.Waiting) {
		return func(w *overflow.Waiting) { w.NotTriggered = ago(d) }
	}
	for name, test := range map[string]struct {
		waiting overflow.Waiting
		change  func(*overflow.Situation, *overflow.Policy)
		moves   bool
		reason  overflow.Reason
	}{
		"young":                      {one("b", 20*time.Second), nil, false, overflow.NotDue},
		"exactly as old as allowed":  {one("b", time.Minute), nil, false, overflow.NotDue},
		"too old":                    {one("b", time.Minute+1), nil, true, overflow.MovedByAge},
		"told that no group helps":   {with(one("b", 20*time.Second), notTriggered(20*time.Second)), nil, true, overflow.MovedNotTriggered},
		"told so too long ago":       {with(one("b", 40*time.Second), notTriggered(20*time.Second+1)), nil, false, overflow.NotDue},
		"told so after its scale-up": {with(with(one("b", 20*time.Second), triggered(10*time.Second)), notTriggered(0)), nil, false, overflow.AwaitsNode},
		"its node is not late":       {with(one("b", 10*time.Minute), triggered(150*time.Second)), nil, false, overflow.AwaitsNode},
		"its group has run out of stock since": {with(one("b", 20*time.Second), triggered(10*time.Second)), func(s *overflow.Situation, _ *overflow.Policy) {
			s.Groups[0].Blocked = overflow.MovedOutOfStock
		}, true, overflow.MovedOutOfStock},
		"it took the last place of its group": {with(one("b", 20*time.Second), triggered(10*time.Second)), func(s *overflow.Situation, _ *overflow.Policy) {
			s.Groups[0].Blocked = overflow.MovedAtMax
		}, false, overflow.AwaitsNode},
		"its node is late":      {with(one("b", 10*time.Minute), triggered(150*time.Second+1)), nil, true, overflow.MovedByAge},
		"boot not known, waits": {with(one("b", 10*time.Minute), triggered(90*time.Second)), func(s *overflow.Situation, _ *overflow.Policy) { s.Groups[0].Boot = 0 }, false, overflow.AwaitsNode},
		"a node on its way has room": {one("b", 10*time.Minute), func(s *overflow.Situation, _ *overflow.Policy) {
			s.Upcoming = append(s.Upcoming, coming(-30*time.Second))
		}, false, overflow.Covered},
		"that node is late": {one("b", 10*time.Minute), func(s *overflow.Situation, _ *overflow.Policy) {
			s.Upcoming = append(s.Upcoming, coming(-31*time.Second))
		}, true, overflow.MovedByAge},
		"a node of another group":  {with(one("b", 10*time.Minute), func(w *overflow.Waiting) { w.Groups = []string{"gpu"} }), func(s *overflow.Situation, _ *overflow.Policy) { s.Upcoming = append(s.Upcoming, coming(0)) }, true, overflow.MovedByAge},
		"slow boots":               {one("b", time.Second), func(s *overflow.Situation, _ *overflow.Policy) { s.Groups[0].Boot = 3*time.Minute + 1 }, true, overflow.MovedByPrediction},
		"boots as slow as allowed": {one("b", time.Second), func(s *overflow.Situation, _ *overflow.Policy) { s.Groups[0].Boot = 3 * time.Minute }, false, overflow.NotDue},
		"at max":                   {one("b", time.Second), func(s *overflow.Situation, _ *overflow.Policy) { s.Groups[0].Blocked = overflow.MovedAtMax }, true, overflow.MovedAtMax},
		"out of stock":             {one("b", time.Second), func(s *overflow.Situation, _ *overflow.Policy) { s.Groups[0].Blocked = overflow.MovedOutOfStock }, true, overflow.MovedOutOfStock},
		"another group can grow": {with(one("b", time.Second), func(w *overflow.Waiting) { w.Groups = []string{"spot", "normal"} }), func(s *overflow.Situation, _ *overflow.Policy) {
			s.Groups[0].Blocked = overflow.MovedAtMax
			s.Groups = append(s.Groups, overflow.Group{Name: "normal"})
		}, false, overflow.NotDue},
		"at max, but that starts none": {one("b", time.Second), func(s *overflow.Situation, p *overflow.Policy) {
			s.Groups[0].Blocked = overflow.MovedAtMax
			p.Start.WhenBlocked = false
		}, false, overflow.NotDue},
		"not eligible":            {with(one("b", time.Hour), func(w *overflow.Waiting) { w.Ineligible = overflow.UsesHostPath }), nil, false, overflow.UsesHostPath},
		"at the limit of pods":    {one("b", time.Hour), func(s *overflow.Situation, p *overflow.Policy) { s.Live = p.MaxPods }, false, overflow.AtPodLimit},
		"at the limit of cost":    {one("b", time.Hour), func(s *overflow.Situation, p *overflow.Policy) { p.MaxCostPerHour, s.LiveCostPerHour = 10, 9.5 }, false, overflow.AtCostLimit},
		"up to the limit of cost": {one("b", time.Hour), func(s *overflow.Situation, p *overflow.Policy) { p.MaxCostPerHour, s.LiveCostPerHour = 10, 9 }, true, overflow.MovedByAge},
		"cost not known":          {with(one("b", time.Hour), func(w *overflow.Waiting) { w.CostPerHour = -1 }), func(_ *overflow.Situation, p *overflow.Policy) { p.MaxCostPerHour = 10 }, false, overflow.CostUnknown},
		"no tokens":               {one("b", time.Hour), func(s *overflow.Situation, _ *overflow.Policy) { s.Bucket = s.Bucket.Take(now, overflow.Burst) }, false, overflow.AtRateLimit},
	} {
		t.Run(name, func(t *testing.T) {
			s, p := situation(test.waiting), eager()
			if test.change != nil {
				test.change(&s, &p)
			}
			verdicts, _ := p.Decide(s)
			assert.Equal(t, []overflow.Verdict{{Name: "b", Moves: test.moves, Reason: test.reason}}, verdicts)
			assert.NotEmpty(t, verdicts[0].Reason.String())
		})
	}
}

// A group with room for two more nodes and four builds: cluster-autoscaler tells all
// four that no group helps, also the two that it scaled up for.
func TestOnlyTheSurplusMoves(t *testing.T) {
	for name, prepare := range map[string]func(*overflow.Situation){
		"the events say who triggered": func(s *overflow.Situation) {
			s.Waiting[0].Triggered, s.Waiting[2].Triggered = ago(10*time.Second), ago(10*time.Second)
		},
		"the nodes on their way say how many": func(s *overflow.Situation) {
			s.Upcoming = []overflow.Upcoming{coming(time.Minute), coming(time.Minute)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			var waiting []overflow.Waiting
			for n := range 4 {
				w := one(fmt.Sprint(n), 20*time.Second)
				w.NotTriggered = ago(time.Second)
				waiting = append(waiting, w)
			}
			s := situation(waiting...)
			s.Groups[0].Blocked = overflow.MovedAtMax
			prepare(&s)
			verdicts, _ := eager().Decide(s)
			moved := 0
			for _, v := range verdicts {
				if v.Moves {
					moved++
					assert.Zero(t, s.Waiting[int(v.Name[0]-'0')].Triggered, "who triggered waits for its node")
				}
			}
			assert.Equal(t, 2, moved)
		})
	}
}

// 250 builds: the burst at once, then as fast as the virtual node takes them.
func TestBurstMovesUnderTheRateLimit(t *testing.T) {
	var waiting []overflow.Waiting
	for n := range 250 {
		waiting = append(waiting, one(fmt.Sprintf("%03d", n), 10*time.Minute))
	}
	s, p := situation(waiting...), eager()
	p.MaxPods = 1000
	moved := []int{}
	for len(s.Waiting) > 0 {
		verdicts, bucket := p.Decide(s)
		var left []overflow.Waiting
		for _, v := range verdicts {
			if !v.Moves {
				left = append(left, one(v.Name, 10*time.Minute))
			}
		}
		moved = append(moved, len(s.Waiting)-len(left))
		s.Live += len(s.Waiting) - len(left)
		s.Waiting, s.Bucket, s.Now = left, bucket, s.Now.Add(time.Second)
	}
	assert.Equal(t, []int{100, 20, 20, 20, 20, 20, 20, 20, 10}, moved)
}
