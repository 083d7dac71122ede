package config

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
	"k8s.io/utils/clock"
)

const (
	// settleTime is how long a directory must be quiet before the file is read: an
	// editor writes in several steps, a ConfigMap is swapped in three.
	settleTime = 100 * time.Millisecond
	// recheckInterval finds what no event tells: a changed file behind a symbolic
	// link to another directory, a network file system, a directory made anew.
	recheckInterval = 30 * time.Second
)

// Watch follows the file at path until ctx ends, then returns nil. Each time its
// content becomes other than before, deliver is called with what Parse makes of
// it, one call after the other; the caller keeps its last good configuration when
// the error is not nil. A file that goes away is delivered once, as an error.
//
// seen is the content the caller already has; with nil the present content is
// delivered first. Watch fails at once if the file's directory cannot be watched.
func Watch(ctx context.Context, path string, seen []byte, clk clock.WithTicker, deliver func(Config, error)) error {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watch node groups: %w", err)
	}
	defer func() { _ = watcher.Close() }() // nothing can be done about a failed close
	// The directory, not the file: a rename onto the file, and the swap of the
	// symbolic link above a ConfigMap's files, give the file itself no event.
	dir := filepath.Dir(path)
	if err := watcher.Add(dir); err != nil {
		return fmt.Errorf("watch node groups in %s: %w", dir, err)
	}
	f := follower{path: path, seen: seen, deliver: deliver}
	f.look() // what changed between the caller's reading and the watch
	recheck := clk.NewTicker(recheckInterval)
	defer recheck.Stop()
	settled := clk.NewTimer(settleTime)
	settled.Stop() // armed by the first event
	defer settled.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-watcher.Events:
			settled.Reset(settleTime)
		case _, open := <-watcher.Errors:
			if !open {
				return fmt.Errorf("watch node groups in %s: the watch ended", dir)
			}
			// Events were lost, so the file may have changed.
			settled.Reset(settleTime)
		case <-settled.C():
			f.look()
		case <-recheck.C():
			// Watching anew is harmless, and needed if the directory was replaced. If
			// it is away, reading the file says so.
			_ = watcher.Add(dir)
			f.look()
		}
	}
}

// follower remembers the last content of a file.
type follower struct {
	path    string
	seen    []byte
	gone    bool
	deliver func(Config, error)
}

// look reads the file and delivers it if it changed.
func (f *follower) look() {
	data, err := os.ReadFile(f.path)
	if err != nil {
		if !f.gone {
			f.gone = true
			f.deliver(Config{}, fmt.Errorf("read node groups: %w", err))
		}
		return
	}
	back := f.gone
	f.gone = false
	if f.seen != nil && bytes.Equal(data, f.seen) && !back {
		return
	}
	f.seen = data
	f.deliver(Parse(f.path, data))
}
