package statefile_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/ess/esssim/account"
	"github.com/buildpool/buildpool/ess/esssim/statefile"
)

var (
	origin = statefile.Origin{Account: "sha256:1", Seed: 7, Speed: 1}
	noon   = time.Date(2026, 8, 3, 12, 0, 0, 123456789, time.UTC)
)

func change(n int) account.Change {
	return account.Change{At: noon.Add(time.Duration(n) * time.Nanosecond), Do: "SetStock", With: json.RawMessage(fmt.Sprintf(`{"count":%d}`, n))}
}

func open(t testing.TB, path string) *statefile.File {
	t.Helper()
	f, err := statefile.Open(path, origin, noon)
	require.NoError(t, err)
	return f
}

// written is a file with so many changes, and its content.
func written(t testing.TB, changes int) (path string, content []byte) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "state.jsonl")
	f := open(t, path)
	for n := range changes {
		require.NoError(t, f.Keep(change(n)))
	}
	require.NoError(t, f.Close())
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return path, content
}

func TestWhatWasKeptIsThereAgain(t *testing.T) {
	path, _ := written(t, 3)
	f, err := statefile.Open(path, origin, noon.Add(time.Hour))
	require.NoError(t, err)
	defer f.Close()
	assert.Equal(t, noon, f.Begun(), "the account began when the file did")
	assert.Equal(t, []account.Change{change(0), change(1), change(2)}, f.Past())
	assert.Zero(t, f.Torn())

	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
}

// A kill can leave any beginning of the file. What was whole is there, the rest is
// dropped, and the file goes on.
func TestATornEndIsDropped(t *testing.T) {
	path, content := written(t, 3)
	for size := range len(content) + 1 {
		require.NoError(t, os.WriteFile(path, content[:size], 0o600))
		whole := bytes.Count(content[:size], []byte("\n"))
		f := open(t, path)
		require.Len(t, f.Past(), max(0, whole-1), "of %d bytes", size)
		require.NoError(t, f.Keep(change(99)))
		require.NoError(t, f.Close())

		f = open(t, path)
		require.Equal(t, change(99), f.Past()[len(f.Past())-1])
		require.Zero(t, f.Torn())
		require.NoError(t, f.Close())
	}
}

func TestAFileThatDoesNotFitIsRefused(t *testing.T) {
	_, content := written(t, 2)
	other := func(change func(*statefile.Origin)) statefile.Origin { o := origin; change(&o); return o }
	for says, c := range map[string]struct {
		content string
		origin  statefile.Origin
	}{
		"another account file (sha256:1, now sha256:2); remove it to begin anew": {string(content), other(func(o *statefile.Origin) { o.Account = "sha256:2" })},
		"made with seed 7, not 8":   {string(content), other(func(o *statefile.Origin) { o.Seed = 8 })},
		"made at speed 1, not 60":   {string(content), other(func(o *statefile.Origin) { o.Speed = 60 })},
		"is not a state file":       {"something of yours", origin},
		"its version is 2, want 1":  {string(bytes.Replace(content, []byte(`"version":1`), []byte(`"version":2`), 1)), origin},
		"line 1: unexpected end":    {string(content[:60]) + "\n", origin},
		"line 2: invalid character": {string(bytes.Replace(content, []byte(`{"at"`), []byte(`{at`), 1)), origin},
	} {
		path := filepath.Join(t.TempDir(), "state.jsonl")
		require.NoError(t, os.WriteFile(path, []byte(c.content), 0o600))
		_, err := statefile.Open(path, c.origin, noon)
		require.ErrorContains(t, err, says)
		after, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, c.content, string(after), "what is refused is left alone")
	}
	_, err := statefile.Open(t.TempDir(), origin, noon)
	assert.ErrorContains(t, err, "open state file")
}

func TestOneProcessAtATime(t *testing.T) {
	path, _ := written(t, 1)
	f := open(t, path)
	_, err := statefile.Open(path, origin, noon)
	require.ErrorContains(t, err, "another simulator uses it")
	require.NoError(t, f.Close())
	require.NoError(t, open(t, path).Close())
}

func TestKeepAfterCloseIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.jsonl")
	f := open(t, path)
	require.NoError(t, f.Close())
	require.Error(t, f.Keep(change(1)))
}

func TestChangesOfManyAtOnceStayWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.jsonl")
	f := open(t, path)
	var all sync.WaitGroup
	for n := range 200 {
		all.Go(func() { assert.NoError(t, f.Keep(change(n))) })
	}
	all.Wait()
	require.NoError(t, f.Close())
	assert.Len(t, open(t, path).Past(), 200)
}

func TestFingerprintIsOfWhatTheFileSays(t *testing.T) {
	of := func(text string) string {
		cfg, err := account.Parse("account.yaml", []byte(text))
		require.NoError(t, err)
		print, err := statefile.Fingerprint(cfg)
		require.NoError(t, err)
		return print
	}
	const text = "apiVersion: buildpool/v1alpha1\nkind: Account\nregion: r\naccessKeys: [{id: k, secret: s}]\nvSwitches: [{id: v, zone: z}]\ninstanceTypes: [{name: t, cpus: 1, memoryGiB: 1, pricePerHour: 1}]\n"
	assert.Equal(t, of(text), of("# a comment\n"+text))
	assert.NotEqual(t, of(text), of(text+"quotas: {instances: 3}\n"))
	assert.NotContains(t, of(text), "secret")
}

// Whatever is in a file: it is refused, or what comes after it can be read.
func FuzzOpen(f *testing.F) {
	_, content := written(f, 2)
	f.Add(content)
	f.Add(content[:len(content)-3])
	f.Add([]byte("{}\n{}\n"))
	f.Add([]byte(""))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "state.jsonl")
		require.NoError(t, os.WriteFile(path, data, 0o600))
		first, err := statefile.Open(path, origin, noon)
		if err != nil {
			return
		}
		require.NoError(t, first.Keep(change(1)))
		require.NoError(t, first.Close())
		second := open(t, path)
		defer second.Close()
		require.Len(t, second.Past(), len(first.Past())+1)
	})
}
