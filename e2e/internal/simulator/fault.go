package simulator

import (
	"context"
	"net/http"
	"time"
)

// Fault is what the simulator's admin endpoint takes: calls of an API, or of all, go
// wrong. The first one that hits a call counts.
type Fault map[string]any

// HoldAnswer lets the next call of the API take effect at once and keeps its answer
// back: the time in which a caller can die without knowing whether it was heard.
func (s *Simulator) HoldAnswer(ctx context.Context, api string, delay time.Duration) error {
	return s.Inject(ctx, Fault{"api": api, "kind": "slow", "delay": delay.String(), "count": 1, "afterEffect": true})
}

// Inject makes calls go wrong from now on.
func (s *Simulator) Inject(ctx context.Context, f Fault) error {
	return s.admin(ctx, http.MethodPost, "faults", f, nil)
}

// ClearFaults ends all injected faults.
func (s *Simulator) ClearFaults(ctx context.Context) error {
	return s.admin(ctx, http.MethodDelete, "faults", nil, nil)
}

// SetStock bounds how many instances of a type may run in a zone at once; -1 is no
// bound. Those that run go on.
func (s *Simulator) SetStock(ctx context.Context, zone, itype, charge string, count int) error {
	return s.admin(ctx, http.MethodPost, "stock", map[string]any{"zone": zone, "type": itype, "charge": charge, "count": count}, nil)
}

// Reclaim makes the spot market take an instance back after a notice.
func (s *Simulator) Reclaim(ctx context.Context, instance string, notice time.Duration) error {
	return s.admin(ctx, http.MethodPost, "reclaim", map[string]any{"instanceId": instance, "notice": notice.String()}, nil)
}
