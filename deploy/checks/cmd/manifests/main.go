// Command manifests writes the plain manifests that stand beside the chart: one for
// each file of values, in a namespace that admits restricted pods only.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/buildpool/buildpool/deploy/checks/internal/chart"
)

const header = `# Made of deploy/chart/values/%s by "make generate"; change the chart or those values.
# Before you apply it: put your groups into the ConfigMap buildpool, and give the pods
# rights on the account (docs/how-to/install.md).
---
apiVersion: v1
kind: Namespace
metadata:
  name: buildpool
  labels:
    pod-security.kubernetes.io/enforce: restricted
`

func main() {
	deploy := flag.String("deploy", "..", "the directory deploy")
	out := flag.String("out", "../manifests", "where to write the manifests")
	flag.Parse()
	if err := write(*deploy, *out); err != nil {
		fmt.Fprintln(os.Stderr, "manifests:", err)
		os.Exit(1)
	}
}

func write(deploy, out string) error {
	files, err := filepath.Glob(filepath.Join(deploy, "chart", "values", "*.yaml"))
	if err != nil || len(files) == 0 {
		return fmt.Errorf("find values below %s: none (%w)", deploy, err)
	}
	if err := os.MkdirAll(out, 0o755); err != nil { //nolint:gosec // the manifests are for everybody
		return fmt.Errorf("make directory: %w", err)
	}
	for _, file := range files {
		values, err := chart.ReadValues(file)
		if err != nil {
			return err
		}
		rendered, err := chart.Render(filepath.Join(deploy, "chart", "buildpool"), values, chart.Release{Name: "buildpool", Namespace: "buildpool"})
		if err != nil {
			return fmt.Errorf("render with %s: %w", file, err)
		}
		content := fmt.Sprintf(header, filepath.Base(file)) + withoutHelm(rendered.Objects)
		if err := os.WriteFile(filepath.Join(out, filepath.Base(file)), []byte(content), 0o644); err != nil { //nolint:gosec // the manifests are for everybody
			return fmt.Errorf("write manifest: %w", err)
		}
	}
	return nil
}

// withoutHelm leaves out what only Helm's own objects should say.
func withoutHelm(objects string) string {
	var kept []string
	for line := range strings.Lines(objects) {
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "helm.sh/chart:") || trimmed == "app.kubernetes.io/managed-by: Helm" || strings.HasPrefix(trimmed, "# Source: ") {
			continue
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, "")
}
