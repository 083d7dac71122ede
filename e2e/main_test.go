package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/buildpool/buildpool/e2e/internal/binaries"
	"github.com/buildpool/buildpool/e2e/internal/testbed"
)

// run is what the tests of one `go test` share.
type run struct {
	// dir holds the state and the logs of every process.
	dir           string
	programs      binaries.Set
	buildpool     string
	emptyProvider string
	controlPlane  *testbed.ControlPlane
}

var shared run

// TestMain builds the programs and runs one control plane for all tests. The
// directory with the logs is removed only when everything has passed.
func TestMain(m *testing.M) {
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	switch {
	case shared.dir == "":
	case code == 0 && os.Getenv("BUILDPOOL_E2E_KEEP") == "":
		if err := os.RemoveAll(shared.dir); err != nil {
			fmt.Fprintln(os.Stderr, "e2e: remove logs:", err)
		}
	default:
		fmt.Fprintln(os.Stderr, "e2e: logs and state are kept in", shared.dir)
	}
	os.Exit(code)
}

func runTests(m *testing.M) (int, error) {
	began := time.Now()
	ctx, cancel := context.WithTimeout(context.Background(), 70*time.Minute)
	defer cancel()
	var err error
	if shared.dir, err = runDir(); err != nil {
		return 0, err
	}
	fmt.Fprintln(os.Stderr, "e2e: logs and state are in", shared.dir)
	if shared.programs, err = binaries.ControlPlane(ctx, "controlplane", os.Stderr); err != nil {
		return 0, err
	}
	if shared.buildpool, err = binaries.Buildpool(ctx, "..", shared.dir, os.Stderr); err != nil {
		return 0, err
	}
	if shared.emptyProvider, err = binaries.EmptyProvider(ctx, ".", shared.dir, os.Stderr); err != nil {
		return 0, err
	}
	built := time.Now()
	dir := filepath.Join(shared.dir, "control-plane")
	if err := os.Mkdir(dir, 0o755); err != nil {
		return 0, fmt.Errorf("make control plane's directory: %w", err)
	}
	if shared.controlPlane, err = testbed.Start(ctx, shared.programs, dir); err != nil {
		return 0, err
	}
	defer shared.controlPlane.Stop()
	fmt.Fprintf(os.Stderr, "e2e: programs ready in %s, control plane in %s\n",
		built.Sub(began).Round(time.Millisecond), time.Since(built).Round(time.Millisecond))
	return m.Run(), nil
}

// runDir makes the directory of this run: below BUILDPOOL_E2E_DIR, where a CI
// system may collect it, or below the system's temporary directory.
func runDir() (string, error) {
	parent := os.Getenv("BUILDPOOL_E2E_DIR")
	if parent != "" {
		if err := os.MkdirAll(parent, 0o755); err != nil {
			return "", fmt.Errorf("make BUILDPOOL_E2E_DIR: %w", err)
		}
	}
	dir, err := os.MkdirTemp(parent, "buildpool-e2e-")
	if err != nil {
		return "", fmt.Errorf("make the run's directory: %w", err)
	}
	return filepath.Abs(dir)
}
