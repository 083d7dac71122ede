package checks

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/lint"
	"helm.sh/helm/v3/pkg/lint/support"
	"sigs.k8s.io/yaml"

	"github.com/buildpool/buildpool/deploy/checks/internal/chart"
	"github.com/buildpool/buildpool/deploy/checks/internal/manifest"
)

var update = flag.Bool("update", false, "write the rendered objects that tests compare with")

var (
	chartDir = filepath.Join("..", "chart", "buildpool")
	release  = chart.Release{Name: "buildpool", Namespace: "buildpool"}
)

// valueFiles are the ways in which the chart is used: those that make manifests, and
// those that only tests know.
func valueFiles(t *testing.T) map[string]map[string]any {
	t.Helper()
	out := map[string]map[string]any{"defaults": {}}
	for _, dir := range []string{filepath.Join("..", "chart", "values"), filepath.Join("testdata", "values")} {
		files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			values, err := chart.ReadValues(file)
			require.NoError(t, err)
			out[strings.TrimSuffix(filepath.Base(file), ".yaml")] = values
		}
	}
	return out
}

// eachRendering runs a test on the objects of every way to use the chart, those of helm
// test among them.
func eachRendering(t *testing.T, test func(t *testing.T, objects []manifest.Object)) {
	for name, values := range valueFiles(t) {
		t.Run(name, func(t *testing.T) {
			rendered, err := chart.Render(chartDir, values, release)
			require.NoError(t, err)
			objects, err := manifest.Parse([]byte(rendered.Objects + rendered.Tests))
			require.NoError(t, err)
			test(t, objects)
		})
	}
}

func TestHelmLint(t *testing.T) {
	for name, values := range valueFiles(t) {
		t.Run(name, func(t *testing.T) {
			result := lint.All(chartDir, values, release.Namespace, true)
			for _, m := range result.Messages {
				// A chart without an icon is only a chart without an icon.
				if m.Severity > support.InfoSev {
					t.Errorf("%s: %v", m.Path, m.Err)
				}
			}
		})
	}
}

// TestRendered: what the chart renders changes on purpose only.
func TestRendered(t *testing.T) {
	for name, values := range valueFiles(t) {
		t.Run(name, func(t *testing.T) {
			rendered, err := chart.Render(chartDir, values, release)
			require.NoError(t, err)
			got := rendered.Objects + "\n# helm test\n" + rendered.Tests + "\n# notes\n" + comment(rendered.Notes)
			golden := filepath.Join("testdata", "rendered", name+".yaml")
			if *update {
				require.NoError(t, os.WriteFile(golden, []byte(got), 0o644))
			}
			want, err := os.ReadFile(golden)
			require.NoError(t, err)
			assert.Equal(t, string(want), got, "if it is meant: go -C deploy/checks test -run TestRendered -update .")
		})
	}
}

func comment(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		out.WriteString(strings.TrimRight("# "+line, " \n") + "\n")
	}
	return out.String()
}

// TestValuesAreChecked: what cannot work is refused before anything is installed.
func TestValuesAreChecked(t *testing.T) {
	for name, c := range map[string]struct{ values, want string }{
		"a misspelt key":               {`replicas: 3`, "replicas"},
		"a misspelt key further down":  {`tls: {certManger: {enabled: true}}`, "certManger"},
		"an unknown topology":          {`topology: daemonset`, "topology"},
		"no replica":                   {`replicaCount: 0`, "replicaCount"},
		"a class that does not exist":  {`nodeGroups: {groups: [{name: a, class: arm, scalingGroup: {id: asg-a}}]}`, "class"},
		"no groups":                    {`nodeGroups: {groups: []}`, "groups"},
		"an ARN that is none":          {`credentials: {rrsa: {roleArn: buildpool, oidcProviderArn: "acs:ram::1:oidc-provider/a"}}`, "roleArn"},
		"half of RRSA":                 {`credentials: {rrsa: {roleArn: "acs:ram::1:role/a"}}`, "belong together"},
		"the other half of RRSA":       {`credentials: {rrsa: {oidcProviderArn: "acs:ram::1:oidc-provider/a"}}`, "belong together"},
		"two identities":               {`credentials: {existingSecret: a, rrsa: {roleArn: "acs:ram::1:role/a", oidcProviderArn: "acs:ram::1:oidc-provider/a"}}`, "two different identities"},
		"a sidecar of nobody":          {`autoscaler: {enabled: false}`, "topology: service"},
		"no certificate":               {`{topology: service, tls: {certManager: {enabled: false}}}`, "tls.serverSecret"},
		"no client certificate":        {`{topology: service, tls: {certManager: {enabled: false}, serverSecret: a}}`, "tls.clientSecret"},
		"no certificate for a sidecar": {`{expander: {enabled: true}, tls: {certManager: {enabled: false}}}`, "tls.serverSecret"},
		"overflow that sees nothing":   {`{overflow: {enabled: true}, cluster: {watch: false}}`, "cluster.watch"},
		"a flag with dashes":           {`autoscaler: {flags: {"--v": 4}}`, "--v"},
		"a duration that is none":      {`autoscaler: {grpcTimeout: 10 seconds}`, "grpcTimeout"},
	} {
		t.Run(name, func(t *testing.T) {
			var values map[string]any
			require.NoError(t, yaml.Unmarshal([]byte(c.values), &values))
			_, err := chart.Render(chartDir, values, release)
			require.ErrorContains(t, err, c.want)
		})
	}
}

// TestEveryValueIsDescribed: the schema forbids unknown keys, so that a default without
// a place in it could not be overridden; and it says of each what it is.
func TestEveryValueIsDescribed(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(chartDir, "values.yaml"))
	require.NoError(t, err)
	var values map[string]any
	require.NoError(t, yaml.Unmarshal(content, &values))
	schema, err := os.ReadFile(filepath.Join(chartDir, "values.schema.json"))
	require.NoError(t, err)
	var root map[string]any
	require.NoError(t, yaml.Unmarshal(schema, &root))
	var walk func(path string, values, schema map[string]any)
	walk = func(path string, values, schema map[string]any) {
		properties, _ := schema["properties"].(map[string]any)
		if schema["additionalProperties"] != false {
			return // it is somebody else's type
		}
		for key, value := range values {
			property, ok := properties[key].(map[string]any)
			if !assert.True(t, ok, "%s%s is not in the schema", path, key) {
				continue
			}
			if inner, ok := value.(map[string]any); ok {
				walk(path+key+".", inner, property)
			} else {
				assert.NotEmpty(t, property["description"], "%s%s", path, key)
			}
		}
	}
	walk("", values, root)
}

// TestNodeGroupFiles: the file that the chart writes is one that serve takes.
func TestNodeGroupFiles(t *testing.T) {
	eachRendering(t, func(t *testing.T, objects []manifest.Object) {
		found := 0
		for _, o := range objects {
			if file, ok := o.At("data", "nodegroups.yaml").(string); ok {
				found++
				path := filepath.Join(t.TempDir(), "nodegroups.yaml")
				require.NoError(t, os.WriteFile(path, []byte(file), 0o600))
				output, err := buildpool(t, "validate", path)
				require.NoError(t, err, output)
			}
		}
		if strings.HasSuffix(t.Name(), "sidecar-socket") {
			assert.Zero(t, found, "existingConfigMap takes its place")
		} else {
			assert.Equal(t, 1, found)
		}
	})
}
