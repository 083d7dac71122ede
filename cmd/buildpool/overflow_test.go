package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"
)

// What overflow cannot do it says before it does anything.
func TestOverflowSaysWhatIsMissing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "nodegroups.yaml")
	require.NoError(t, os.WriteFile(file, []byte("apiVersion: buildpool/v1alpha1\nkind: NodeGroups\nregion: cn-hangzhou\ngroups: [{name: a, class: normal, max: 1, scalingGroup: {id: asg-a}}]\n"), 0o600))
	for name, test := range map[string]struct {
		args []string
		want string
	}{
		"no file":            {[]string{"overflow"}, "--config FILE is required"},
		"no server":          {[]string{"overflow", "--config", file, "--server", "here"}, `--server is "here", but must be host:port`},
		"a lease of no name": {[]string{"overflow", "--config", file, "--leader-elect", "--leader-elect-lease", "ci"}, "want namespace/name"},
		"no class":           {[]string{"overflow", "--config", file}, "says of no class that its builds may move: write overflow.classes"},
		"serve, unwatched":   {[]string{"serve", "--simulate", "--overflow", "--watch-cluster", "never", "--address", "127.0.0.1:0", "--http-address", ""}, "--overflow needs a watched cluster"},
		"serve, dry":         {[]string{"serve", "--simulate", "--overflow", "--dry-run"}, "--dry-run and --overflow do not go together"},
		"validate, not live": {[]string{"validate", "--kubeconfig", "k", file}, "--kubeconfig is only used with --live"},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			env := environment{stdout: &stderr, stderr: &stderr, clock: clock.RealClock{}, getenv: func(string) string { return "" }}
			assert.Equal(t, 1, run(context.Background(), env, test.args))
			assert.Contains(t, stderr.String(), test.want)
		})
	}
}
