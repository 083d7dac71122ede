package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/explain"
)

// aDump is an afternoon in which ci/build waits for the spot group, which is out of
// stock. Its containers hold what must not be kept.
func aDump(t *testing.T) explainDump {
	t.Helper()
	status := anAfternoon()
	spotty := &status.Groups[1]
	spotty.Placeholders, spotty.Creating, spotty.Target, spotty.Running = 0, 0, 0, 0
	spotty.Template = cloudprovider.NodeTemplate{
		Labels:      map[string]string{cloudprovider.LabelClass: "spot"},
		Taints:      []corev1.Taint{{Key: "buildpool.io/class", Value: "spot", Effect: corev1.TaintEffectNoSchedule}},
		Allocatable: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("7910m"), corev1.ResourcePods: resource.MustParse("110")},
	}
	spotty.Troubles = []cloudprovider.Skip{{Reason: cloudprovider.SkippedOutOfStock, Code: "OperationDenied.NoStock", At: threePM.Add(-time.Minute), Until: threePM.Add(4 * time.Minute)}}
	for n, g := range []*nodegroups.GroupStatus{&status.Groups[0], &status.Groups[3]} {
		g.Template = cloudprovider.NodeTemplate{Labels: map[string]string{cloudprovider.LabelClass: "normal", "size": []string{"small", "large"}[n]}, Allocatable: spotty.Template.Allocatable}
	}
	pod := corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ci", Name: "build", Annotations: map[string]string{"a": "s3cret"}},
		Spec: corev1.PodSpec{
			NodeSelector: map[string]string{cloudprovider.LabelClass: "spot"},
			Tolerations:  []corev1.Toleration{{Key: "buildpool.io/class", Operator: corev1.TolerationOpExists}},
			Containers: []corev1.Container{{
				Name: "build", Image: "registry/s3cret", Command: []string{"s3cret"}, Args: []string{"s3cret"},
				Env:       []corev1.EnvVar{{Name: "TOKEN", Value: "s3cret"}},
				Resources: corev1.ResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("4")}},
			}},
			InitContainers: []corev1.Container{{Name: "init", Env: []corev1.EnvVar{{Name: "TOKEN", Value: "s3cret"}}}},
			Volumes:        []corev1.Volume{{Name: "s3cret"}},
		},
		Status: corev1.PodStatus{
			Phase:             corev1.PodPending,
			Conditions:        []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "0/3 nodes are available."}},
			ContainerStatuses: []corev1.ContainerStatus{{Name: "build", Image: "registry/s3cret", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull", Message: "s3cret"}}}},
		},
	}
	node := corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n", Annotations: map[string]string{"a": "s3cret"}}}
	return explainDump{
		APIVersion: statusVersion, Kind: explainDumpKind, Status: reportOn(status, threePM, "", "1.35+"),
		Pods: []corev1.Pod{keptPod(pod)}, Nodes: []corev1.Node{keptNode(node)},
		Events: []explain.Event{{Pod: "ci/build", Reason: "NotTriggerScaleUp", Message: "pod didn't trigger scale-up", At: threePM.Add(-9 * time.Second)}},
	}
}

func saved(t *testing.T, v any) string {
	t.Helper()
	content, err := json.Marshal(v)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "dump.json")
	require.NoError(t, os.WriteFile(path, content, 0o600))
	return path
}

func TestExplainADump(t *testing.T) {
	file := saved(t, aDump(t))
	content, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.NotContains(t, string(content), "s3cret")

	var w world
	require.Zero(t, w.run(t.Context(), "explain", "pod", "ci/build", "--from", file), w.stderr.String())
	assert.Equal(t, `pod ci/build

It fits, but for now nothing grows for it. The nearest is builds-spot: 1m00s ago the cloud had no instance to give (OperationDenied.NoStock); the expander prefers other groups for another 4m00s; cluster-autoscaler leaves a group alone for 5 to 30 minutes after that.
It may be tried again in 4m00s.

builds-spot
  out of stock: 1m00s ago the cloud had no instance to give (OperationDenied.NoStock); the expander prefers other groups for another 4m00s; cluster-autoscaler leaves a group alone for 5 to 30 minutes after that

builds-normal
  label: the pod asks for nodes with buildpool.io/class=spot, and these have buildpool.io/class=normal

odd
  label: the pod asks for nodes with buildpool.io/class=spot, and these have buildpool.io/class=normal

gpu
  not served: cluster-autoscaler is not offered it: no scaling group carries its tags

scheduler: 0/3 nodes are available.
cluster-autoscaler, 9s ago: NotTriggerScaleUp: pod didn't trigger scale-up
`, w.stdout.String())

	w = world{}
	require.Zero(t, w.run(t.Context(), "explain", "group", "builds-spot", "--from", file, "-o", "json"), w.stderr.String())
	var report explanationReport
	require.NoError(t, json.Unmarshal([]byte(w.stdout.String()), &report))
	assert.Equal(t, explain.OutOfStock, report.Cause)
	assert.Contains(t, report.Notes, "1 pod waits that it would take.")

	w = world{}
	require.Zero(t, w.run(t.Context(), "explain", "dump", "--from", file), w.stderr.String())
	assert.JSONEq(t, string(content), w.stdout.String(), "a dump of a dump is itself")
}

func TestExplainRefuses(t *testing.T) {
	file := saved(t, aDump(t))
	other := aDump(t)
	other.APIVersion = "buildpool/v2"
	for name, c := range map[string]struct {
		arguments []string
		says      string
	}{
		"no namespace":      {[]string{"pod", "build", "--from", file}, `"build" is no pod: want NAMESPACE/NAME`},
		"no such pod":       {[]string{"pod", "ci/nobody", "--from", file}, "explain pod ci/nobody: there is no such pod, or it has ended"},
		"no such group":     {[]string{"group", "none", "--from", file}, "explain group none: there is no such group (there are: builds-normal"},
		"no file":           {[]string{"group", "gpu", "--from", "/nowhere.json"}, "read the dump"},
		"another file":      {[]string{"group", "gpu", "--from", saved(t, map[string]string{"kind": "Pod"})}, "is not one of buildpool explain dump"},
		"a newer file":      {[]string{"group", "gpu", "--from", saved(t, other)}, `speaks "buildpool/v2"`},
		"another form":      {[]string{"group", "gpu", "--from", file, "-o", "yaml"}, `--output is "yaml"`},
		"no server":         {[]string{"group", "gpu", "--server", "localhost"}, `--server is "localhost"`},
		"a cluster nowhere": {[]string{"group", "gpu", "--server", anAnswer(t), "--kubeconfig", "/nowhere/config"}, "reach the cluster"},
	} {
		t.Run(name, func(t *testing.T) {
			var w world
			assert.Equal(t, 1, w.run(t.Context(), append([]string{"explain"}, c.arguments...)...))
			assert.Contains(t, w.stderr.String(), c.says)
		})
	}
}

// anAnswer is the address of a server that answers with a status.
func anAnswer(t *testing.T) string {
	s := start(t, nil, "--simulate")
	s.awaitReady(t)
	return s.http
}
