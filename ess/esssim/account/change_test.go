package account

import (
	"encoding/json"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	clocktesting "k8s.io/utils/clock/testing"
	"pgregory.net/rapid"
)

// keeper keeps an account's changes as a file would: written out.
type keeper struct{ lines [][]byte }

func (k *keeper) keep(c Change) error {
	line, err := json.Marshal(c)
	k.lines = append(k.lines, line)
	return err
}

// again makes the account anew from what was kept.
func (k *keeper) again(t require.TestingT, clock *clocktesting.FakePassiveClock, seed uint64, begun time.Time) *Account {
	cfg, err := Parse("everything.yaml", []byte(everything))
	require.NoError(t, err)
	a, err := Resume(cfg, clock, seed, begun)
	require.NoError(t, err)
	for _, line := range k.lines {
		var c Change
		require.NoError(t, json.Unmarshal(line, &c))
		ours, err := a.Redo(c)
		require.NoError(t, err)
		require.True(t, ours, c.Do)
	}
	a.Keep(k.keep)
	return a
}

// A simulator that is killed and started again is no different from one that was
// not: not in its state, not in what its lagging lists show, and not in what it does
// with the same calls afterwards, down to the identifiers.
func TestAnAccountMadeAgainIsTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		one, clock := newEverything(t, seed)
		begun := clock.Now()
		other, otherClock := newEverything(t, seed)
		var kept keeper
		other.Keep(kept.keep)
		// Both live through the same history; the other one is killed now and then.
		random := rand.New(rand.NewPCG(seed, 1))
		script := rand.New(rand.NewPCG(seed, 1))
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			err := happen(one, clock, random.IntN)
			again := happen(other, otherClock, script.IntN)
			require.Equal(t, err == nil, again == nil, "%v, %v", err, again)
			if rapid.Bool().Draw(t, "look") {
				everythingOf(t, one) // to look changes nothing, and is not kept
			}
			if rapid.IntRange(0, 7).Draw(t, "kill") == 0 {
				// Time goes on while nobody runs.
				away := time.Duration(rapid.IntRange(0, 200).Draw(t, "away")) * time.Second
				otherClock.SetTime(otherClock.Now().Add(away))
				clock.SetTime(otherClock.Now())
				other = kept.again(t, otherClock, seed, begun)
			}
		}
		require.Equal(t, string(everythingOf(t, one)), string(everythingOf(t, other)))
		checkInvariants(t, other)
		clock.SetTime(clock.Now().Add(time.Hour))
		otherClock.SetTime(clock.Now())
		require.Equal(t, string(everythingOf(t, one)), string(everythingOf(t, other)), "an hour later")
	})
}

// everythingOf is all that can be seen of an account.
func everythingOf(t require.TestingT, a *Account) []byte {
	groups, err := a.Groups(GroupQuery{})
	require.NoError(t, err)
	instances, err := a.Instances(InstanceQuery{Paging: Paging{Size: maxInstancePage}})
	require.NoError(t, err)
	data, err := json.Marshal([]any{a.State(), a.Running(), a.Delays(), groups, instances, a.Supply("", nil, Spot)})
	require.NoError(t, err)
	return data
}

// Every change that is kept can be done again: the methods that change the account
// are called once each, and each is among the deeds.
func TestEveryDeedIsKeptAndDoneAgain(t *testing.T) {
	a, _ := newEverything(t, 1)
	var kept []Change
	a.Keep(func(c Change) error { kept = append(kept, c); return nil })
	one := 1
	_, _ = a.ScaleWithAdjustment(Adjustment{GroupID: "eco"})
	_, _ = a.ExecuteRule("ari", "token")
	_ = a.ModifyGroup(Modification{GroupID: "eco", Max: &one})
	_ = a.EnableGroup("eco")
	_ = a.DisableGroup("eco")
	_, _ = a.RemoveInstances(Removal{GroupID: "eco"})
	_, _ = a.AttachInstances(Attachment{GroupID: "eco"})
	_, _ = a.DetachInstances(Removal{GroupID: "eco"})
	_ = a.SetProtection(Protection{GroupID: "eco"})
	_ = a.EnterStandby("eco", nil)
	_ = a.SetHealth("i-1", Unhealthy)
	_ = a.SuspendProcesses("eco", []string{"ScaleIn"}, true)
	_ = a.CompleteLifecycleAction(Completion{})
	_ = a.RecordHeartbeat("hook", "token", time.Minute)
	_ = a.SetStock(Stock{})
	_ = a.SetDelays(DelayChange{})
	_ = a.SetQuotas(Quotas{})
	_ = a.SetSpotPrice(MarketPrice{})
	_ = a.EditGroup("eco", GroupChange{Max: &one})
	_ = a.Reclaim("i-1", time.Minute)
	_, _ = a.StartExclusive(Exclusive{})
	_ = a.NoteJoined("i-1")
	var done []string
	for _, c := range kept {
		done = append(done, c.Do)
	}
	slices.Sort(done)
	assert.Equal(t, slices.Sorted(maps.Keys(deeds)), done)
}

func TestWhatCannotBeKeptIsNotDone(t *testing.T) {
	a, _ := newEverything(t, 1)
	full := errors.New("no space left on device")
	a.Keep(func(Change) error { return full })
	before := everythingOf(t, a)
	_, err := a.ScaleWithAdjustment(Adjustment{GroupID: "eco", Type: TotalCapacity, Value: 9})
	require.ErrorIs(t, err, full)
	require.ErrorIs(t, a.SetStock(Stock{Zone: "a", Type: "cheap", Charge: Spot}), full)
	assert.Equal(t, string(before), string(everythingOf(t, a)))
}

func TestAChangeThatCannotBeReadIsAnError(t *testing.T) {
	a, clock := newEverything(t, 1)
	ours, err := a.Redo(Change{At: clock.Now(), Do: "SetStock", With: json.RawMessage(`"much"`)})
	assert.True(t, ours)
	require.ErrorContains(t, err, "decode change SetStock of 2026-08-03T15:00:00Z")
	ours, err = a.Redo(Change{Do: "Paint"})
	assert.False(t, ours)
	assert.NoError(t, err)
}

// The token of a write that was answered before the kill is still known after it.
func TestATokenOutlivesTheKill(t *testing.T) {
	a, clock := newEverything(t, 1)
	var kept keeper
	a.Keep(kept.keep)
	write := Adjustment{GroupID: "eco", Type: TotalCapacity, Value: 9, Token: "token-1"}
	first, err := a.ScaleWithAdjustment(write)
	require.NoError(t, err)
	a = kept.again(t, clock, 1, clock.Now())
	second, err := a.ScaleWithAdjustment(write)
	require.NoError(t, err)
	assert.Equal(t, first, second)
	write.Value = 10
	_, err = a.ScaleWithAdjustment(write)
	assert.ErrorContains(t, err, "IdempotentParameterMismatch")
}
