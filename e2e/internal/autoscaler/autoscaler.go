// Package autoscaler runs the real, unchanged cluster-autoscaler (CA) against an
// externalgrpc provider, and reads its log.
//
// It must not know which provider answers.
package autoscaler

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/buildpool/buildpool/e2e/internal/process"
)

// Flags are CA's flags without their dashes.
type Flags map[string]string

// defaults make CA decide within seconds where it takes minutes by itself.
var defaults = Flags{
	"cloud-provider":                      "externalgrpc",
	"leader-elect":                        "false",
	"scan-interval":                       "1s",
	"scale-down-unneeded-time":            "6s",
	"scale-down-unready-time":             "20s",
	"scale-down-delay-after-add":          "4s",
	"unremovable-node-recheck-timeout":    "3s",
	"max-node-provision-time":             "60s",
	"node-delete-delay-after-taint":       "0s",
	"max-graceful-termination-sec":        "5",
	"skip-nodes-with-system-pods":         "false",
	"v":                                   "4",
	"balance-similar-node-groups":         "false",
	"max-scale-down-parallelism":          "10",
	"scale-down-candidates-pool-ratio":    "1",
	"expander":                            "least-waste",
	"scale-down-utilization-threshold":    "0.5",
	"initial-node-group-backoff-duration": "5m",
}

// Settings say where CA runs.
type Settings struct {
	Program string
	// Kubeconfig of the cluster, Provider the provider's gRPC address.
	Kubeconfig, Provider string
	// TLS is what CA shows to the provider and trusts; nil is plaintext.
	TLS *TLS
	// Dir receives the cloud config and the log.
	Dir string
	// Flags are added to the defaults, or take their place.
	Flags Flags
	// Timeout of a call to the provider; by default 5s, CA's own.
	Timeout string
}

// TLS are the PEM files of a cloud config.
type TLS struct{ Cert, Key, Authority string }

// Autoscaler is a running cluster-autoscaler.
type Autoscaler struct {
	*process.Process

	http string // where it serves its metrics
	spec process.Spec
}

// Adopt is a CA that somebody else has started, and that serves its metrics there.
func Adopt(started *process.Process, metrics string) *Autoscaler {
	return &Autoscaler{Process: started, http: metrics}
}

// Start starts CA and waits until it serves its health check.
func Start(ctx context.Context, s Settings) (*Autoscaler, error) {
	address, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	cloudConfig := filepath.Join(s.Dir, "cloud-config.yaml")
	if err := os.WriteFile(cloudConfig, s.cloudConfig(), 0o644); err != nil {
		return nil, fmt.Errorf("write cloud config: %w", err)
	}
	flags := maps.Clone(defaults)
	maps.Copy(flags, s.Flags)
	maps.Copy(flags, Flags{"cloud-config": cloudConfig, "kubeconfig": s.Kubeconfig, "address": address})
	var args []string
	for _, name := range slices.Sorted(maps.Keys(flags)) {
		args = append(args, "--"+name+"="+flags[name])
	}
	ca := &Autoscaler{http: address, spec: process.Spec{Name: "cluster-autoscaler", Path: s.Program, Args: args, LogDir: s.Dir}}
	if err := ca.Revive(); err != nil {
		return nil, err
	}
	if err := ca.WaitReady(ctx, ca.Healthy); err != nil {
		ca.Kill()
		return nil, err
	}
	return ca, nil
}

// Healthy says why it is not.
func (a *Autoscaler) Healthy(ctx context.Context) error {
	_, err := a.get(ctx, "/health-check")
	return err
}

// Revive starts it again after a Kill. Its log goes on.
func (a *Autoscaler) Revive() error {
	started, err := process.Start(a.spec)
	if err != nil {
		return err
	}
	a.Process = started
	return nil
}

func (s Settings) cloudConfig() []byte {
	content := fmt.Appendf(nil, "address: %q\ngrpc_timeout: %s\n", s.Provider, cmp.Or(s.Timeout, "5s"))
	if s.TLS != nil {
		content = fmt.Appendf(content, "cert: %q\nkey: %q\ncacert: %q\n", s.TLS.Cert, s.TLS.Key, s.TLS.Authority)
	}
	return content
}
