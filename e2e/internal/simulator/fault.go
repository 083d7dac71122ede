package simulator

import (
	"context"
	"net/http"
	"time"
)

// HoldAnswer lets the next call of the API take effect at once and keeps its answer
// back: the time in which a caller can die without knowing whether it was heard.
func (s *Simulator) HoldAnswer(ctx context.Context, api string, delay time.Duration) error {
	return s.admin(ctx, http.MethodPost, "faults", map[string]any{
		"api": api, "kind": "slow", "delay": delay.String(), "count": 1, "afterEffect": true,
	}, nil)
}
