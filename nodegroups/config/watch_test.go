package config

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	clocktesting "k8s.io/utils/clock/testing"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// delivery is one call of Watch's callback: the names of the groups, or the error.
type delivery struct {
	groups string
	err    error
}

// watched runs Watch on a fake clock and collects what it delivers.
type watched struct {
	t          *testing.T
	clock      *clocktesting.FakeClock
	deliveries chan delivery
}

func watch(t *testing.T, path string, seen []byte) *watched {
	t.Helper()
	w := &watched{
		t:          t,
		clock:      clocktesting.NewFakeClock(time.Unix(0, 0)),
		deliveries: make(chan delivery, 100),
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- Watch(ctx, path, seen, w.clock, func(cfg Config, err error) {
			var names []string
			for _, g := range cfg.Groups {
				names = append(names, g.Name)
			}
			w.deliveries <- delivery{groups: strings.Join(names, ","), err: err}
		})
	}()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-done)
		assert.Empty(t, w.deliveries, "nothing more is delivered")
	})
	// The watch stands when its ticker does.
	require.Eventually(t, w.clock.HasWaiters, 10*time.Second, time.Millisecond)
	return w
}

// next steps the clock, a little at a time, until something is delivered: the
// events of the file system come when they come.
func (w *watched) next() delivery {
	w.t.Helper()
	var got delivery
	require.Eventually(w.t, func() bool {
		select {
		case got = <-w.deliveries:
			return true
		default:
			w.clock.Step(settleTime)
			return false
		}
	}, 10*time.Second, 5*time.Millisecond)
	return got
}

func fileWith(group string) []byte {
	return []byte(header + "groups:\n- {name: " + group + ", class: normal, max: 1, scalingGroup: {id: asg-a}}\n")
}

// write puts the content in place in one step, so that no test depends on a half
// written file not being looked at.
func write(t *testing.T, path string, data []byte) {
	t.Helper()
	whole := filepath.Join(t.TempDir(), "whole")
	require.NoError(t, os.WriteFile(whole, data, 0o600))
	require.NoError(t, os.Rename(whole, path))
}

func TestWatchDeliversEachChangedContent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nodegroups.yaml")
	write(t, path, fileWith("a"))
	w := watch(t, path, fileWith("a"))

	write(t, path, fileWith("b"))
	assert.Equal(t, delivery{groups: "b"}, w.next())

	write(t, path, []byte("kind: NodeGroups\n"))
	bad := w.next()
	assert.Empty(t, bad.groups)
	var problems Errors
	require.ErrorAs(t, bad.err, &problems)
	assert.Equal(t, path, problems[0].File)

	write(t, path, fileWith("b"))
	assert.Equal(t, delivery{groups: "b"}, w.next(), "good again")

	// The same content is not delivered: the next delivery is the one after it.
	write(t, path, fileWith("b"))
	w.clock.Step(recheckInterval)
	write(t, path, fileWith("c"))
	assert.Equal(t, delivery{groups: "c"}, w.next())
}

func TestWatchDeliversThePresentContentToACallerWithNone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nodegroups.yaml")
	write(t, path, fileWith("a"))
	assert.Equal(t, delivery{groups: "a"}, watch(t, path, nil).next())
}

func TestWatchDeliversWhatChangedBeforeItBegan(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nodegroups.yaml")
	write(t, path, fileWith("b"))
	assert.Equal(t, delivery{groups: "b"}, watch(t, path, fileWith("a")).next())
}

func TestWatchFollowsAnEditorsRename(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nodegroups.yaml")
	write(t, path, fileWith("a"))
	w := watch(t, path, fileWith("a"))
	for _, group := range []string{"b", "c"} {
		write(t, path+".swp", fileWith(group))
		require.NoError(t, os.Rename(path+".swp", path))
		assert.Equal(t, delivery{groups: group}, w.next())
	}
}

// A kubelet keeps a ConfigMap's files in a directory of their own, behind the link
// ..data, and changes them by renaming a new link onto it.
func TestWatchFollowsAConfigMap(t *testing.T) {
	dir := t.TempDir()
	publish := func(version, group string) {
		require.NoError(t, os.Mkdir(filepath.Join(dir, version), 0o700))
		write(t, filepath.Join(dir, version, "nodegroups.yaml"), fileWith(group))
		require.NoError(t, os.Symlink(version, filepath.Join(dir, "..data_tmp")))
		require.NoError(t, os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")))
	}
	path := filepath.Join(dir, "nodegroups.yaml")
	publish("..2026_1", "a")
	require.NoError(t, os.Symlink("..data/nodegroups.yaml", path))
	w := watch(t, path, fileWith("a"))

	publish("..2026_2", "b")
	assert.Equal(t, delivery{groups: "b"}, w.next())
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "..2026_1")))
	publish("..2026_3", "c")
	assert.Equal(t, delivery{groups: "c"}, w.next())
}

func TestWatchTellsOnceThatTheFileIsGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "nodegroups.yaml")
	write(t, path, fileWith("a"))
	w := watch(t, path, fileWith("a"))
	require.NoError(t, os.Remove(path))
	require.ErrorIs(t, w.next().err, os.ErrNotExist)
	w.clock.Step(recheckInterval)
	write(t, path, fileWith("a"))
	assert.Equal(t, delivery{groups: "a"}, w.next(), "back, even if unchanged, so that the error is known to be over")
}

// The file behind a link to another directory gives no event; it is found in time.
func TestWatchRechecksWithoutAnEvent(t *testing.T) {
	elsewhere := filepath.Join(t.TempDir(), "real.yaml")
	write(t, elsewhere, fileWith("a"))
	path := filepath.Join(t.TempDir(), "nodegroups.yaml")
	require.NoError(t, os.Symlink(elsewhere, path))
	w := watch(t, path, fileWith("a"))
	write(t, elsewhere, fileWith("b"))
	w.clock.Step(recheckInterval - time.Nanosecond)
	assert.Empty(t, w.deliveries)
	w.clock.Step(time.Nanosecond)
	assert.Equal(t, delivery{groups: "b"}, w.next())
}

func TestWatchOfAMissingDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none", "nodegroups.yaml")
	err := Watch(t.Context(), path, nil, clocktesting.NewFakeClock(time.Unix(0, 0)), func(Config, error) {
		t.Error("nothing is delivered")
	})
	require.ErrorIs(t, err, os.ErrNotExist)
}
