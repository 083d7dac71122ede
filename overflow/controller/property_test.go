package controller_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/buildpool/buildpool/overflow"
)

// TestHistoriesKeepEveryBound: whatever happens, also between what is read and what is
// written, no more builds move than have no node on its way, only those that may, within
// every limit, none twice; and a controller that knows nothing finds done what another
// has done.
func TestHistoriesKeepEveryBound(t *testing.T) {
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		h := newHistory(t, seen)
		actions := map[string]func(*rapid.T){
			"time passes":           func(t *rapid.T) { h.clock.Step(drawSeconds(t, 120)) },
			"a burst":               func(t *rapid.T) { h.burst() },
			"a restart":             func(t *rapid.T) { h.controllers[rapid.IntRange(0, 1).Draw(t, "which")] = h.start() },
			"a round":               func(t *rapid.T) { h.controllers[rapid.IntRange(0, 1).Draw(t, "whose")].look() },
			"two rounds":            func(t *rapid.T) { h.controllers[0].look(); h.clock.Step(overflow.Period); h.controllers[0].look() },
			"nothing is left to do": func(t *rapid.T) { h.looksAgain() },
		}
		for name, event := range h.events() {
			actions[name] = func(t *rapid.T) { h.t = t; event() }
		}
		for name, act := range actions {
			actions[name] = func(t *rapid.T) { h.t = t; act(t) }
		}
		t.Repeat(actions)
	})
	for _, what := range []string{"moved", "conflicts", "annotated", "bursts", "at the limit", "settled", "disturbed"} {
		assert.NotZero(t, seen[what], "no history had it: %s", what)
	}
	t.Logf("%v", seen)
}

// burst makes more builds at once than move at once, once in a history.
func (h *history) burst() {
	if h.bursted {
		return
	}
	h.bursted = true
	for range 130 {
		h.create("plain", "spot", 0)
	}
}

// looksAgain lets a controller and then one that knows nothing look while nothing happens.
func (h *history) looksAgain() {
	h.quiet = true
	defer func() { h.quiet = false }()
	h.controllers[0].look()
	for _, v := range h.controllers[0].controller.Latest() {
		if v.Reason == overflow.AtRateLimit {
			return
		}
	}
	fresh := h.start()
	fresh.look()
	if fresh.writes > 0 {
		h.t.Fatalf("another controller finds %d builds to patch", fresh.writes)
	}
	h.count["settled"]++
}

// anotherLooks reports whether the other controller goes a round right now.
func (h *history) anotherLooks() bool {
	if rapid.IntRange(0, 9).Draw(h.t, "another looks") > 0 {
		return false
	}
	h.count["disturbed"]++
	return true
}

// lags reports whether the nodes are still seen as they were when the round began.
func (h *history) lags() bool { return !h.quiet && rapid.Bool().Draw(h.t, "lags") }

// meanwhileOnNodes lets a node become readier, or pods be bound.
func (h *history) meanwhileOnNodes() {
	if h.quiet {
		return
	}
	switch rapid.IntRange(0, 3).Draw(h.t, "on nodes") {
	case 0:
		h.ready()
	case 1:
		h.bind()
	}
}
