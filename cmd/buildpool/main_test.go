package main

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"
	"k8s.io/utils/clock"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

// output collects what a command writes, also while it runs.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// world is an environment under a test's control.
type world struct {
	stdout, stderr output
	variables      map[string]string
}

func (w *world) environment() environment {
	return environment{
		stdin:  strings.NewReader(""),
		stdout: &w.stdout,
		stderr: &w.stderr,
		clock:  clock.RealClock{},
		getenv: func(name string) string { return w.variables[name] },
	}
}

func (w *world) run(ctx context.Context, arguments ...string) (exitCode int) {
	return run(ctx, w.environment(), arguments)
}

func TestVersion(t *testing.T) {
	var w world
	assert.Zero(t, w.run(t.Context(), "version"))
	assert.Regexp(t, `^buildpool \S+ \(revision \S+, go\S+, \w+/\w+\)\n$`, w.stdout.String())
	assert.Empty(t, w.stderr.String())
}

func TestHelpNamesEveryCommand(t *testing.T) {
	var w world
	assert.Zero(t, w.run(t.Context(), "--help"))
	for _, command := range []string{"serve", "status", "validate", "schema", "certs", "demo", "ess-sim", "version"} {
		assert.Contains(t, w.stdout.String(), "\n  "+command+" ")
	}
}

func TestAnErrorIsPrintedOnceAndFails(t *testing.T) {
	for _, arguments := range [][]string{
		{"no-such-command"},
		{"serve", "--no-such-flag"},
		{"version", "surplus"},
		{"serve", "--simulate", "--log-level", "loud"},
	} {
		t.Run(strings.Join(arguments, " "), func(t *testing.T) {
			var w world
			assert.Equal(t, 1, w.run(t.Context(), arguments...))
			assert.Empty(t, w.stdout.String())
			assert.Equal(t, 1, strings.Count(w.stderr.String(), "\n"), w.stderr.String())
			assert.True(t, strings.HasPrefix(w.stderr.String(), "buildpool: "), w.stderr.String())
			assert.Contains(t, w.stderr.String(), arguments[len(arguments)-1])
		})
	}
}
