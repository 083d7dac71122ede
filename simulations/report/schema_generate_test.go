package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/invopop/jsonschema"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/report"
)

var update = flag.Bool("update", false, "rewrite the schemas and the expected output under testdata")

func TestSchemasAreUpToDate(t *testing.T) {
	for _, s := range []struct {
		file, title, embedded string
		of                    any
	}{
		{"report.schema.json", "buildpool simulation report", report.Schema(), &report.Report{}},
		{"comparison.schema.json", "buildpool comparison of simulations", report.ComparisonSchema(), &report.Comparison{}},
	} {
		generated := generateSchema(t, s.file, s.title, s.of)
		if *update {
			require.NoError(t, os.WriteFile(s.file, generated, 0o644))
			continue
		}
		assert.Equal(t, string(generated), s.embedded, "run go generate in this directory")
	}
}

// generateSchema makes a schema from the types: their JSON tags give the keys and what
// is required, their comments the descriptions.
func generateSchema(t *testing.T, file, title string, of any) []byte {
	t.Helper()
	r := &jsonschema.Reflector{Mapper: mapType, AllowAdditionalProperties: true}
	// The library joins each directory to the path it is given.
	for _, in := range []string{".", "../baseline"} {
		require.NoError(t, r.AddGoComments(reflect.TypeFor[report.Report]().PkgPath(), in, jsonschema.WithFullComment()))
	}
	for name, text := range r.CommentMap {
		r.CommentMap[name] = strings.Join(strings.Fields(text), " ")
	}
	s := r.Reflect(of)
	s.ID = jsonschema.ID("https://github.com/buildpool/buildpool/simulations/report/" + file)
	s.Title = title
	if version, ok := s.Definitions["Report"].Properties.Get("version"); ok {
		version.Const = report.Version
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetIndent("", "  ")
	require.NoError(t, encoder.Encode(s))
	// The library's own marshalling escapes what HTML would trip over.
	return []byte(strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(out.String()))
}

// mapType gives the types whose Go shape is not their shape in the file.
func mapType(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[json.RawMessage]():
		return &jsonschema.Schema{Type: "object"}
	case reflect.TypeFor[[]*float64]():
		return &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{OneOf: []*jsonschema.Schema{{Type: "number"}, {Type: "null"}}}}
	case reflect.TypeFor[config.Class](), reflect.TypeFor[engine.Scheduler]():
		return &jsonschema.Schema{Type: "string"}
	}
	return nil
}
