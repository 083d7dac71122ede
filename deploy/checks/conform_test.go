package checks

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/yannh/kubeconform/pkg/resource"
	"github.com/yannh/kubeconform/pkg/validator"
	"sigs.k8s.io/yaml"

	"github.com/buildpool/buildpool/deploy/checks/internal/manifest"
	"github.com/buildpool/buildpool/deploy/checks/internal/schema"
)

// newValidator is kubeconform with the schemas of the apiserver's release that the
// end-to-end tests run, and of the custom resources that we write. Fields that are not in them
// are errors.
func newValidator(t *testing.T) validator.Validator {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "openapi.json"))
	require.NoError(t, err)
	var definitions schema.Definitions
	require.NoError(t, json.Unmarshal(content, &definitions))
	kinds, err := manifest.ReadLines(filepath.Join("testdata", "kinds.txt"))
	require.NoError(t, err)
	dir := t.TempDir()
	write := func(kind string, s map[string]any) {
		content, err := json.Marshal(s)
		require.NoError(t, err)
		if !strings.Contains(kind, "/") {
			kind = "v1/" + kind // kubeconform calls the group of Pod v1
		}
		name := strings.NewReplacer("/", "_", " ", "-").Replace(strings.ToLower(kind)) + ".json"
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	for _, kind := range kinds {
		s, err := definitions.Of(kind)
		require.NoError(t, err)
		write(kind, s)
	}
	for kind, version := range requireCustomKinds(t) {
		s, err := schema.OfCustom(version)
		require.NoError(t, err)
		write(kind, s)
	}
	v, err := validator.New(
		[]string{filepath.Join(dir, `{{.Group}}_{{.ResourceAPIVersion}}-{{.ResourceKind}}.json`)},
		validator.Opts{RejectKinds: map[string]struct{}{"Endpoints": {}}})
	require.NoError(t, err)
	return v
}

// conforms fails the test for every object that the apiserver would not take.
func conforms(t *testing.T, v validator.Validator, name string, objects []manifest.Object) {
	t.Helper()
	for _, o := range objects {
		content, err := yaml.Marshal(o)
		require.NoError(t, err)
		r := resource.Resource{Path: name, Bytes: content}
		result := v.ValidateResource(r)
		assert.Equal(t, validator.Valid, result.Status, "%s: %s: %v", name, o, result.Err)
	}
}

func TestRenderedObjectsConform(t *testing.T) {
	v := newValidator(t)
	eachRendering(t, func(t *testing.T, objects []manifest.Object) { conforms(t, v, t.Name(), objects) })
}

// TestConformityIsChecked: the schemas see a misspelt field, a wrong type and a kind
// that does not exist, in Kubernetes' own kinds and in others'.
func TestConformityIsChecked(t *testing.T) {
	v := newValidator(t)
	for name, object := range map[string]string{
		"a misspelt field": "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {container: []}",
		"deeper":           "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: b, resources: {request: {cpu: 1}}}]}",
		"a wrong type":     "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: two}",
		"an unknown kind":  "apiVersion: apps/v1\nkind: Deploymnt\nmetadata: {name: a}",
		"others'":          "apiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: a}\nspec: {secretname: a}",
	} {
		t.Run(name, func(t *testing.T) {
			result := v.ValidateResource(resource.Resource{Bytes: []byte(object)})
			assert.NotEqual(t, validator.Valid, result.Status)
		})
	}
}

// TestWrittenObjectsConform: the manifests and every example that holds Kubernetes
// objects.
func TestWrittenObjectsConform(t *testing.T) {
	v := newValidator(t)
	checked := 0
	for _, root := range []string{"manifests", "examples"} {
		err := filepath.WalkDir(filepath.Join("..", root), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(path) != ".yaml" {
				return err
			}
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			if !bytes.Contains(content, []byte("\nkind: ")) && !bytes.HasPrefix(content, []byte("kind: ")) {
				return nil // values of a chart, or another program's configuration
			}
			if bytes.Contains(content, []byte("\napiVersion: buildpool/")) || bytes.HasPrefix(content, []byte("apiVersion: buildpool/")) {
				return nil // our own file, no object of Kubernetes: TestOverflowFiles and TestCommandsRun read it
			}
			t.Run(path, func(t *testing.T) {
				objects, err := manifest.Parse(content)
				require.NoError(t, err)
				conforms(t, v, path, objects)
				checked += len(objects)
			})
			return nil
		})
		require.False(t, errors.Is(err, fs.ErrNotExist), "%v", err)
		require.NoError(t, err)
	}
	assert.Greater(t, checked, 50)
}
