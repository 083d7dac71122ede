package nodegroups

import (
	"errors"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

// troubleTime is for how long a group's last error is shown.
const troubleTime = 24 * time.Hour

// GroupError is something that went wrong with a group.
type GroupError struct {
	Message string
	At      time.Time
}

// note remembers why a write of a group failed. What the caller asked wrongly is the
// caller's trouble and not the group's.
func (p *Provider) note(groupID string, err error) {
	if err == nil || errors.Is(err, cloudprovider.ErrInvalidArgument) || errors.Is(err, cloudprovider.ErrNotReady) {
		return
	}
	if errors.Is(err, cloudprovider.ErrDryRun) {
		p.refusedWrite(groupID, err)
		return
	}
	now := p.Clock.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if m := p.members[groupID]; m != nil {
		p.refusedWrite(groupID, err)
		m.failedWrite = GroupError{Message: err.Error(), At: now}
	}
}

// lastTrouble is the latest of a group's troubles: a reading or a write that failed,
// or what its health remembers. The caller holds mu.
func (m *member) lastTrouble(now time.Time) GroupError {
	h := m.state.health.Health
	latest := GroupError{}
	for _, e := range []GroupError{
		{Message: "the cloud took a spot instance back", At: h.Reclaimed.At},
		{Message: coded("throttled", h.Throttled.Code), At: h.Throttled.At},
		{Message: m.described("an instance could not be created", h.Failed.Code), At: h.Failed.At},
		{Message: m.described("out of stock", h.OutOfStock.Code), At: h.OutOfStock.At},
		m.failedRead,
		m.failedWrite,
	} {
		if !e.At.IsZero() && !e.At.Before(latest.At) && now.Sub(e.At) < troubleTime {
			latest = e
		}
	}
	return latest
}

// described adds the cloud's own words for a failure, where a placeholder still has
// them.
func (m *member) described(what, code string) string {
	for _, p := range m.state.placeholders {
		if p.failure.Code == code && p.failure.Message != "" {
			return coded(what, code) + ": " + p.failure.Message
		}
	}
	return coded(what, code)
}

func coded(what, code string) string {
	if code == "" {
		return what
	}
	return what + ": " + code
}
