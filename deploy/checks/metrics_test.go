package checks

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	promql "github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// autoscalerMetrics are those of cluster-autoscaler that alerts and dashboard use, by
// the names in its code (metrics/metrics.go of the 1.36 line).
var autoscalerMetrics = []string{
	"cluster_autoscaler_failed_scale_ups_total",
	"cluster_autoscaler_function_duration_seconds",
	"cluster_autoscaler_nodes_count",
	"cluster_autoscaler_unschedulable_pods_count",
}

// metricHelps are the metrics that the program registers, and what it says of each: the
// text that follows the name in its code.
func metricHelps(t *testing.T) map[string]string {
	t.Helper()
	helps := map[string]string{}
	root := filepath.Join("..", "..")
	for _, dir := range []string{"cmd", "ess", "grpcserver", "nodegroups", "cluster"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
			if err != nil {
				return fmt.Errorf("parse %s: %w", path, err)
			}
			named := ""
			ast.Inspect(parsed, func(n ast.Node) bool {
				literal, ok := n.(*ast.BasicLit)
				if !ok || literal.Kind != token.STRING {
					return true
				}
				text, err := strconv.Unquote(literal.Value)
				switch {
				case err != nil:
				case metricName.MatchString(text):
					named, helps[text] = text, ""
				case named != "":
					helps[named], named = strings.TrimSuffix(text, ": "), ""
				}
				return true
			})
			return nil
		}))
	}
	return helps
}

var metricName = regexp.MustCompile(`^buildpool_[a-z_]+$`)

// metricsOf are the metrics that an expression reads. A histogram's series count as the
// histogram.
func metricsOf(t *testing.T, expr string) []string {
	t.Helper()
	for _, variable := range []string{"$__rate_interval", "$job", "$node_group"} {
		replacement := ".*"
		if variable == "$__rate_interval" {
			replacement = "5m"
		}
		expr = strings.ReplaceAll(expr, variable, replacement)
	}
	parsed, err := promql.NewParser(promql.Options{}).ParseExpr(expr)
	require.NoError(t, err, expr)
	var names []string
	promql.Inspect(parsed, func(node promql.Node, _ []promql.Node) error {
		if selector, ok := node.(*promql.VectorSelector); ok {
			names = append(names, strings.TrimSuffix(selector.Name, "_bucket"))
		}
		return nil
	})
	return names
}

type dashboard struct {
	Panels []struct {
		ID      int
		Title   string
		Type    string
		Targets []struct{ Expr string }
	}
}

// expressions are everything that alerts and dashboard ask Prometheus, by where.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, rule := range alertRules(t) {
		out["alert "+rule.Alert] = rule.Expr
	}
	content, err := os.ReadFile(filepath.Join(chartDir, "files", "dashboard.json"))
	require.NoError(t, err)
	var d dashboard
	require.NoError(t, json.Unmarshal(content, &d))
	ids := map[int]bool{}
	for _, panel := range d.Panels {
		assert.False(t, ids[panel.ID], "two panels have id %d", panel.ID)
		ids[panel.ID] = true
		assert.Equal(t, panel.Type == "row", len(panel.Targets) == 0, panel.Title)
		for i, target := range panel.Targets {
			out[fmt.Sprintf("panel %s %d", panel.Title, i)] = target.Expr
		}
	}
	return out
}

// TestOnlyMetricsThatExist: alerts and dashboard ask for metrics that the program or
// cluster-autoscaler has.
func TestOnlyMetricsThatExist(t *testing.T) {
	names := metricHelps(t)
	require.Greater(t, len(names), 15)
	for name, help := range names {
		assert.NotEmpty(t, help, name)
	}
	for where, expr := range expressions(t) {
		found := metricsOf(t, expr)
		assert.NotEmpty(t, found, where)
		for _, name := range found {
			histogram := strings.TrimSuffix(strings.TrimSuffix(name, "_sum"), "_count")
			assert.True(t, names[name] != "" || names[histogram] != "" || slices.Contains(autoscalerMetrics, name), "%s asks for %s", where, name)
		}
	}
}

// TestEveryAlertHasARunbook: the link of each alert leads to a section, and no section
// is without its alert.
func TestEveryAlertHasARunbook(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("..", "..", "docs", "runbooks.md"))
	require.NoError(t, err)
	sections := map[string]bool{}
	for line := range strings.Lines(string(content)) {
		if heading, ok := strings.CutPrefix(strings.TrimSpace(line), "## "); ok {
			sections[heading] = true
		}
	}
	for _, rule := range alertRules(t) {
		assert.True(t, sections[rule.Alert], "no section for %s", rule.Alert)
		delete(sections, rule.Alert)
		assert.Equal(t, "https://github.com/buildpool/buildpool/blob/main/docs/runbooks.md#"+strings.ToLower(rule.Alert), rule.Annotations["runbook_url"])
		for _, text := range []string{"summary", "description"} {
			assert.NotEmpty(t, rule.Annotations[text], rule.Alert)
		}
	}
	assert.Empty(t, sections, "sections without an alert")
}
