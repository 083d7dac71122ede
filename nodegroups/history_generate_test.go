package nodegroups_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// A history is a world and what happens in it, drawn from a seed. It is data: the same
// history can be played again, whole or in part, and printed.
type history struct {
	seed   uint64
	groups []groupSpec
	// lag is how far the account's lists stay behind what happened.
	lag lag
	// peers is how many providers run on the account, each asked by a CA of its own: two
	// by mistake, or because one is being replaced.
	peers int
	steps []step
}

// lag is that of the scaling groups and that of their instances: each list has its own.
type lag struct{ groups, instances time.Duration }

// drawLag: the lists of two histories in three do not lag. It is shorter than an instance
// takes to be created or removed, as it is in life.
func drawLag(r *rand.Rand) lag {
	seconds := []time.Duration{0, 1, 3, 8}
	l := lag{groups: seconds[r.IntN(4)] * time.Second, instances: seconds[r.IntN(4)] * time.Second}
	if r.IntN(3) > 0 {
		return lag{}
	}
	return l
}

// step is one thing that happens. Numbers are taken modulo what there is when it is
// played, so that a step still makes sense when those before it are left out.
type step struct {
	act   act
	peer  int
	group int
	n     int
	pick  int
	wait  time.Duration
	fault esssim.Fault
}

// act is what a step does.
type act string

// What cluster-autoscaler does, and what it does not but somebody may.
const (
	actLoop      act = "loop"      // refresh, read everything, delete the failed, as CA does
	actRefresh   act = "refresh"   // twice at once
	actIncrease  act = "increase"  // by what there is room for
	actExceed    act = "exceed"    // increase by what there is no room for, or by nothing
	actDelete    act = "delete"    // one node
	actDeletes   act = "deletes"   // n nodes, an RPC each, at once
	actBatch     act = "batch"     // n nodes in one RPC
	actTwice     act = "twice"     // one node, two RPCs at once
	actGone      act = "gone"      // a node that left earlier
	actForeign   act = "foreign"   // a node that is none of ours, or another group's
	actFake      act = "fake"      // an instance, as one whose node never came
	actGiveUp    act = "giveUp"    // up to n placeholders
	actDecrease  act = "decrease"  // the target, by n
	actStorm     act = "storm"     // increases and deletes at once
	actImpatient act = "impatient" // increase with hardly any time
)

// What happens to the account, to us, and to time.
const (
	actWait      act = "wait"
	actStock     act = "stock"
	actFault     act = "fault"
	actRepair    act = "repair"
	actReclaim   act = "reclaim"
	actSetByHand act = "setByHand" // the desired number, in the console
	actRemove    act = "removeByHand"
	actPause     act = "pause" // make the group Inactive, or Active again
	actRestart   act = "restart"
	actCrash     act = "crash" // in the middle of a write
	actCalm      act = "calm"  // everything ends well; then the numbers have to agree
)

// theme says which acts a history is made of, and how often each comes.
type theme map[act]int

// The themes. What is ruled out makes a sharper rule possible: where nobody touches the
// console, no instance may vanish unasked.
var (
	calls = theme{
		actLoop: 14, actRefresh: 2, actIncrease: 10, actExceed: 1, actDelete: 5, actDeletes: 3, actBatch: 1, actTwice: 1,
		actGone: 1, actForeign: 1, actFake: 2, actGiveUp: 2, actDecrease: 2, actStorm: 2, actImpatient: 1, actWait: 12,
	}
	faulty     = theme{actFault: 8, actRepair: 2}
	dry        = theme{actStock: 6}
	reclaiming = theme{actReclaim: 4}
	restarting = theme{actRestart: 2, actCrash: 2}
	handmade   = theme{actSetByHand: 3, actRemove: 2, actPause: 2}
)

// newHistory draws the history of a seed.
func newHistory(seed uint64, length int) history {
	r := rand.New(rand.NewPCG(seed, 16))
	h := history{seed: seed}
	for n := range 1 + r.IntN(2) {
		g := groupSpec{name: string(rune('a' + n)), max: 2 + r.IntN(12), classic: r.IntN(4) == 0, class: config.ClassSpot}
		if r.IntN(3) == 0 {
			g.class = config.ClassNormal
		}
		if r.IntN(3) == 0 {
			g.min = r.IntN(min(3, g.max))
		}
		g.desired = r.IntN(g.max/2 + 1)
		h.groups = append(h.groups, g)
	}
	h.lag, h.peers = drawLag(r), 1
	if h.lag == (lag{}) && r.IntN(4) == 0 {
		h.peers = 2
	}
	weights := mixed(r, h.lag == (lag{}) && h.peers == 1)
	for len(h.steps) < length {
		for range 5 + r.IntN(30) {
			h.steps = append(h.steps, newStep(r, weights))
		}
		h.steps = append(h.steps, step{act: actCalm, pick: r.IntN(2)})
	}
	return h
}

