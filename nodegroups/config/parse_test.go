package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func yamlFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	return files
}

// TestBadFiles holds the errors of each file in testdata/bad against the text that
// stands next to it. Rewrite with -update.
func TestBadFiles(t *testing.T) {
	for _, file := range yamlFiles(t, "testdata/bad") {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			cfg, err := Parse(filepath.Base(file), data)
			var problems Errors
			require.ErrorAs(t, err, &problems)
			assert.NotEmpty(t, problems)
			assert.Empty(t, cfg.Groups, "a bad file gives no configuration")
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(err.Error()+"\n"), 0o644))
				return
			}
			want, readErr := os.ReadFile(golden)
			require.NoError(t, readErr)
			assert.Equal(t, string(want), err.Error()+"\n")
			assertWellFormed(t, data, problems)
		})
	}
}

// assertWellFormed holds what is true of every problem: it names a place that
// exists, says something, and fits on one line.
func assertWellFormed(t require.TestingT, data []byte, problems Errors) {
	lines := bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte("\r")) + 1
	for _, p := range problems {
		assert.GreaterOrEqual(t, p.Line, 1)
		assert.LessOrEqual(t, p.Line, lines+1, "%s", p)
		assert.GreaterOrEqual(t, p.Column, 1)
		assert.NotEmpty(t, p.Message)
		assert.NotEmpty(t, p.Fix, "%s", p)
		assert.NotContains(t, p.String(), "\n")
	}
}

func TestGoodFiles(t *testing.T) {
	for _, file := range append(yamlFiles(t, "testdata/good"), "../../deploy/nodegroups.yaml") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			cfg, err := Load(file)
			require.NoError(t, err)
			for _, g := range cfg.Groups {
				assert.Equal(t, string(g.Class), g.Labels["buildpool.io/class"])
			}
		})
	}
}

func TestLoadOfAMissingFile(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "none.yaml"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestSizeLimitIsExact(t *testing.T) {
	data, err := os.ReadFile("testdata/good/minimal.yaml")
	require.NoError(t, err)
	fill := func(n int) []byte {
		return append(append([]byte{}, data...), "#"+strings.Repeat("x", n-len(data)-1)...)
	}
	_, err = Parse("f", fill(maxFileSize))
	require.NoError(t, err)
	_, err = Parse("f", fill(maxFileSize+1))
	require.EqualError(t, err, "f:1:1: the file has 1048577 bytes, more than 1048576; split it")
}

// A file of a few lines must not expand to more than memory holds.
func TestExpansionIsBounded(t *testing.T) {
	var file strings.Builder
	file.WriteString("apiVersion: buildpool/v1alpha1\nkind: NodeGroups\nregion: cn-hangzhou\ngroups:\n- name: a\n  class: normal\n  max: 1\n  scalingGroup: {id: asg-a}\n")
	file.WriteString("  taints:\n  - &t0 {key: k, effect: NoSchedule}\n")
	for i := range 30 {
		fmt.Fprintf(&file, "  - &t%d {<<: [*t%d, *t%d]}\n", i+1, i, i)
	}
	_, err := Parse("f", []byte(file.String()))
	require.ErrorContains(t, err, "the anchors and merge keys expand to more than 200000 values")
}

func TestErrorsRepeatNoSecret(t *testing.T) {
	data := "apiVersion: buildpool/v1alpha1\nkind: aB3aB3aB3aB3aB3aB3aB3aB3aB3aB3\nregion: LTAI5tAbCdEfGhIjKlMnOpQr\nLTAI5tKeyKeyKeyKey: x\naccount: {accessKeySecret: &k [one-two-three]}\ngroups: *k\n"
	_, err := Parse("f", []byte(data))
	var problems Errors
	require.True(t, errors.As(err, &problems))
	text := err.Error()
	assert.NotContains(t, text, "LTAI5t")
	assert.NotContains(t, text, "aB3aB3")
	assert.NotContains(t, text, "one-two-three")
	assert.Contains(t, text, keyFound)
}

func TestLocate(t *testing.T) {
	data := []byte(header + "groups:\n- name: a\n  labels: {a: b}\n")
	for _, test := range []struct {
		field        string
		line, column int
	}{
		{"region", 3, 9},
		{"groups[0].name", 5, 9},
		{"groups[0].labels[a]", 6, 15},
		{"groups[0].labels[c.d/e]", 6, 11},
		{"groups[0].max", 5, 3},
		{"groups[7].max", 5, 1},
		{"", 1, 1},
		{"nowhere", 1, 1},
	} {
		line, column := Locate(data, test.field)
		assert.Equal(t, [2]int{test.line, test.column}, [2]int{line, column}, test.field)
	}
	line, column := Locate(nil, "region")
	assert.Equal(t, [2]int{1, 1}, [2]int{line, column})
}
