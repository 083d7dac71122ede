package checks

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"sigs.k8s.io/yaml"

	"github.com/buildpool/buildpool/deploy/checks/internal/manifest"
)

const safeToEvict = "cluster-autoscaler.kubernetes.io/safe-to-evict"

var (
	systems = []string{"jenkins", "gitlab", "tekton", "argo", "github-arc", "woodpecker"}
	classes = []string{"normal", "spot", "gpu"}
)

// examplePod reads the pod that a CI system makes for a class.
func examplePod(t *testing.T, system, class string) corev1.PodTemplateSpec {
	t.Helper()
	objects, err := manifest.Read(filepath.Join("..", "examples", system, "pods", class+".yaml"))
	require.NoError(t, err)
	require.Len(t, objects, 1)
	pod, ok, err := objects[0].Pod()
	require.NoError(t, err)
	require.True(t, ok)
	return pod
}

// TestEveryPodLandsOnItsClass: of the groups of deploy/nodegroups.yaml exactly that of
// the class takes the pod; cluster-autoscaler knows its size, and leaves it alone.
func TestEveryPodLandsOnItsClass(t *testing.T) {
	groups := exampleGroups(t)
	for _, system := range systems {
		for _, class := range classes {
			t.Run(system+"/"+class, func(t *testing.T) {
				pod := examplePod(t, system, class)
				var takers []string
				for _, g := range groups {
					if g.takes(pod.Spec) {
						takers = append(takers, g.Class)
					}
				}
				assert.Equal(t, []string{class}, takers)
				assert.Equal(t, "false", pod.Annotations[safeToEvict])
				checkSize(t, pod.Spec, class == "gpu")
				assert.Empty(t, forbiddenBy(t, api.LevelBaseline, pod), "the builds' namespace enforces baseline")
			})
		}
	}
}

// checkSize: every container, also those that the CI system adds, asks for what it
// needs, and only builds of class gpu for a GPU.
func checkSize(t *testing.T, pod corev1.PodSpec, wantGPU bool) {
	t.Helper()
	gpus := false
	for _, c := range slices.Concat(pod.InitContainers, pod.Containers) {
		assert.False(t, c.Resources.Requests.Cpu().IsZero(), "%s asks for no cpu", c.Name)
		assert.False(t, c.Resources.Requests.Memory().IsZero(), "%s asks for no memory", c.Name)
		assert.False(t, c.Resources.Limits.Memory().IsZero(), "%s may take all memory", c.Name)
		if gpu, ok := c.Resources.Limits["nvidia.com/gpu"]; ok {
			gpus = true
			assert.False(t, gpu.IsZero())
		}
	}
	assert.Equal(t, wantGPU, gpus, "asks for a GPU")
}

// TestDockerIsRefused: what needs the node's privileges is admitted nowhere that Pod
// Security is enforced.
func TestDockerIsRefused(t *testing.T) {
	for name, why := range map[string]string{"docker-in-docker": "privileged", "docker-outside-of-docker": "hostPath"} {
		objects, err := manifest.Read(filepath.Join("..", "examples", "negatives", name+".yaml"))
		require.NoError(t, err)
		pod, ok, err := objects[0].Pod()
		require.NoError(t, err)
		require.True(t, ok)
		for _, level := range []api.Level{api.LevelBaseline, api.LevelRestricted} {
			assert.Contains(t, forbiddenBy(t, level, pod), why, "%s at %s", name, level)
		}
	}
}

// jenkinsTemplates are the pod templates of the Jenkins values, by name.
func jenkinsTemplates(t *testing.T) map[string]map[string]any {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "examples", "jenkins", "values.yaml"))
	require.NoError(t, err)
	var values struct {
		Agent struct {
			ConnectTimeout int
			ContainerCap   int
			PodRetention   string
			PodTemplates   map[string]string
		}
	}
	require.NoError(t, yaml.Unmarshal(content, &values))
	assert.GreaterOrEqual(t, values.Agent.ConnectTimeout, 600, "a node takes minutes to join")
	assert.GreaterOrEqual(t, values.Agent.ContainerCap, 100, "the chart's 10 throttle a burst")
	assert.Equal(t, "Never", values.Agent.PodRetention)
	out := map[string]map[string]any{}
	for name, text := range values.Agent.PodTemplates {
		var list []map[string]any
		require.NoError(t, yaml.UnmarshalStrict([]byte(text), &list))
		require.Len(t, list, 1)
		out[name] = list[0]
	}
	return out
}

