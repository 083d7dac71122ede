package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// compatibilityRow is what a run of TestEveryAutoscaler proved of one release.
type compatibilityRow struct{ release, version, dialect, options string }

// compatibility is docs/compatibility.md, as a run would write it.
type compatibility []compatibilityRow

// published is the table in the documentation.
const published = "../docs/compatibility.md"

// updating says that what a run finds is to be written into the documentation.
func updating() bool { return os.Getenv("BUILDPOOL_E2E_UPDATE") != "" }

var moduleVersion = regexp.MustCompile(`(?m)^\s*(?:require )?k8s\.io/autoscaler/cluster-autoscaler (v\S+)`)

func (r release) row(t *testing.T) compatibilityRow {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(r.module, "go.mod"))
	require.NoError(t, err)
	version := moduleVersion.FindSubmatch(content)
	require.NotNil(t, version, "%s pins no cluster-autoscaler", r.module)
	options := "in force"
	if r.withheld != "" {
		options = "withheld: `" + r.withheld + "`"
	}
	return compatibilityRow{release: r.name, version: string(version[1]), dialect: r.dialect, options: options}
}

// checkPublished compares the table with the documentation's, or writes it there.
// After a run of some releases only their rows are compared.
func (c compatibility) checkPublished(t *testing.T) {
	t.Helper()
	if updating() {
		require.Len(t, c, len(releases), "only a run of every release may write the table")
		require.NoError(t, os.WriteFile(published, []byte(c.markdown()), 0o644))
		return
	}
	content, err := os.ReadFile(published)
	require.NoError(t, err)
	const how = "%s is not what this run proved: run it with BUILDPOOL_E2E_UPDATE=1"
	if len(c) == len(releases) {
		assert.Equal(t, c.markdown(), string(content), how, published)
		return
	}
	for _, row := range c {
		assert.Contains(t, string(content), row.markdown(), how, published)
	}
}

func (r compatibilityRow) markdown() string {
	return fmt.Sprintf("| %s | `%s` | `%s` | passes | equals the node that joins | %s |\n", r.release, r.version, r.dialect, r.options)
}

func (c compatibility) markdown() string {
	var rows strings.Builder
	for _, row := range c {
		rows.WriteString(row.markdown())
	}
	return fmt.Sprintf(compatibilityPage, rows.String())
}

const compatibilityPage = `# Compatibility with cluster-autoscaler

Written by a run of the end-to-end tests; ` + "`make e2e`" + ` fails if it is not what the run proved.
To write it again: ` + "`BUILDPOOL_E2E_UPDATE=1 go -C e2e test -count=1 -run TestEveryAutoscaler .`" + `

Each release is the real, unchanged program, on a Kubernetes 1.36 control plane. *Zero, n, zero*: builds wait on
empty groups, the right groups grow, the builds run, and when they are done the last node goes; without a panic and
without an error or a warning in the autoscaler's log that names its provider. *Template*: what it reckons with when
it scales a group up from zero. *Options*: of a group that sets some, seen from how long the autoscaler then leaves
its nodes unneeded; why they are withheld from some is in [dialects.md](dialects.md).

| cluster-autoscaler | its Go module | wire dialect | zero, n, zero | template | options of a group |
|---|---|---|---|---|---|
%s
Two dialects are tested by recorded bytes, as no Go module of their releases can be had: 1.34.2 to the last 1.34
(` + "`1.34.2-1.34.x`" + `), and 1.35 (` + "`1.35+`" + `, the dialect of the 1.36 line above). See
` + "`go test ./grpcserver/dialect`" + `.
`
