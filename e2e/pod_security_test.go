package e2e

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/buildpool/buildpool/e2e/internal/deploy"
	"github.com/buildpool/buildpool/e2e/internal/objects"
)

// TestPodSecurity: in a namespace that enforces restricted the API server admits the
// pods of everything that is ours to run, buildpool, cluster-autoscaler, helm test, the
// search for settings and the Jenkins controller, and refuses Docker in and outside of
// Docker.
func TestPodSecurity(t *testing.T) {
	s := newBareScenario(t)
	const restricted = "restricted"
	s.apply(namespace(restricted, map[string]string{"pod-security.kubernetes.io/enforce": restricted}))
	all := deployed(t)
	// A build's pod is not restricted: images are built in it.
	maps.DeleteFunc(all, func(file string, _ []objects.Object) bool {
		return strings.Contains(file, "/pods/") || strings.HasSuffix(file, "/Jenkinsfile")
	})
	prioritised := map[string]bool{}
	ours := 0
	for _, file := range slices.Sorted(maps.Keys(all)) {
		for _, o := range all[file] {
			// Without these a pod is refused for another reason.
			switch o.GetKind() {
			case "PriorityClass":
				if !prioritised[o.GetName()] {
					prioritised[o.GetName()] = true
					s.apply(o)
				}
			case "ServiceAccount":
				o.SetNamespace(restricted)
				s.apply(o)
			}
		}
		for _, o := range all[file] {
			pod, ok := podOf(t, o)
			if !ok {
				continue
			}
			pod.SetNamespace(restricted)
			err := s.cluster.Objects.DryRun(s.ctx, pod)
			if why, ok := negatives[file]; ok {
				require.ErrorContains(t, err, `violates PodSecurity "restricted:latest"`)
				assert.ErrorContains(t, err, why)
				continue
			}
			if assert.NoError(t, err, "%s of %s", objects.Name(o), file) {
				ours++
			}
		}
	}
	t.Logf("%d pods were admitted", ours)
	renderings, err := deploy.Renderings()
	require.NoError(t, err)
	assert.GreaterOrEqual(t, ours, 2*len(renderings), "each rendering has a deployment and helm test")
}

// podOf is the pod that the object is or makes; false if it makes none.
func podOf(t *testing.T, o objects.Object) (objects.Object, bool) {
	t.Helper()
	path := []string{"spec", "template"}
	switch o.GetKind() {
	case "Pod":
		return o, true
	case "Deployment", "StatefulSet", "DaemonSet", "Job":
	case "CronJob":
		path = append([]string{"spec", "jobTemplate"}, path...)
	default:
		return nil, false
	}
	template, found, err := unstructured.NestedMap(o.Object, path...)
	require.NoError(t, err)
	require.True(t, found, "%s has no pod template", objects.Name(o))
	pod := &unstructured.Unstructured{Object: template}
	pod.SetAPIVersion("v1")
	pod.SetKind("Pod")
	pod.SetName(o.GetName())
	require.NoError(t, addClaims(o, pod))
	return pod, true
}

// addClaims adds the volumes that a StatefulSet's controller adds to its pods.
func addClaims(o, pod objects.Object) error {
	claims, _, err := unstructured.NestedSlice(o.Object, "spec", "volumeClaimTemplates")
	if err != nil || len(claims) == 0 {
		return err
	}
	volumes, _, err := unstructured.NestedSlice(pod.Object, "spec", "volumes")
	if err != nil {
		return err
	}
	for _, claim := range claims {
		template, _ := claim.(map[string]any)
		name, _, err := unstructured.NestedString(template, "metadata", "name")
		if err != nil {
			return err
		}
		volumes = append(volumes, map[string]any{
			"name": name, "persistentVolumeClaim": map[string]any{"claimName": name + "-" + pod.GetName() + "-0"},
		})
	}
	return unstructured.SetNestedSlice(pod.Object, volumes, "spec", "volumes")
}
