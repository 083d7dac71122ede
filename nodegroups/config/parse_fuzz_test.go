package config

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// FuzzParse: no input makes Parse panic; an error is always Errors whose problems
// are well formed and hold no credential; what is accepted keeps its invariants
// and is accepted again after a round trip.
func FuzzParse(f *testing.F) {
	for _, dir := range []string{"testdata/good", "testdata/bad"} {
		entries, err := os.ReadDir(dir)
		require.NoError(f, err)
		for _, e := range entries {
			data, err := os.ReadFile(dir + "/" + e.Name())
			require.NoError(f, err)
			f.Add(data)
		}
	}
	f.Add([]byte("&a [*a]"))
	f.Add([]byte("a: &a\n  <<: *a\n"))
	f.Add([]byte("\xff\xfe"))
	f.Fuzz(func(t *testing.T, data []byte) {
		cfg, err := Parse("f.yaml", data)
		if err != nil {
			var problems Errors
			require.ErrorAs(t, err, &problems)
			require.NotEmpty(t, problems)
			assertWellFormed(t, data, problems)
			require.NotRegexp(t, credentialText, err.Error())
			return
		}
		assertInvariants(t, cfg)
		again, err := json.Marshal(cfg)
		require.NoError(t, err)
		asYAML, err := yaml.JSONToYAML(again)
		require.NoError(t, err)
		// The class label is set in the groups now, which repeating it allows.
		got, err := Parse("f.yaml", asYAML)
		require.NoError(t, err, "%s", asYAML)
		assert.Equal(t, mustJSON(t, cfg), mustJSON(t, got))
	})
}

func assertInvariants(t *testing.T, cfg Config) {
	require.Equal(t, APIVersion, cfg.APIVersion)
	require.NotEmpty(t, cfg.Groups)
	names := map[string]bool{}
	for _, g := range cfg.Groups {
		require.False(t, names[g.Name])
		names[g.Name] = true
		require.True(t, 0 <= g.Min && g.Min <= g.Max && g.Max <= maxSize)
		require.NotEqual(t, g.ScalingGroup.ID == "", len(g.ScalingGroup.Tags) == 0)
		require.Equal(t, string(g.Class), g.Labels["buildpool.io/class"])
		require.Equal(t, g.Class == ClassGPU, g.Template.GPU != nil)
	}
}

func mustJSON(t *testing.T, v any) string {
	data, err := json.Marshal(v)
	require.NoError(t, err)
	return string(data)
}
