package main

import (
	"context"
	"errors"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/overflow/controller"
)

// openOverflow prepares the mover where --overflow asks for it.
func (s *serving) openOverflow() (err error) {
	if !s.flags.overflow {
		return nil
	}
	if s.cluster == nil {
		return errors.New("--overflow needs a watched cluster: give --kubeconfig, or run in a pod with a service account, and do not set --watch-cluster=never")
	}
	var leading func() bool
	if s.election != nil {
		leading = s.election.Leading
	}
	s.mover, err = newMover(moverSettings{
		env: s.env, restConfig: s.restConfig, cache: s.cluster, events: s.events, overflow: s.file.config.Overflow,
		groups:  func(context.Context) ([]controller.Group, error) { return overflowGroups(s.report()) },
		leading: leading, registerer: s.metrics, log: s.log,
	})
	return err
}

// overflowBuilds moves builds to virtual nodes until ctx ends.
func (s *serving) overflowBuilds(ctx context.Context) {
	if s.mover != nil {
		s.mover.run(ctx)
	}
}

// reload takes a changed node-group file over.
func (s *serving) reload(cfg config.Config) {
	s.provider.Reload(cfg)
	if s.mover != nil {
		s.mover.reload(cfg)
	}
}
