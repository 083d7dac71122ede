package account

import (
	"encoding/json"
	"fmt"
	"time"

	"k8s.io/utils/clock"
)

// Change is one thing that was done to an account from outside: what, with what, and
// when. An account depends on nothing else but its configuration and its seed, so
// whoever keeps its changes can make it again.
type Change struct {
	// At is the account's instant at which it was done.
	At time.Time `json:"at"`
	// Do is what was done, such as RemoveInstances or SetStock.
	Do   string          `json:"do"`
	With json.RawMessage `json:"with,omitempty"`
}

// NewChange makes a change of what it was done with.
func NewChange(at time.Time, do string, with any) (Change, error) {
	data, err := json.Marshal(with)
	if err != nil {
		return Change{}, fmt.Errorf("encode change %s: %w", do, err)
	}
	return Change{At: at, Do: do, With: data}, nil
}

// Read decodes what a change was done with.
func (c Change) Read(into any) error {
	if err := json.Unmarshal(c.With, into); err != nil {
		return fmt.Errorf("decode change %s of %s: %w", c.Do, c.At.Format(time.RFC3339Nano), err)
	}
	return nil
}

// Keep has every change from now on given to keep before it takes effect, in the
// order of the effects. What cannot be kept is not done: the call returns keep's
// error. It may be called once, before the account is shared.
func (a *Account) Keep(keep func(Change) error) { a.keepChange = keep }

// enterToChange is enter for what changes the account.
func (a *Account) enterToChange(do string, with any) (leave func(), err error) {
	leave = a.enter()
	if a.keepChange == nil {
		return leave, nil
	}
	c, err := NewChange(a.now, do, with)
	if err == nil {
		err = a.keepChange(c)
	}
	if err != nil {
		leave()
		return nil, fmt.Errorf("keep change %s: %w", do, err)
	}
	return leave, nil
}

// Resume makes the account that New made at an earlier instant. Redo then brings it
// to where it was left; what has become due since happens when it is next called, at
// its own time.
func Resume(cfg Config, clock clock.PassiveClock, seed uint64, begun time.Time) (*Account, error) {
	a, err := New(cfg, standing(begun), seed)
	if err != nil {
		return nil, err
	}
	a.clock = clock
	return a, nil
}

// Redo does a change again, at its own instant. It returns false for a change that is
// not the account's. That a change was refused the first time is no error: it is
// refused again, and for the same reason. Nobody else may use the account meanwhile.
func (a *Account) Redo(c Change) (ours bool, err error) {
	redo, ours := deeds[c.Do]
	if !ours {
		return false, nil
	}
	now, keep := a.clock, a.keepChange
	a.clock, a.keepChange = standing(c.At), nil
	defer func() { a.clock, a.keepChange = now, keep }()
	return true, redo(a, c)
}

// standing is a clock that stands still.
type standing time.Time

var _ clock.PassiveClock = standing{}

func (s standing) Now() time.Time { return time.Time(s) }

func (s standing) Since(t time.Time) time.Duration { return time.Time(s).Sub(t) }
