// Package simulator runs `buildpool ess-sim`, the simulated Alibaba account whose
// instances join the cluster as nodes, and reads and steers it through its admin
// endpoint.
//
// It must not know buildpool serve nor cluster-autoscaler.
package simulator

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/buildpool/buildpool/e2e/internal/process"
)

// Settings say how to run the simulator.
type Settings struct {
	Program string
	// Config is the account file, Kubeconfig the cluster its instances join.
	Config, Kubeconfig string
	// Dir receives the log.
	Dir string
	// Args are more flags.
	Args []string
}

// Simulator is a running simulated account. It may be killed and started again on the
// same address: the account does not notice.
type Simulator struct {
	*process.Process
	// URL is its endpoint: ESS, ECS and VPC, and below /admin/ its operator's.
	URL string

	settings Settings
	address  string
	starts   int
}

// Start starts the simulator and waits until it answers.
func Start(ctx context.Context, s Settings) (*Simulator, error) {
	address, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	sim := &Simulator{URL: "http://" + address, settings: s, address: address}
	if err := sim.Revive(); err != nil {
		return nil, err
	}
	err = sim.WaitReady(ctx, func(ctx context.Context) error {
		_, err := sim.State(ctx)
		return err
	})
	if err != nil {
		sim.Kill()
		return nil, err
	}
	return sim, nil
}

// Revive starts it again after a Kill, and does not wait until it answers. Each start
// has a log of its own.
func (s *Simulator) Revive() error {
	s.starts++
	started, err := process.Start(process.Spec{
		Name: fmt.Sprintf("buildpool-ess-sim-%d", s.starts),
		Path: s.settings.Program,
		Args: append([]string{
			"ess-sim", "--config", s.settings.Config, "--listen", s.address, "--kubeconfig", s.settings.Kubeconfig,
			"--state", filepath.Join(s.settings.Dir, "ess-history.jsonl"), "--log-level", "debug",
		}, s.settings.Args...),
		LogDir: s.settings.Dir,
	})
	if err != nil {
		return err
	}
	s.Process = started
	return nil
}