// TestJenkinsMakesThesePods: what the templates and the Jenkinsfile say of a pod stands
// in the pod that Jenkins makes of them.
func TestJenkinsMakesThesePods(t *testing.T) {
	templates := jenkinsTemplates(t)
	assert.ElementsMatch(t, classes, slices.Collect(maps.Keys(templates)))
	for class, template := range templates {
		assert.Equal(t, class, template["name"])
		assert.Equal(t, "merge", template["yamlMergeStrategy"])
		text, _ := template["yaml"].(string)
		assertPartOf(t, decodePod(t, text), examplePod(t, "jenkins", class))
	}
	assertPartOf(t, jenkinsfilePod(t), examplePod(t, "jenkins", "spot"))
}

func decodePod(t *testing.T, text string) corev1.PodTemplateSpec {
	t.Helper()
	var object map[string]any
	require.NoError(t, yaml.UnmarshalStrict([]byte(text), &object))
	delete(object, "apiVersion")
	delete(object, "kind")
	pod, err := manifest.As[corev1.PodTemplateSpec](object)
	require.NoError(t, err)
	return pod
}

var jenkinsfileYAML = regexp.MustCompile(`(?s)yaml: '''\n(.*?)'''`)

// jenkinsfilePod is the pod template in the Jenkinsfile.
func jenkinsfilePod(t *testing.T) corev1.PodTemplateSpec {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", "examples", "jenkins", "Jenkinsfile"))
	require.NoError(t, err)
	found := jenkinsfileYAML.FindSubmatch(content)
	require.NotNil(t, found, "no pod template in the Jenkinsfile")
	assert.Contains(t, string(content), "retry(count: 2, conditions: [kubernetesAgent(), nonresumable()])")
	return decodePod(t, string(found[1]))
}

// assertPartOf: labels, annotations, placement and containers of the one are those of
// the other, which may have more.
func assertPartOf(t *testing.T, part, whole corev1.PodTemplateSpec) {
	t.Helper()
	for key, value := range part.Annotations {
		assert.Equal(t, value, whole.Annotations[key])
	}
	for key, value := range part.Labels {
		assert.Equal(t, value, whole.Labels[key])
	}
	assert.Equal(t, part.Spec.Affinity, whole.Spec.Affinity)
	assert.Equal(t, part.Spec.Tolerations, whole.Spec.Tolerations)
	for _, want := range part.Spec.Containers {
		i := slices.IndexFunc(whole.Spec.Containers, func(c corev1.Container) bool { return c.Name == want.Name })
		if assert.GreaterOrEqual(t, i, 0, "no container %s", want.Name) {
			assert.Equal(t, want.Resources, whole.Spec.Containers[i].Resources, want.Name)
		}
	}
}

// TestTheJenkinsfileNamesItsClass: requests on every container, and one group that
// takes the pod.
func TestTheJenkinsfileNamesItsClass(t *testing.T) {
	pod := jenkinsfilePod(t)
	checkSize(t, pod.Spec, false)
	for _, g := range exampleGroups(t) {
		assert.Equal(t, g.Class == "spot", g.takes(pod.Spec), g.Name)
	}
}

