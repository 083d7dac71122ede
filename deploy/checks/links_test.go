package checks

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	markdownLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading      = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	notInAnchor  = regexp.MustCompile(`[^a-z0-9 _\-\p{Han}]`)
)

// TestLinksLeadSomewhere: every link in the documentation to a file of the tree finds
// it, and its section.
func TestLinksLeadSomewhere(t *testing.T) {
	root := filepath.Join("..", "..")
	links := 0
	require.NoError(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "testdata" || d.Name() == "bin" || d.Name() == "node_modules") {
			return filepath.SkipDir
		}
		if filepath.Ext(path) != ".md" {
			return nil
		}
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, found := range markdownLink.FindAllStringSubmatch(withoutCode(string(content)), -1) {
			target := found[1]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			links++
			file, anchor, _ := strings.Cut(target, "#")
			where := path
			if file != "" {
				where = filepath.Join(filepath.Dir(path), filepath.FromSlash(file))
			}
			if _, err := os.Stat(where); !assert.NoError(t, err, "%s links to %s", path, target) || anchor == "" {
				continue
			}
			linked, err := os.ReadFile(where)
			require.NoError(t, err)
			assert.Contains(t, anchors(string(linked)), anchor, "%s links to %s", path, target)
		}
		return nil
	}))
	assert.Greater(t, links, 50)
}

// withoutCode leaves out code blocks, where brackets mean other things.
func withoutCode(text string) string {
	parts := strings.Split(text, "```")
	var out strings.Builder
	for i := 0; i < len(parts); i += 2 {
		out.WriteString(parts[i])
	}
	return out.String()
}

// anchors are the names of a page's sections, as its readers' programs make them.
func anchors(page string) []string {
	var out []string
	for _, found := range heading.FindAllStringSubmatch(withoutCode(page), -1) {
		out = append(out, strings.ReplaceAll(notInAnchor.ReplaceAllString(strings.ToLower(found[1]), ""), " ", "-"))
	}
	return out
}
