package checks

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestPagesSayWhatWasNeverRun: every page that tells what to do on a cloud account says
// whether anybody did.
func TestPagesSayWhatWasNeverRun(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join("..", "..", "docs", "how-to", "*.md"))
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	pages = append(pages, filepath.Join("..", "..", "docs", "image-builds.md"), filepath.Join("..", "terraform", "README.md"))
	for _, page := range pages {
		content, err := os.ReadFile(page)
		require.NoError(t, err)
		assert.Regexp(t, `(?m)^\| verified on cloud \| `, string(content), page)
	}
}
