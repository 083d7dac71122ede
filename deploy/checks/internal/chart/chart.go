// Package chart renders the Helm chart as Helm does, without a cluster.
//
// It must not know what the result is for.
package chart

import (
	"fmt"
	"os"
	"path"
	"strings"

	helmchart "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/releaseutil"
	"sigs.k8s.io/yaml"
)

// Release says under which name, where and on which Kubernetes the chart is installed.
type Release struct {
	Name, Namespace string
	// KubeVersion such as v1.36.0; empty is the newest that the library knows.
	KubeVersion string
}

// Rendered is what Helm would apply.
type Rendered struct {
	// Objects is a YAML stream in the order of installation, Tests the objects of
	// helm test.
	Objects, Tests string
	// Notes is what Helm prints.
	Notes string
}

// Render renders the chart in a directory. Values that the schema refuses are an error.
func Render(dir string, values map[string]any, r Release) (Rendered, error) {
	c, err := loader.Load(dir)
	if err != nil {
		return Rendered{}, fmt.Errorf("load chart: %w", err)
	}
	files, capabilities, err := renderFiles(c, values, r)
	if err != nil {
		return Rendered{}, err
	}
	var out Rendered
	for name, content := range files {
		if path.Base(name) == "NOTES.txt" {
			out.Notes = content
			delete(files, name)
		}
	}
	hooks, manifests, err := releaseutil.SortManifests(files, capabilities.APIVersions, releaseutil.InstallOrder)
	if err != nil {
		return Rendered{}, fmt.Errorf("sort manifests: %w", err)
	}
	for _, m := range manifests {
		out.Objects += document(m.Content)
	}
	for _, h := range hooks {
		out.Tests += document(h.Manifest)
	}
	return out, nil
}

func renderFiles(c *helmchart.Chart, values map[string]any, r Release) (map[string]string, *chartutil.Capabilities, error) {
	capabilities := chartutil.DefaultCapabilities.Copy()
	if r.KubeVersion != "" {
		version, err := chartutil.ParseKubeVersion(r.KubeVersion)
		if err != nil {
			return nil, nil, fmt.Errorf("parse Kubernetes version: %w", err)
		}
		capabilities.KubeVersion = *version
	}
	options := chartutil.ReleaseOptions{Name: r.Name, Namespace: r.Namespace, Revision: 1, IsInstall: true}
	all, err := chartutil.ToRenderValues(c, values, options, capabilities)
	if err != nil {
		return nil, nil, fmt.Errorf("check values: %w", err)
	}
	files, err := engine.Render(c, all)
	if err != nil {
		return nil, nil, fmt.Errorf("render chart: %w", err)
	}
	return files, capabilities, nil
}

func document(content string) string { return "---\n" + strings.TrimSpace(content) + "\n" }

// ReadValues reads a values file.
func ReadValues(file string) (map[string]any, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read values: %w", err)
	}
	values := map[string]any{}
	if err := yaml.UnmarshalStrict(content, &values); err != nil {
		return nil, fmt.Errorf("read values %s: %w", file, err)
	}
	return values, nil
}
