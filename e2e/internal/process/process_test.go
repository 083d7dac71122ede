package process_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/e2e/internal/process"
	"github.com/buildpool/buildpool/e2e/internal/wait"
)

func shell(t *testing.T, script string) *process.Process {
	t.Helper()
	p, err := process.Start(process.Spec{Name: "shell", Path: "/bin/sh", Args: []string{"-c", script}, LogDir: t.TempDir()})
	require.NoError(t, err)
	t.Cleanup(p.Kill)
	return p
}

func TestStopEndsTheChildrenToo(t *testing.T) {
	pidFile := filepath.Join(t.TempDir(), "pid")
	p := shell(t, "sleep 600 & echo $! > "+pidFile+".part; mv "+pidFile+".part "+pidFile+"; wait")
	var child int
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, wait.Until(ctx, "the grandchild's pid", 10*time.Millisecond, func(context.Context) error {
		data, err := os.ReadFile(pidFile)
		if err != nil {
			return err
		}
		child, err = strconv.Atoi(strings.TrimSpace(string(data)))
		return err
	}))
	p.Stop(5 * time.Second)
	assert.False(t, p.Running())
	require.NoError(t, wait.Until(ctx, "the grandchild to end", 10*time.Millisecond, func(context.Context) error {
		if ended(child) {
			return nil
		}
		return errors.New("it runs")
	}))
}

// ended also takes a zombie for ended: whoever inherits it may reap it late.
func ended(pid int) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return true
	}
	_, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/exe")
	return err != nil
}

func TestStopKillsWhatDoesNotListen(t *testing.T) {
	p := shell(t, "trap '' TERM; echo ready; while :; do sleep 1; done")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, p.WaitReady(ctx, func(context.Context) error {
		lines, err := p.LogLines(regexp.MustCompile("^ready$"))
		if err == nil && len(lines) == 0 {
			err = errors.New("it has not said so")
		}
		return err
	}))
	p.Stop(100 * time.Millisecond)
	assert.False(t, p.Running())
}

func TestWaitReadyShowsTheLogOfAProgramThatEnded(t *testing.T) {
	p := shell(t, "echo cannot bind to the port >&2; exit 3")
	err := p.WaitReady(t.Context(), func(context.Context) error { return errors.New("refused") })
	require.ErrorIs(t, err, wait.ErrStop)
	assert.ErrorContains(t, err, "exit status 3")
	assert.ErrorContains(t, err, "cannot bind to the port")
}

func TestFreePortNeverHandsOutAPortTwice(t *testing.T) {
	seen := map[int]bool{}
	for range 200 {
		port, err := process.FreePort()
		require.NoError(t, err)
		require.False(t, seen[port])
		seen[port] = true
	}
}
