package esssim

import (
	"fmt"
	"time"

	"github.com/buildpool/buildpool/ess/esssim/account"
)

// History keeps what was done to a simulator, so that one that was killed goes on
// where it was. It must be safe for concurrent use.
type History interface {
	// Begun is when the account began, on its own clock.
	Begun() time.Time
	// Past is what was done to it since, in order.
	Past() []account.Change
	// Keep adds a change. It returns when the change would outlive the process; an
	// error means that it would not, and then it is not done.
	Keep(account.Change) error
}

// The changes that are the wire face's; all others are the account's.
const (
	doStart          = "Start" // of a process
	doInjectFault    = "InjectFault"
	doClearFaults    = "ClearFaults"
	doStrike         = "Strike"
	doIssueKey       = "IssueKey"
	doSetPermissions = "SetPermissions"
)

// strike is a call that a fault may have hit.
type strike struct {
	API    string            `json:"api"`
	Params map[string]string `json:"params"`
}

// issuing is STS making a temporary key.
type issuing struct {
	Now  time.Time     `json:"now"`
	Life time.Duration `json:"life"`
}

// keep keeps one change; nil keeps nothing.
type keep func(do string, with any) error

func (k keep) change(do string, with any) error {
	if k == nil {
		return nil
	}
	if err := k(do, with); err != nil {
		return fmt.Errorf("keep change %s: %w", do, err)
	}
	return nil
}

// newAccount makes the account as it began.
func newAccount(o Options) (*account.Account, error) {
	if o.History == nil {
		return account.New(o.Config, o.Clock, o.Seed)
	}
	return account.Resume(o.Config, o.Clock, o.Seed, o.History.Begun())
}

// resume does again what was done before, and has the history kept from now on.
// Faults, keys and the account have chance of their own, so that the order in which
// they were kept is right for each of them, whatever ran at the same time.
//
// What belongs to a process and not to an account begins anew: the transcript, the
// windows of the rate limits, the nonces that were seen, and the request IDs, which
// come from another stream of chance with every start.
func (s *Simulator) resume(h History, seed uint64) error {
	starts := uint64(0)
	for n, c := range h.Past() {
		if c.Do == doStart {
			starts++
			continue
		}
		if err := s.redo(c); err != nil {
			return fmt.Errorf("resume simulated account: change %d: %w", n+1, err)
		}
	}
	s.requests = newRequestIDs(seed, starts)
	s.account.Keep(h.Keep)
	keep := func(do string, with any) error {
		c, err := account.NewChange(s.clock.Now(), do, with)
		if err != nil {
			return err
		}
		return h.Keep(c)
	}
	s.faults.keep, s.keys.keep = keep, keep
	if err := s.faults.keep.change(doStart, nil); err != nil {
		return fmt.Errorf("resume simulated account: %w", err)
	}
	return nil
}

// redo does one change again. As with the account's, a refusal is no error.
func (s *Simulator) redo(c account.Change) error {
	switch c.Do {
	case doInjectFault:
		return redo(c, func(f Fault) { _ = s.faults.add(f) })
	case doClearFaults:
		return s.faults.clear()
	case doStrike:
		return redo(c, func(x strike) { _, _, _ = s.faults.strike(x.API, x.Params) })
	case doIssueKey:
		return redo(c, func(x issuing) { _, _ = s.keys.issue(x.Now, x.Life) })
	case doSetPermissions:
		return redo(c, func(p Permissions) { _ = s.keys.permit(p) })
	}
	ours, err := s.account.Redo(c)
	if err == nil && !ours {
		err = fmt.Errorf("%q is unknown", c.Do)
	}
	return err
}

func redo[T any](c account.Change, do func(T)) error {
	var with T
	if err := c.Read(&with); err != nil {
		return err
	}
	do(with)
	return nil
}
