package checks

import (
	"context"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/promql/promqltest"
	"github.com/prometheus/prometheus/rules"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// alertRule is a rule of the chart's alerts.
type alertRule struct {
	Alert, Expr         string
	For                 string
	Labels, Annotations map[string]string
}

func alertRules(t *testing.T) []alertRule {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(chartDir, "files", "alerts.yaml"))
	require.NoError(t, err)
	var file struct {
		Groups []struct {
			Name  string
			Rules []alertRule
		}
	}
	require.NoError(t, yaml.UnmarshalStrict(content, &file))
	require.Len(t, file.Groups, 1)
	return file.Groups[0].Rules
}

// alertTests is a file of promtool's form: recorded series, and what fires when.
type alertTests struct {
	Tests []struct {
		Name        string
		InputSeries []struct{ Series, Values string } `json:"input_series"`
		Expect      []struct {
			EvalTime  string `json:"eval_time"`
			AlertName string `json:"alertname"`
			Alerts    []struct {
				Labels map[string]string `json:"exp_labels"`
			} `json:"exp_alerts"`
		} `json:"alert_rule_test"`
	}
}

const evaluationInterval = time.Minute

// TestAlertsFire plays testdata/alerts_test.yaml by Prometheus' own engine. Every alert
// fires in one test at least, and keeps quiet in another.
func TestAlertsFire(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("testdata", "alerts_test.yaml"))
	require.NoError(t, err)
	var file alertTests
	require.NoError(t, yaml.Unmarshal(content, &file))
	fires, quiet := map[string]bool{}, map[string]bool{}
	for _, test := range file.Tests {
		var series strings.Builder
		series.WriteString("load 1m\n")
		for _, s := range test.InputSeries {
			series.WriteString("  " + s.Series + " " + s.Values + "\n")
		}
		for _, want := range test.Expect {
			t.Run(test.Name+"/"+want.AlertName+"/"+want.EvalTime, func(t *testing.T) {
				at, err := model.ParseDuration(want.EvalTime)
				require.NoError(t, err)
				expected := []map[string]string{}
				for _, alert := range want.Alerts {
					expected = append(expected, alert.Labels)
				}
				assert.ElementsMatch(t, expected, play(t, series.String(), ruleNamed(t, want.AlertName), time.Duration(at)))
				if len(expected) > 0 {
					fires[want.AlertName] = true
				} else {
					quiet[want.AlertName] = true
				}
			})
		}
	}
	for _, rule := range alertRules(t) {
		assert.True(t, fires[rule.Alert], "no test in which %s fires", rule.Alert)
		assert.True(t, quiet[rule.Alert], "no test in which %s keeps quiet", rule.Alert)
	}
}

func ruleNamed(t *testing.T, name string) alertRule {
	t.Helper()
	for _, rule := range alertRules(t) {
		if rule.Alert == name {
			return rule
		}
	}
	t.Fatalf("no alert %s", name)
	return alertRule{}
}

// play evaluates the rule every minute until a time and returns the labels of what then
// fires, without the alert's own name and severity.
func play(t *testing.T, series string, r alertRule, until time.Duration) []map[string]string {
	t.Helper()
	storage := promqltest.LoadedStorage(t, series)
	engine := promqltest.NewTestEngine(t, false, 5*time.Minute, 100_000)
	expr, err := parser.NewParser(parser.Options{}).ParseExpr(r.Expr)
	require.NoError(t, err)
	hold, err := model.ParseDuration(orZero(r.For))
	require.NoError(t, err)
	rule := rules.NewAlertingRule(r.Alert, expr, time.Duration(hold), 0, labels.FromMap(r.Labels), labels.FromMap(r.Annotations),
		labels.EmptyLabels(), "", true, slog.New(slog.DiscardHandler))
	query := rules.EngineQueryFunc(engine, storage)
	start := time.Unix(0, 0).UTC()
	for ts := start; !ts.After(start.Add(until)); ts = ts.Add(evaluationInterval) {
		_, err := rule.Eval(context.Background(), 0, ts, query, &url.URL{}, 0)
		require.NoError(t, err)
	}
	firing := []map[string]string{}
	for _, alert := range rule.ActiveAlerts() {
		if alert.State != rules.StateFiring {
			continue
		}
		for _, text := range []string{"summary", "description"} {
			assert.NotContains(t, alert.Annotations.Get(text), "<error", text)
			assert.NotContains(t, alert.Annotations.Get(text), "{{", text)
		}
		got := alert.Labels.Map()
		assert.Equal(t, r.Labels["severity"], got["severity"])
		delete(got, "alertname")
		delete(got, "severity")
		firing = append(firing, got)
	}
	return firing
}

func orZero(duration string) string {
	if duration == "" {
		return "0s"
	}
	return duration
}
