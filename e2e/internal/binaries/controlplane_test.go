package binaries_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/e2e/internal/binaries"
)

// fakeModule has programs of the right names that do nothing, in no time.
func fakeModule(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	module := "module example.invalid/controlplane\n\ngo 1.26.0\n"
	for _, name := range []string{"server", "kube-apiserver", "kube-scheduler", "kube-controller-manager", "kwok", "cluster-autoscaler"} {
		module += fmt.Sprintf("\ntool example.invalid/controlplane/%s\n", name)
		require.NoError(t, os.Mkdir(filepath.Join(dir, name), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(dir, name, "main.go"), []byte("package main\n\nfunc main() {}\n"), 0o644))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte(module), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "go.sum"), nil, 0o644))
	return dir
}

func TestControlPlaneIsBuiltOnce(t *testing.T) {
	cache, module := t.TempDir(), fakeModule(t)
	t.Setenv("BUILDPOOL_E2E_CACHE", cache)
	// What a build that was killed leaves behind must not be taken for a good one,
	// and goes after a day.
	old, young := filepath.Join(cache, ".building-old"), filepath.Join(cache, ".building-young")
	require.NoError(t, os.Mkdir(old, 0o755))
	require.NoError(t, os.Mkdir(young, 0o755))
	yesterday := time.Now().Add(-25 * time.Hour)
	require.NoError(t, os.Chtimes(old, yesterday, yesterday))

	var progress bytes.Buffer
	first, err := binaries.ControlPlane(t.Context(), module, &progress)
	require.NoError(t, err, progress.String())
	assert.FileExists(t, first.Etcd)
	assert.NoDirExists(t, old)
	assert.DirExists(t, young)
	left, err := filepath.Glob(filepath.Join(cache, ".building-*"))
	require.NoError(t, err)
	assert.Equal(t, []string{young}, left, "a finished build leaves nothing aside")

	progress.Reset()
	second, err := binaries.ControlPlane(t.Context(), module, &progress)
	require.NoError(t, err)
	assert.Equal(t, first, second)
	assert.Empty(t, progress.String(), "nothing was built")

	require.NoError(t, os.WriteFile(filepath.Join(module, "go.sum"), []byte("\n"), 0o644))
	third, err := binaries.ControlPlane(t.Context(), module, &progress)
	require.NoError(t, err)
	assert.NotEqual(t, first, third, "another go.sum is another build")
}

// An autoscaler's module of its own is another build, which the change of a third one
// leaves alone.
func TestAutoscalerIsBuiltOnce(t *testing.T) {
	t.Setenv("BUILDPOOL_E2E_CACHE", t.TempDir())
	older, newer := fakeModule(t), fakeModule(t)
	require.NoError(t, os.WriteFile(filepath.Join(newer, "go.sum"), []byte("\n"), 0o644))
	var progress bytes.Buffer
	first, err := binaries.Autoscaler(t.Context(), older, &progress)
	require.NoError(t, err, progress.String())
	assert.FileExists(t, first)
	second, err := binaries.Autoscaler(t.Context(), newer, &progress)
	require.NoError(t, err, progress.String())
	assert.NotEqual(t, first, second)

	require.NoError(t, os.WriteFile(filepath.Join(newer, "go.sum"), []byte("\n\n"), 0o644))
	progress.Reset()
	again, err := binaries.Autoscaler(t.Context(), older, &progress)
	require.NoError(t, err)
	assert.Equal(t, first, again)
	assert.Empty(t, progress.String(), "nothing was built")
}

func TestControlPlaneThatDoesNotBuildIsNotCached(t *testing.T) {
	cache, module := t.TempDir(), fakeModule(t)
	t.Setenv("BUILDPOOL_E2E_CACHE", cache)
	broken := filepath.Join(module, "kwok", "main.go")
	require.NoError(t, os.WriteFile(broken, []byte("package main\n\nfunc main() { undefined() }\n"), 0o644))

	var progress bytes.Buffer
	_, err := binaries.ControlPlane(t.Context(), module, &progress)
	require.Error(t, err)
	assert.Contains(t, progress.String(), "undefined")
	entries, err := os.ReadDir(cache)
	require.NoError(t, err)
	assert.Empty(t, entries)
}
