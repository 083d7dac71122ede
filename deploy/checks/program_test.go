package checks

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestMain removes the program that the tests built.
func TestMain(m *testing.M) {
	code := m.Run()
	if programDir != "" {
		_ = os.RemoveAll(programDir)
	}
	os.Exit(code)
}

var programDir string

// program is buildpool, built of this tree. It is run and not imported, so that this
// module has no part in its dependencies.
var program = sync.OnceValues(func() (string, error) {
	var err error
	if programDir, err = os.MkdirTemp("", "buildpool-checks-"); err != nil {
		return "", fmt.Errorf("make directory: %w", err)
	}
	path := filepath.Join(programDir, "buildpool")
	build := exec.Command("go", "build", "-o", path, "./cmd/buildpool")
	build.Dir = filepath.Join("..", "..")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build buildpool: %w: %s", err, output)
	}
	return path, nil
})

// buildpool runs the program and returns what it printed.
func buildpool(t *testing.T, args ...string) (string, error) {
	t.Helper()
	path, err := program()
	require.NoError(t, err)
	output, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	return string(output), err
}
