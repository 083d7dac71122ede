package checks

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/deploy/checks/internal/manifest"
)

// customKinds are the resources of others that we write, and the Go modules whose
// releases hold their definitions.
var customKinds = sync.OnceValues(func() (map[string]manifest.Object, error) {
	list, err := manifest.ReadLines(filepath.Join("testdata", "custom-resources.txt"))
	if err != nil {
		return nil, err
	}
	out := map[string]manifest.Object{}
	for _, line := range list {
		module, pattern, ok := strings.Cut(line, " ")
		if !ok {
			return nil, fmt.Errorf("custom resources: %q: want module@version pattern", line)
		}
		if err := readDefinitions(module, pattern, out); err != nil {
			return nil, err
		}
	}
	return out, nil
})

// readDefinitions finds the definitions' versions in a module that the Go proxy serves.
func readDefinitions(module, pattern string, out map[string]manifest.Object) error {
	answer, err := exec.Command("go", "mod", "download", "-json", module).Output()
	if err != nil {
		return fmt.Errorf("download %s: %w: %s", module, err, answer)
	}
	var downloaded struct{ Dir string }
	if err := json.Unmarshal(answer, &downloaded); err != nil {
		return fmt.Errorf("download %s: %w", module, err)
	}
	files, err := filepath.Glob(filepath.Join(downloaded.Dir, filepath.FromSlash(pattern)))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("find %s in %s: none (%w)", pattern, module, err)
	}
	for _, file := range files {
		objects, err := manifest.Read(file)
		if err != nil {
			return err
		}
		for _, o := range objects {
			versions, _ := o.At("spec", "versions").([]any)
			for _, v := range versions {
				version, _ := v.(map[string]any)
				out[fmt.Sprintf("%v/%v %v", o.At("spec", "group"), version["name"], o.At("spec", "names", "kind"))] = version
			}
		}
	}
	return nil
}

func requireCustomKinds(t *testing.T) map[string]manifest.Object {
	t.Helper()
	kinds, err := customKinds()
	require.NoError(t, err)
	return kinds
}