// TestPipelinesMakeThesePods: the pods of Tekton, Argo and ARC are placed and sized as
// their own files say.
func TestPipelinesMakeThesePods(t *testing.T) {
	tekton, err := manifest.Read(filepath.Join("..", "examples", "tekton", "pipeline.yaml"))
	require.NoError(t, err)
	argo, err := manifest.Read(filepath.Join("..", "examples", "argo", "workflow.yaml"))
	require.NoError(t, err)
	for _, class := range classes {
		assertPlacedAs(t, examplePod(t, "tekton", class), tektonRun(t, tekton, class), "step-build", tektonStep(t, tekton, class))
		template := named(t, argo[0].At("spec", "templates"), "name", class)
		container, _ := template["container"].(map[string]any)
		assertPlacedAs(t, examplePod(t, "argo", class), template, "main", container["resources"])
		arc, err := manifest.Read(filepath.Join("..", "examples", "github-arc", "values-"+class+".yaml"))
		require.NoError(t, err)
		spec, _ := arc[0].At("template", "spec").(map[string]any)
		runner := named(t, spec["containers"], "name", "runner")
		assertPlacedAs(t, examplePod(t, "github-arc", class), spec, "runner", runner["resources"])
	}
	for _, o := range tekton {
		if o.Kind() == "Pipeline" {
			for _, class := range classes {
				assert.EqualValues(t, 2, named(t, o.At("spec", "tasks"), "name", class)["retries"])
			}
		}
	}
}

func tektonRun(t *testing.T, objects []manifest.Object, class string) map[string]any {
	t.Helper()
	for _, o := range objects {
		if o.Kind() == "PipelineRun" {
			template, _ := named(t, o.At("spec", "taskRunSpecs"), "pipelineTaskName", class)["podTemplate"].(map[string]any)
			return template
		}
	}
	t.Fatal("no PipelineRun")
	return nil
}

func tektonStep(t *testing.T, objects []manifest.Object, class string) any {
	t.Helper()
	for _, o := range objects {
		if o.Kind() == "Task" && o.Name() == "build-"+class {
			return o.At("spec", "stepTemplate", "computeResources")
		}
	}
	t.Fatalf("no Task of class %s", class)
	return nil
}

// named finds the item of a list by the value of a key.
func named(t *testing.T, list any, key, value string) map[string]any {
	t.Helper()
	items, _ := list.([]any)
	for _, item := range items {
		if m, ok := item.(map[string]any); ok && m[key] == value {
			return m
		}
	}
	t.Fatalf("nothing has %s %s", key, value)
	return nil
}

func assertPlacedAs(t *testing.T, pod corev1.PodTemplateSpec, placement map[string]any, container string, resources any) {
	t.Helper()
	want, err := manifest.As[corev1.PodSpec](map[string]any{
		"affinity": placement["affinity"], "tolerations": placement["tolerations"],
		"containers": []any{map[string]any{"name": container, "resources": resources}},
	})
	require.NoError(t, err)
	assertPartOf(t, corev1.PodTemplateSpec{Spec: want}, pod)
}

// TestGitLabWaitsForNodes: what GitLab's configuration, which is TOML inside values,
// must say for each class.
func TestGitLabWaitsForNodes(t *testing.T) {
	poll := regexp.MustCompile(`poll_timeout = (\d+)\n`)
	for _, class := range classes {
		content, err := os.ReadFile(filepath.Join("..", "examples", "gitlab", "values-"+class+".yaml"))
		require.NoError(t, err)
		var values struct{ Runners struct{ Config string } }
		require.NoError(t, yaml.Unmarshal(content, &values))
		config := values.Runners.Config
		found := poll.FindStringSubmatch(config)
		require.NotNil(t, found)
		seconds, err := strconv.Atoi(found[1])
		require.NoError(t, err)
		assert.GreaterOrEqual(t, seconds, 600, "a node takes minutes to join")
		for _, line := range []string{
			`"buildpool.io/class=` + class + `" = "NoSchedule"`, `values = ["` + class + `"]`, `operator = "In"`,
			`"` + safeToEvict + `" = "false"`, "cpu_request = ", "memory_request = ", "helper_cpu_request = ", "service_cpu_request = ",
		} {
			assert.True(t, strings.Contains(config, line), "%s: %s", class, line)
		}
	}
}
