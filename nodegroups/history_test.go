package nodegroups_test

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Random histories: anything may happen to the account and to the provider, in any
// order, and some things always hold. The rules are those of history_rules_test.go, in
// words:
//
//   - the cloud's desired number is never above max by our doing, and no delete takes it
//     below min; it rises by what CA asked for and is never lowered below what exists;
//   - no instance is created that was not asked for: lost answers, retries, crashes and
//     restarts double nothing;
//   - only instances that CA named leave, or the spot market took, or a hand removed;
//   - the target is raised before IncreaseSize returns, falls by what really left or was
//     given up, and a delete that was answered OK removes its instance;
//   - no more placeholders than instances are missing;
//   - when the faults stop, target = desired = instances within calmTime;
//   - reads never fail after the first snapshot; no goroutine is left; no key material is
//     in a log, an error or the status.
var (
	historyOps  = flag.Int("history.ops", 100_000, "how many random operations TestRandomHistories plays")
	historyFrom = flag.Int64("history.from", 1, "the seed of the first history")
	historySeed = flag.Uint64("history.seed", 0, "play only the history of this seed")
)

const historyLength = 100

func TestRandomHistories(t *testing.T) {
	if *historySeed != 0 {
		examine(t, newHistory(*historySeed, historyLength))
		return
	}
	workers := runtime.GOMAXPROCS(0)
	var next, played atomic.Int64
	next.Store(*historyFrom - 1)
	var slowest atomic.Int64
	t.Run("workers", func(t *testing.T) {
		for n := range workers {
			t.Run(fmt.Sprint(n), func(t *testing.T) {
				t.Parallel()
				for played.Load() < int64(*historyOps) && !t.Failed() {
					h := newHistory(uint64(next.Add(1)), historyLength)
					slow := examine(t, h)
					played.Add(int64(len(h.steps)))
					slowest.Store(max(slowest.Load(), int64(slow)))
				}
			})
		}
	})
	t.Logf("%d operations in %d histories; calm came within %s", played.Load(), next.Load()-*historyFrom+1, time.Duration(slowest.Load()))
}

// examine plays a history; one that breaks a rule is reduced and printed.
func examine(t *testing.T, h history) time.Duration {
	t.Helper()
	broken, slowest := playHistory(t, h)
	if broken == nil {
		return slowest
	}
	small, broken := reduce(t, h, broken)
	t.Errorf("rule broken: %s\n%s\n\nreduced from %d to %d steps (go test -run TestRandomHistories -history.seed=%d):\n%s\n\nas it went:\n%s",
		broken.rule, broken.detail, len(h.steps), len(small.steps), h.seed, small, strings.Join(broken.story, "\n"))
	return slowest
}

// reduce leaves out steps as long as the same rule is broken: halves, quarters, and at
// last single ones.
func reduce(t *testing.T, h history, broken *violation) (history, *violation) {
	t.Helper()
	for size := len(h.steps) / 2; size >= 1; {
		smaller := false
		for at := 0; at < len(h.steps); {
			candidate := h
			candidate.steps = append(append([]step{}, h.steps[:at]...), h.steps[min(at+size, len(h.steps)):]...)
			if again, _ := playHistory(t, candidate); again != nil && again.rule == broken.rule {
				h, broken, smaller = candidate, again, true
				continue
			}
			at += size
		}
		if !smaller || size > 1 {
			size /= 2
		}
	}
	return h, broken
}