// mixed draws which kinds of trouble a history has. Where lists lag nobody touches the
// console: a change that cannot be seen yet is undone by the next absolute write.
func mixed(r *rand.Rand, hands bool) theme {
	weights := theme{}
	add := func(t theme) {
		for a, w := range t {
			weights[a] += w
		}
	}
	add(calls)
	for _, t := range []theme{faulty, dry, reclaiming, restarting} {
		if r.IntN(2) == 0 {
			add(t)
		}
	}
	if r.IntN(4) == 0 && hands {
		add(handmade)
	}
	return weights
}

// allActs in a fixed order: a map's would make a seed mean something else each time.
var allActs = []act{
	actLoop, actRefresh, actIncrease, actExceed, actDelete, actDeletes, actBatch, actTwice, actGone, actForeign, actFake,
	actGiveUp, actDecrease, actStorm, actImpatient, actWait, actStock, actFault, actRepair, actReclaim, actSetByHand,
	actRemove, actPause, actRestart, actCrash,
}

func newStep(r *rand.Rand, weights theme) step {
	total := 0
	for _, w := range weights {
		total += w
	}
	s := step{peer: r.IntN(2), group: r.IntN(2), n: 1 + r.IntN(4), pick: r.IntN(1000), wait: drawWait(r), fault: drawFault(r)}
	at := r.IntN(total)
	for _, a := range allActs {
		if at -= weights[a]; at < 0 {
			s.act = a
			return s
		}
	}
	return s
}

func drawWait(r *rand.Rand) time.Duration {
	waits := []time.Duration{
		10 * time.Millisecond, 200 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second,
		10 * time.Second, 21 * time.Second, 31 * time.Second, 65 * time.Second,
	}
	return waits[r.IntN(len(waits))]
}

// drawFault draws one: most strike a few calls of one API, some more calls than an RPC
// repeats.
func drawFault(r *rand.Rand) esssim.Fault {
	apis := []string{
		"*", "ScaleWithAdjustment", "ScaleWithAdjustment", "RemoveInstances", "RemoveInstances",
		"DescribeScalingGroups", "DescribeScalingInstances", "DescribeScalingActivities",
		"DescribeInstances", "DetachInstances",
	}
	kinds := []esssim.FaultKind{
		esssim.FaultThrottle, esssim.FaultError, esssim.FaultDrop, esssim.FaultDrop, esssim.FaultSlow, esssim.FaultBadJSON, esssim.FaultBadCode,
	}
	counts := []int{1, 1, 2, 3, 5, 8, 20}
	delays := []time.Duration{300 * time.Millisecond, 2 * time.Second, 7 * time.Second}
	f := esssim.Fault{
		API: apis[r.IntN(len(apis))], Kind: kinds[r.IntN(len(kinds))], Count: counts[r.IntN(len(counts))],
		AfterEffect: r.IntN(2) == 0, Delay: account.Duration(delays[r.IntN(len(delays))]),
	}
	if f.Kind == esssim.FaultThrottle {
		f.AfterEffect = false // what is turned away at the gate has no effect
	}
	return f
}

// roomy returns the groups as the account has them: in half of the histories their own
// max is above the configured one, so that nobody but us keeps below it.
func (h history) roomy() []groupSpec {
	groups := slices.Clone(h.groups)
	for n := range groups {
		groups[n].max += int(h.seed%2) * 3
	}
	return groups
}

// String is the step as a person reads it.
func (s step) String() string {
	group := string(rune('a' + s.group))
	switch s.act {
	case actWait:
		return fmt.Sprintf("wait %s", s.wait)
	case actLoop, actRefresh, actRepair, actRestart:
		return string(s.act)
	case actFault:
		when := ""
		if s.fault.AfterEffect {
			when = " after effect"
		}
		if s.fault.Kind == esssim.FaultSlow {
			when += " " + time.Duration(s.fault.Delay).String()
		}
		return fmt.Sprintf("fault %s %s%s, %d times", s.fault.API, s.fault.Kind, when, s.fault.Count)
	case actCalm:
		if s.dryCalm() {
			return "calm, still out of stock"
		}
		return "calm"
	}
	return fmt.Sprintf("%s group=%s n=%d pick=%d", s.act, group, s.n, s.pick)
}

// dryCalm: the stock stays as it is.
func (s step) dryCalm() bool { return s.pick == 1 }

func (h history) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d", h.seed)
	for _, g := range h.groups {
		mode := "expected number"
		if g.classic {
			mode = "no expected number"
		}
		fmt.Fprintf(&b, "; group %s: %s, %d to %d, desired %d, %s", g.name, g.class, g.min, g.max, g.desired, mode)
	}
	if h.lag != (lag{}) {
		fmt.Fprintf(&b, "; groups are shown %s late, instances %s", h.lag.groups, h.lag.instances)
	}
	if h.peers > 1 {
		fmt.Fprintf(&b, "; %d providers", h.peers)
	}
	for n, s := range h.steps {
		fmt.Fprintf(&b, "\n%4d  %s", n, s)
		if h.peers > 1 {
			fmt.Fprintf(&b, " by %d", s.peer%h.peers)
		}
	}
	return b.String()
}
