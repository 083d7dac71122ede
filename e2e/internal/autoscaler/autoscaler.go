// Package autoscaler runs the real, unchanged cluster-autoscaler (CA) against an
// externalgrpc provider, and reads its log.
//
// It must not know which provider answers.
package autoscaler

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

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
	// Dir receives the cloud config and the log.
	Dir string
	// Flags are added to the defaults, or take their place.
	Flags Flags
}

// Autoscaler is a running cluster-autoscaler.
type Autoscaler struct {
	*process.Process
}

// Start starts CA and waits until it serves its health check.
func Start(ctx context.Context, s Settings) (*Autoscaler, error) {
	address, err := process.FreeAddress()
	if err != nil {
		return nil, err
	}
	cloudConfig := filepath.Join(s.Dir, "cloud-config.yaml")
	content := fmt.Appendf(nil, "address: %q\ngrpc_timeout: 5s\n", s.Provider)
	if err := os.WriteFile(cloudConfig, content, 0o644); err != nil {
		return nil, fmt.Errorf("write cloud config: %w", err)
	}
	flags := maps.Clone(defaults)
	maps.Copy(flags, s.Flags)
	maps.Copy(flags, Flags{"cloud-config": cloudConfig, "kubeconfig": s.Kubeconfig, "address": address})
	var args []string
	for _, name := range slices.Sorted(maps.Keys(flags)) {
		args = append(args, "--"+name+"="+flags[name])
	}
	p, err := process.Start(process.Spec{Name: "cluster-autoscaler", Path: s.Program, Args: args, LogDir: s.Dir})
	if err != nil {
		return nil, err
	}
	ca := &Autoscaler{Process: p}
	if err := ca.WaitReady(ctx, func(ctx context.Context) error { return healthy(ctx, address) }); err != nil {
		ca.Kill()
		return nil, err
	}
	return ca, nil
}

func healthy(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/health-check", nil)
	if err != nil {
		return fmt.Errorf("ask for health: %w", err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask for health: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("ask for health: %s", response.Status)
	}
	return nil
}

// What CA logs (1.36 line) when it decides.
var (
	planPattern    = regexp.MustCompile(`Final scale-up plan: `)
	backoffPattern = regexp.MustCompile(`Disabling scale-up for node group `)
	loopPattern    = regexp.MustCompile(`Starting main loop`)
)

// Plans returns the log lines of CA's final scale-up plans, oldest first.
func (a *Autoscaler) Plans() ([]string, error) { return a.LogLines(planPattern) }

// Backoffs returns the log lines in which CA backs off a node group.
func (a *Autoscaler) Backoffs() ([]string, error) { return a.LogLines(backoffPattern) }

// Loops returns how many main loops CA has begun.
func (a *Autoscaler) Loops() (int, error) {
	lines, err := a.LogLines(loopPattern)
	return len(lines), err
}
