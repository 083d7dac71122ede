// Package definitions finds the CustomResourceDefinitions of others in the Go modules
// that hold them, which the module proxy serves. They are never copied.
//
// It must not know what they are for.
package definitions

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/buildpool/buildpool/deploy/checks/internal/manifest"
)

// Read returns the definitions that a list names: in each line a module at a version,
// and a pattern of files in it.
func Read(list string) ([]manifest.Object, error) {
	lines, err := manifest.ReadLines(list)
	if err != nil {
		return nil, err
	}
	var out []manifest.Object
	for _, line := range lines {
		module, pattern, ok := strings.Cut(line, " ")
		if !ok {
			return nil, fmt.Errorf("read %s: %q: want module@version pattern", list, line)
		}
		found, err := ofModule(module, pattern)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

func ofModule(module, pattern string) ([]manifest.Object, error) {
	answer, err := exec.Command("go", "mod", "download", "-json", module).Output() //nolint:gosec // the modules stand in a committed list
	if err != nil {
		return nil, fmt.Errorf("download %s: %w: %s", module, err, answer)
	}
	var downloaded struct{ Dir string }
	if err := json.Unmarshal(answer, &downloaded); err != nil {
		return nil, fmt.Errorf("download %s: %w", module, err)
	}
	files, err := filepath.Glob(filepath.Join(downloaded.Dir, filepath.FromSlash(pattern)))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("find %s in %s: none (%w)", pattern, module, err)
	}
	var out []manifest.Object
	for _, file := range files {
		objects, err := manifest.Read(file)
		if err != nil {
			return nil, err
		}
		for _, o := range objects {
			if o.Kind() == "CustomResourceDefinition" {
				out = append(out, o)
			}
		}
	}
	return out, nil
}
