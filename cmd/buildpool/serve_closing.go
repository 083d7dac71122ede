package main

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/buildpool/buildpool/cluster"
	reclaims "github.com/buildpool/buildpool/nodegroups/spot"
)

const (
	// closingPeriod is how late nodes are closed after we know that they are to be, and
	// closingTimeout bounds one round.
	closingPeriod  = 5 * time.Second
	closingTimeout = 10 * time.Second
	// closingComplaint is how often it is said that nodes cannot be closed.
	closingComplaint = 10 * time.Minute
)

// keepClosed closes the nodes of instances that the cloud may take back to new builds,
// until ctx ends. A replica that does not lead leaves it to the one that does.
func (s *serving) keepClosed(ctx context.Context) {
	if s.cluster == nil || s.flags.dryRun {
		return
	}
	closer := cluster.NewCloser(s.client, s.cluster, s.events, s.log)
	ticker := s.env.clock.NewTicker(closingPeriod)
	defer ticker.Stop()
	var complained time.Time
	for {
		if err := s.closeNodes(ctx, closer); err != nil && ctx.Err() == nil && s.env.clock.Since(complained) >= closingComplaint {
			complained = s.env.clock.Now()
			hint := ""
			if apierrors.IsForbidden(err) {
				hint = "allow patching nodes and pods (the chart's cluster.cordonNodes)"
			}
			s.log.Warn("nodes of spot instances are not closed to new builds", "error", err, "fix", hint)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		}
	}
}

func (s *serving) closeNodes(ctx context.Context, closer *cluster.Closer) error {
	if s.election != nil && !s.election.Leading() {
		return nil
	}
	found, open := s.provider.Closings()
	if len(found)+len(open) == 0 {
		return nil
	}
	isBuild, err := s.provider.Builds()
	if err != nil {
		return err
	}
	closing := make(map[string]cluster.Closing, len(found))
	for id, c := range found {
		closing[id] = cluster.Closing{Group: c.Group, Why: string(c.Why), Reclaimed: c.Why == reclaims.Noticed, Since: c.Since}
	}
	ctx, cancel := context.WithTimeout(ctx, closingTimeout)
	defer cancel()
	return closer.Keep(ctx, closing, open, isBuild)
}
