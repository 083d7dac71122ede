package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestManPagesSayWhatHelpSays: a page for each command, and in it every word of its
// description and its flags. Pages are written in Markdown on the way, in which a word in
// angle brackets, stars or underscores could be lost.
func TestManPagesSayWhatHelpSays(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man")
	w := world{variables: map[string]string{"SOURCE_DATE_EPOCH": "1767225600"}}
	require.Zero(t, w.run(t.Context(), "man", "--dir", dir), w.stderr.String())
	var pages int
	var check func(c *cobra.Command)
	check = func(c *cobra.Command) {
		for _, child := range c.Commands() {
			if child.IsAvailableCommand() {
				check(child)
			}
		}
		pages++
		name := strings.ReplaceAll(c.CommandPath(), " ", "-") + ".1"
		content, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		page := plain(string(content))
		assert.Contains(t, string(content), `"1" "Jan 2026"`, name)
		for _, word := range strings.Fields(plain(c.Long + " " + c.Short)) {
			assert.Contains(t, page, word, name)
		}
		c.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
			if f.Hidden {
				return
			}
			assert.Contains(t, page, "--"+f.Name, name)
			for _, word := range strings.Fields(plain(f.Usage + " " + f.DefValue)) {
				assert.Contains(t, page, word, "%s: --%s", name, f.Name)
			}
		})
	}
	check(newRootCommand(w.environment()))
	assert.Greater(t, pages, 20)
	assert.NotZero(t, w.run(t.Context(), "man"), "--dir is missing")
	w.variables["SOURCE_DATE_EPOCH"] = "yesterday"
	assert.NotZero(t, w.run(t.Context(), "man", "--dir", dir))
}

var roff = regexp.MustCompile(`\\f[BIPR]|\\&|[\\*_` + "`" + `]`)

// plain leaves of a text what Markdown and roff do not change.
func plain(text string) string { return roff.ReplaceAllString(text, "") }
