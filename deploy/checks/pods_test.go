package checks

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"github.com/buildpool/buildpool/deploy/checks/internal/manifest"
)

// forbiddenBy says why Pod Security at a level, by the apiserver's own code, refuses a
// pod; empty when it does not.
func forbiddenBy(t *testing.T, level api.Level, pod corev1.PodTemplateSpec) string {
	t.Helper()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	require.NoError(t, err)
	result := policy.AggregateCheckResults(evaluator.EvaluatePod(
		api.LevelVersion{Level: level, Version: api.LatestVersion()}, &pod.ObjectMeta, &pod.Spec))
	if result.Allowed {
		return ""
	}
	return result.ForbiddenDetail()
}

// TestOurPodsAreHarmless: everything of the chart is admitted where only restricted
// pods are, asks for what it needs, and cannot take more memory than it says.
func TestOurPodsAreHarmless(t *testing.T) {
	eachRendering(t, func(t *testing.T, objects []manifest.Object) {
		pods := 0
		for _, o := range objects {
			pod, ok, err := o.Pod()
			require.NoError(t, err)
			if !ok {
				continue
			}
			pods++
			assert.Empty(t, forbiddenBy(t, api.LevelRestricted, pod), "%s", o)
			assert.Equal(t, false, *pod.Spec.AutomountServiceAccountToken, "%s: the token goes to the container that needs it", o)
			for _, c := range pod.Spec.Containers {
				assert.True(t, *c.SecurityContext.ReadOnlyRootFilesystem, "%s %s", o, c.Name)
				assert.NotEmpty(t, c.Resources.Requests.Cpu().String(), "%s %s", o, c.Name)
				assert.False(t, c.Resources.Requests.Memory().IsZero(), "%s %s", o, c.Name)
				assert.False(t, c.Resources.Limits.Memory().IsZero(), "%s %s", o, c.Name)
			}
		}
		assert.GreaterOrEqual(t, pods, 2, "the deployment and helm test")
	})
}

// TestWhoHasTheToken: buildpool has a token where it follows the cluster or holds a
// lease, and cluster-autoscaler has no rights on the account.
func TestWhoHasTheToken(t *testing.T) {
	eachRendering(t, func(t *testing.T, objects []manifest.Object) {
		for _, o := range objects {
			pod, ok, err := o.Pod()
			require.NoError(t, err)
			if !ok || o.Kind() != "Deployment" {
				continue
			}
			for _, c := range pod.Spec.Containers {
				bears := slices.ContainsFunc(c.VolumeMounts, func(m corev1.VolumeMount) bool { return m.Name == "api-token" })
				if c.Name == "cluster-autoscaler" {
					assert.True(t, bears, "%s", o)
					assert.Empty(t, c.Env, "%s", o)
					continue
				}
				asks := slices.Contains(c.Args, "--watch-cluster=always") || slices.Contains(c.Args, "--leader-elect")
				assert.Equal(t, asks, bears, "%s", o)
			}
		}
	})
}

// TestSelectorsSelect: every selector of a service, budget or policy selects a pod of
// the chart.
func TestSelectorsSelect(t *testing.T) {
	eachRendering(t, func(t *testing.T, objects []manifest.Object) {
		var labels []map[string]any
		for _, o := range objects {
			if l, ok := o.At("spec", "template", "metadata", "labels").(map[string]any); ok {
				labels = append(labels, l)
			}
		}
		for _, o := range objects {
			selector, ok := map[string]any(nil), false
			switch o.Kind() {
			case "Service":
				selector, ok = o.At("spec", "selector").(map[string]any)
			case "PodDisruptionBudget":
				selector, ok = o.At("spec", "selector", "matchLabels").(map[string]any)
			case "NetworkPolicy":
				selector, ok = o.At("spec", "podSelector", "matchLabels").(map[string]any)
			default:
				continue
			}
			require.True(t, ok, "%s has no selector", o)
			selects := slices.ContainsFunc(labels, func(l map[string]any) bool {
				for key, value := range selector {
					// The leader puts this one on its own pod.
					if key != "buildpool.io/leader" && l[key] != value {
						return false
					}
				}
				return true
			})
			assert.True(t, selects, "%s selects no pod", o)
		}
	})
}
