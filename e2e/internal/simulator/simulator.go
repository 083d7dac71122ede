// Package simulator runs `buildpool ess-sim`, the simulated Alibaba account whose
// instances join the cluster as nodes, and reads and steers it through its admin
// endpoint.
//
// It must not know buildpool serve nor cluster-autoscaler.
package simulator

import (
	"context"

	"github.com/buildpool/buildpool/e2e/internal/process"
)

// Settings say how to run the simulator.
type Settings struct {
	Program string
	// Config is the account file, Kubeconfig the cluster its instances join.
	Config, Kubeconfig string
	// Dir receives the log.
	Dir string
}

// Simulator is a running simulated account.
type Simulator struct {
	*process.Process
	// URL is its endpoint: ESS, ECS and VPC, and below /admin/ its operator's.
	URL string
}

// Start starts the simulator and waits until it answers.
func Start(ctx context.Context, s Settings) (*Simulator, error) {
	address, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	p, err := process.Start(process.Spec{
		Name:   "buildpool-ess-sim",
		Path:   s.Program,
		Args:   []string{"ess-sim", "--config", s.Config, "--listen", address, "--kubeconfig", s.Kubeconfig, "--log-level", "debug"},
		LogDir: s.Dir,
	})
	if err != nil {
		return nil, err
	}
	sim := &Simulator{Process: p, URL: "http://" + address}
	err = p.WaitReady(ctx, func(ctx context.Context) error {
		_, err := sim.State(ctx)
		return err
	})
	if err != nil {
		p.Kill()
		return nil, err
	}
	return sim, nil
}
