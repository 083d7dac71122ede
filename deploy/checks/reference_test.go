package checks

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestReferenceIsFresh: the pages under docs/reference are what the program says of
// itself now.
func TestReferenceIsFresh(t *testing.T) {
	for name, page := range map[string]string{
		"cli.md":        commandsPage(t),
		"nodegroups.md": nodeGroupsPage(t),
		"metrics.md":    metricsPage(t),
	} {
		path := filepath.Join("..", "..", "docs", "reference", name)
		if *update {
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(page), 0o644))
		}
		written, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, string(written), page, "%s: run make generate", name)
	}
}

var commandLine = regexp.MustCompile(`(?m)^  ([a-z-]+) +\S`)

// commandsPage is the help of every command.
func commandsPage(t *testing.T) string {
	t.Helper()
	help, err := buildpool(t, "--help")
	require.NoError(t, err)
	_, list, _ := strings.Cut(help, "Available Commands:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	var out strings.Builder
	out.WriteString("# Commands\n\nMade of `buildpool --help` by `make generate`.\n\n```text\n" + strings.TrimSpace(help) + "\n```\n")
	for _, found := range commandLine.FindAllStringSubmatch(list, -1) {
		name := found[1]
		if name == "help" {
			continue
		}
		help, err := buildpool(t, name, "--help")
		require.NoError(t, err)
		out.WriteString("\n## buildpool " + name + "\n\n```text\n" + strings.TrimSpace(help) + "\n```\n")
	}
	return out.String()
}

type jsonSchema struct {
	Ref         string                `json:"$ref"`
	Defs        map[string]jsonSchema `json:"$defs"`
	Properties  map[string]jsonSchema
	Required    []string
	Items       *jsonSchema
	Type        any
	Enum        []any
	Description string
}

// nodeGroupsPage is a table per type of the node-group file's schema.
func nodeGroupsPage(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "..", "nodegroups", "config", "nodegroups.schema.json"))
	require.NoError(t, err)
	var schema jsonSchema
	require.NoError(t, json.Unmarshal(content, &schema))
	var out strings.Builder
	out.WriteString("# The node-group file\n\nMade of the schema that `buildpool schema` prints by `make generate`. An annotated example is [deploy/nodegroups.yaml](../../deploy/nodegroups.yaml).\n")
	names := slices.Sorted(maps.Keys(schema.Defs))
	names = slices.DeleteFunc(names, func(n string) bool { return n == "Config" })
	for _, name := range append([]string{"Config"}, names...) {
		definition := schema.Defs[name]
		if len(definition.Properties) == 0 {
			continue
		}
		fmt.Fprintf(&out, "\n## %s\n\n%s\n\n| Field | Type | |\n|---|---|---|\n", name, definition.Description)
		for _, field := range slices.Sorted(maps.Keys(definition.Properties)) {
			property := definition.Properties[field]
			required := ""
			if slices.Contains(definition.Required, field) {
				required = " (required)"
			}
			fmt.Fprintf(&out, "| `%s`%s | %s | %s |\n", field, required, typeName(property), strings.ReplaceAll(property.Description, "|", "\\|"))
		}
	}
	return out.String()
}

func typeName(s jsonSchema) string {
	switch {
	case s.Ref != "":
		name := strings.TrimPrefix(s.Ref, "#/$defs/")
		return "[" + name + "](#" + strings.ToLower(name) + ")"
	case s.Items != nil:
		return "list of " + typeName(*s.Items)
	case len(s.Enum) > 0:
		var values []string
		for _, value := range s.Enum {
			values = append(values, fmt.Sprintf("`%v`", value))
		}
		return strings.Join(values, ", ")
	case s.Type == nil:
		return ""
	}
	return fmt.Sprint(s.Type)
}

// metricsPage lists the metrics with what the code says of each.
func metricsPage(t *testing.T) string {
	t.Helper()
	var out strings.Builder
	out.WriteString("# Metrics\n\nMade of the code by `make generate`. They are served on `--http-address` under /metrics, beside those of Go's runtime and of the process.\n\n| Metric | |\n|---|---|\n")
	helps := metricHelps(t)
	for _, name := range slices.Sorted(maps.Keys(helps)) {
		fmt.Fprintf(&out, "| `%s` | %s |\n", name, strings.ReplaceAll(helps[name], "|", "\\|"))
	}
	return out.String()
}
