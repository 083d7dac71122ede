package e2e

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/buildpool/buildpool/e2e/internal/deploy"
	"github.com/buildpool/buildpool/e2e/internal/objects"
)

// notObjects are the files of deploy/examples that no Kubernetes API takes, and whom
// they are for.
var notObjects = map[string]string{
	"examples/github-arc/values-gpu.yaml":                "values of the chart gha-runner-scale-set",
	"examples/github-arc/values-normal.yaml":             "values of the chart gha-runner-scale-set",
	"examples/github-arc/values-spot.yaml":               "values of the chart gha-runner-scale-set",
	"examples/github-arc/workflow.yml":                   "a workflow of GitHub Actions",
	"examples/gitlab/.gitlab-ci.yml":                     "a pipeline of GitLab",
	"examples/gitlab/values-gpu.yaml":                    "values of the chart gitlab-runner",
	"examples/gitlab/values-normal.yaml":                 "values of the chart gitlab-runner",
	"examples/gitlab/values-spot.yaml":                   "values of the chart gitlab-runner",
	"examples/jenkins/values.yaml":                       "values of the chart jenkins",
	"examples/recommend/machines.yaml":                   "a file of assumptions of buildpool",
	"examples/recommend/mapping.yaml":                    "a mapping file of buildpool",
	"examples/virtual-node/nodegroups-ack.yaml":          "a node-group file of buildpool",
	"examples/virtual-node/nodegroups-self-managed.yaml": "a node-group file of buildpool",
	"examples/woodpecker/.woodpecker.yaml":               "a pipeline of Woodpecker",
	"examples/woodpecker/values.yaml":                    "values of the chart woodpecker",
}

// negatives are the files whose pods Pod Security refuses, and what for.
var negatives = map[string]string{
	"examples/negatives/docker-in-docker.yaml":         "privileged",
	"examples/negatives/docker-outside-of-docker.yaml": "hostPath",
}

// deployed are the objects of deploy/ by the file in which they stand: manifests,
// examples, and the chart's renderings.
func deployed(t *testing.T) map[string][]objects.Object {
	t.Helper()
	renderings, err := deploy.Renderings()
	require.NoError(t, err)
	manifests, err := deploy.Files("manifests")
	require.NoError(t, err)
	examples, err := deploy.Files("examples")
	require.NoError(t, err)
	for file, why := range notObjects {
		assert.Contains(t, examples, file, "%s, says the list, but it is not there", why)
		read, err := deploy.Read(file)
		assert.True(t, err != nil || isOurs(read), "%s: %s, says the list, but it holds objects", file, why)
	}
	all := map[string][]objects.Object{}
	for _, file := range slices.Concat(renderings, manifests, examples) {
		if _, ok := notObjects[file]; ok {
			continue
		}
		if all[file], err = deploy.Read(file); err != nil {
			t.Errorf("%v; if it is not for Kubernetes it belongs on the list", err)
		}
		assert.NotEmpty(t, all[file], "%s holds no object", file)
	}
	jenkinsfile, err := deploy.JenkinsfilePod()
	require.NoError(t, err)
	jenkinsfile.SetNamespace("ci")
	all["examples/jenkins/Jenkinsfile"] = []objects.Object{jenkinsfile}
	return all
}

// isOurs: buildpool's own files look like objects, but no API server knows them.
func isOurs(read []objects.Object) bool {
	return len(read) == 1 && read[0].GetAPIVersion() == "buildpool/v1alpha1"
}

// TestDeployIsAccepted: the API server takes every object of deploy/, by a server-side
// dry run that refuses unknown fields, in the namespaces as deploy/ makes them. Custom
// resources are judged by the definitions of those who define them. Only the examples
// of what not to do are refused.
func TestDeployIsAccepted(t *testing.T) {
	s := newBareScenario(t)
	all := deployed(t)
	s.apply(definitionsOf(t, s, all)...)
	s.applyNamespaces(all)
	accepted := 0
	for _, file := range slices.Sorted(maps.Keys(all)) {
		t.Run(file, func(t *testing.T) {
			for _, o := range all[file] {
				err := s.cluster.Objects.DryRun(s.ctx, o)
				if why, ok := negatives[file]; ok {
					require.ErrorContains(t, err, `violates PodSecurity "baseline:latest"`)
					assert.ErrorContains(t, err, why)
					continue
				}
				if assert.NoError(t, err) {
					accepted++
				}
			}
		})
	}
	t.Logf("%d objects were accepted", accepted)

	// What is accepted says something only if what is wrong is not.
	wrong := all["manifests/sidecar.yaml"][1].DeepCopy()
	require.NoError(t, unstructured.SetNestedField(wrong.Object, "x", "spec2"))
	require.ErrorContains(t, s.cluster.Objects.DryRun(s.ctx, wrong), "spec2")
}

// definitionsOf are the definitions of those kinds that are used.
func definitionsOf(t *testing.T, s *scenario, all map[string][]objects.Object) []objects.Object {
	t.Helper()
	used := map[schema.GroupKind]bool{}
	for _, list := range all {
		for _, o := range list {
			used[o.GroupVersionKind().GroupKind()] = true
		}
	}
	definitions, err := deploy.Definitions(s.ctx)
	require.NoError(t, err)
	return slices.DeleteFunc(definitions, func(definition objects.Object) bool {
		group, _, _ := unstructured.NestedString(definition.Object, "spec", "group")
		kind, _, _ := unstructured.NestedString(definition.Object, "spec", "names", "kind")
		return !used[schema.GroupKind{Group: group, Kind: kind}]
	})
}

// applyNamespaces makes the namespaces that the objects are in: those that deploy/
// itself makes, with what they enforce and the limits of builds, and for the others
// plain ones.
func (s *scenario) applyNamespaces(all map[string][]objects.Object) {
	s.t.Helper()
	made := map[string]objects.Object{}
	for _, list := range all {
		for _, o := range list {
			if o.GetKind() == "Namespace" {
				made[o.GetName()] = o
			}
		}
	}
	for _, list := range all {
		for _, o := range list {
			if name := o.GetNamespace(); name != "" && made[name] == nil {
				made[name] = namespace(name, nil)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(made)) {
		s.apply(made[name])
	}
	s.apply(all["examples/jenkins/limitrange.yaml"]...)
}

func namespace(name string, labels map[string]string) objects.Object {
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace"}}
	o.SetName(name)
	o.SetLabels(labels)
	return o
}
