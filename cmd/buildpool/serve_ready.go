package main

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/nodegroups"
)

// readiness judges whether the answers can be relied on: the account has been read,
// and not too long ago. The RPCs are answered either way.
type readiness struct {
	status func() nodegroups.Status
	clock  clock.PassiveClock
	maxAge time.Duration
	// stopping is set once the process is on its way out.
	stopping atomic.Bool
	// standby says why another replica answers; nil: there is none.
	standby func() string
	// standbyReady says that a replica that stands by is ready for a probe: the Service
	// finds the leader otherwise.
	standbyReady bool
}

// probe says why /readyz is not ready; it is empty when it is.
func (r *readiness) probe() string {
	if r.standbyReady && !r.stopping.Load() && r.standby() != "" {
		return ""
	}
	return r.notReady()
}

// notReady says why the server is not ready; it is empty when it is.
func (r *readiness) notReady() string {
	if r.stopping.Load() {
		return "stopping"
	}
	if r.standby != nil {
		if why := r.standby(); why != "" {
			return why
		}
	}
	status := r.status()
	why := ""
	switch age := r.clock.Since(status.Taken); {
	case !status.Ready:
		why = "the account has not been read yet"
		if !status.ReadingSince.IsZero() {
			why += fmt.Sprintf(", a reading has been under way for %v", r.clock.Since(status.ReadingSince).Truncate(time.Second))
		}
	case age >= r.maxAge:
		why = fmt.Sprintf("the last good reading of the account is %v old", age.Truncate(time.Second))
	default:
		return ""
	}
	if status.LastError != "" {
		why += ": " + status.LastError
	}
	return why
}

// readyPeriod is how late the health service may follow.
const readyPeriod = time.Second

// follow keeps the health service in step with readiness until ctx ends.
func (r *readiness) follow(ctx context.Context, ticks clock.WithTicker, log *slog.Logger, setServing func(bool)) {
	ticker := ticks.NewTicker(readyPeriod)
	defer ticker.Stop()
	ready := false
	for {
		why := r.notReady()
		if now := why == ""; now != ready {
			ready = now
			setServing(ready)
			logReadiness(log, why)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		}
	}
}

func logReadiness(log *slog.Logger, why string) {
	if why == "" {
		log.Info("ready")
		return
	}
	log.Warn("not ready", "reason", why)
}
