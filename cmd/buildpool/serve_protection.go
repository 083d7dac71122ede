package main

import (
	"context"
	"errors"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

const (
	// protectPeriod is how late an instance is protected after a build began on it.
	protectPeriod = 5 * time.Second
	// protectTimeout bounds one round.
	protectTimeout = 20 * time.Second
)

// protectBuilds has instances protected while builds run on them, until ctx ends. A
// replica that does not lead leaves it to the one that does.
func (s *serving) protectBuilds(ctx context.Context) {
	if s.cluster == nil {
		return
	}
	ticker := s.env.clock.NewTicker(protectPeriod)
	defer ticker.Stop()
	var complained time.Time
	for {
		if err := s.protectOnce(ctx); err != nil && ctx.Err() == nil && s.env.clock.Since(complained) >= closingComplaint {
			complained = s.env.clock.Now()
			hint := ""
			if errors.Is(err, cloudprovider.ErrForbidden) {
				hint = "allow ess:SetInstancesProtection, or switch instanceProtection off"
			}
			s.log.Warn("instances on which builds run are not protected", "error", err, "fix", hint)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		}
	}
}

func (s *serving) protectOnce(ctx context.Context) error {
	if s.election != nil && !s.election.Leading() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, protectTimeout)
	defer cancel()
	return s.provider.ProtectBuilds(ctx)
}
