package workload

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// update rewrites the goldens: go test ./simulations/workload -run TestImports -update.
var update = flag.Bool("update", false, "write what the importers make of the exports")

// imports are the formats that need a mapping.
var imports = []Format{Columns, Jenkins, GitLab, GitHub, Tekton, Kubernetes, Prometheus}

func exampleMapping(t testing.TB, f Format) *Mapping {
	t.Helper()
	text, err := ExampleMapping(f)
	require.NoError(t, err)
	m, err := ParseMapping(string(f)+".yaml", []byte(text))
	require.NoError(t, err)
	return m
}

func exportOf(t testing.TB, f Format) (string, []byte) {
	t.Helper()
	name := string(f) + ".json"
	if f == Columns {
		name = "columns.csv"
	}
	text, err := os.ReadFile(filepath.Join("testdata", "exports", name))
	require.NoError(t, err)
	return name, text
}

// Each export with the example mapping of its format: the trace, what was dropped and
// why, and what a strict reading says.
func TestImports(t *testing.T) {
	for _, f := range imports {
		t.Run(string(f), func(t *testing.T) {
			name, text := exportOf(t, f)
			o := Options{Format: f, Mapping: exampleMapping(t, f), SkipBad: true}
			trace, dropped, err := Read(name, bytes.NewReader(text), o)
			require.NoError(t, err)
			var got bytes.Buffer
			require.NoError(t, Write(&got, trace, CSV))
			fmt.Fprintf(&got, "\n%d dropped\n", dropped.Count)
			for _, r := range dropped.Reasons {
				fmt.Fprintf(&got, "%d × %s: %s\n", r.Count, r.Text, r.First)
			}
			o.SkipBad = false
			_, _, err = Read(name, bytes.NewReader(text), o)
			fmt.Fprintf(&got, "\nstrict:\n%v\n", err)

			golden := filepath.Join("testdata", "exports", string(f)+".golden")
			if *update {
				require.NoError(t, os.WriteFile(golden, got.Bytes(), 0o600))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), got.String(), "-update rewrites the golden; say why it changed")
		})
	}
}
