package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
	"github.com/buildpool/buildpool/e2e/internal/objects"
)

// TestExplain: builds that wait for different reasons in one cluster, and the program
// names the reason of each, from the cluster as it is and from a saved dump.
func TestExplain(t *testing.T) {
	w := newWorld()
	w.SpotSoldOut, w.Normal.Max, w.Join = true, 1, 8*time.Second
	w.NormalFloor = "cooldown: {afterScaleUp: 10m}"
	s := newScenario(t, w)
	s.startAutoscaler(autoscaler.Flags{})
	s.applyText(obstacles)

	label, taint, request, gated := buildPod("label", spot, spot.half), buildPod("taint", spot, spot.half), buildPod("request", normal, requests("64", "4Gi")), buildPod("gated", normal, normal.half)
	label.Spec.NodeSelector["buildpool.io/class"] = "arm"
	taint.Spec.Tolerations = nil
	gated.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "example.com/hold"}}
	priority, beside := buildPod("priority", gpu, gpu.whole), buildPod("beside", gpu, requests("1", "1Gi"))
	priority.Spec.PriorityClassName = "expendable-build"
	beside.Spec.Affinity = &corev1.Affinity{PodAffinity: &corev1.PodAffinity{RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{
		{LabelSelector: metav1.SetAsLabelSelector(map[string]string{"app": "cache"}), TopologyKey: corev1.LabelHostname},
	}}}
	s.create(label, taint, request, gated, priority,
		claiming(buildPod("volume", gpu, requests("1", "1Gi")), "elsewhere"), claiming(buildPod("claim", gpu, requests("1", "1Gi")), "nobody-made-it"),
		buildPod("stock", spot, spot.whole), buildPod("gpu", gpu, gpu.whole), buildPod("first", normal, normal.whole))

	s.expectCause("gpu", "a node is on its way")
	s.runningOn(60*time.Second, "first")
	s.create(buildPod("second", normal, normal.whole))

	causes := map[string]string{
		"label": "label", "taint": "taint", "request": "request", "gated": "gated", "priority": "low priority",
		"volume": "volume", "claim": "volume",
		"stock": "out of stock", "second": "max", "first": "not waiting",
	}
	for name, cause := range causes {
		s.expectCause(name, cause)
	}
	s.runningOn(60*time.Second, "gpu")
	s.expectCause("gpu", "not waiting")
	s.create(beside) // there is room for it, but not what it wants to be beside
	causes["beside"] = "cluster-autoscaler declined"
	s.expectCause("beside", causes["beside"])
	s.expectDumpAgrees(map[string]string{"builds-normal": "max", "builds-spot": "out of stock", "builds-gpu": "can grow"}, slices.Collect(maps.Keys(causes))...)
	assert.Regexp(t, `does not go below 1 node: .*cooldown`, strings.Join(s.explained("group", normal.nodeGroup).Notes, "\n"))

	// The autoscaler found no more than these to grow for.
	assert.Equal(t, []int{1}, s.totals(s.increases(normal)))
	assert.Equal(t, []int{1}, s.totals(s.increases(gpu)))
	require.NoError(t, s.expectSize(s.ctx, spot, 0))

	require.NoError(t, s.simulator.LimitInstances(s.ctx, 2)) // which there are
	s.create(buildPod("quota", gpu, gpu.whole))
	s.expectCause("quota", "quota")
	s.expectDumpAgrees(map[string]string{"builds-gpu": "quota"}, "quota")
}

// TestExplainDryRun: nothing stops the build but that the server sends no write.
func TestExplainDryRun(t *testing.T) {
	w := newWorld()
	w.Serve = []string{"--dry-run"}
	s := newScenario(t, w)
	s.startAutoscaler(autoscaler.Flags{"scale-down-enabled": "false"})
	s.create(buildPod("build", spot, spot.whole))
	s.eventually(30*time.Second, "CA to ask for a node", func(context.Context) error { return atLeastOne(s.autoscaler.Plans()) })
	s.expectCause("build", "dry run")
	s.expectDumpAgrees(map[string]string{"builds-spot": "dry run"}, "build")
	assert.Empty(t, s.increases(spot))
}

// obstacles are a priority below which CA adds no nodes, and a claim that is bound to a
// volume of a zone without nodes.
const obstacles = `
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {name: expendable-build}
value: -20
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: elsewhere}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  storageClassName: by-hand
  claimRef: {namespace: testexplain, name: elsewhere}
  local: {path: /elsewhere}
  nodeAffinity:
    required:
      nodeSelectorTerms:
        - matchExpressions: [{key: topology.kubernetes.io/zone, operator: In, values: [cn-hangzhou-z]}]
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: elsewhere, namespace: testexplain}
spec:
  accessModes: [ReadWriteOnce]
  storageClassName: by-hand
  volumeName: elsewhere
  resources: {requests: {storage: 1Gi}}
`

func (s *scenario) applyText(text string) {
	s.t.Helper()
	list, err := objects.Parse([]byte(text))
	require.NoError(s.t, err)
	s.apply(list...)
}

// claiming is the pod with a volume of the claim.
func claiming(pod *corev1.Pod, claim string) *corev1.Pod {
	pod.Spec.Volumes = []corev1.Volume{{Name: "cache", VolumeSource: corev1.VolumeSource{
		PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim},
	}}}
	return pod
}

// expectDumpAgrees checks that a dump tells of the pods and groups what the cluster does
// at that moment, and that of the groups it is this.
func (s *scenario) expectDumpAgrees(groups map[string]string, pods ...string) {
	s.t.Helper()
	dump := filepath.Join(s.dir, "dump.json")
	require.NoError(s.t, os.WriteFile(dump, s.explain("dump"), 0o600))
	for _, name := range pods {
		pod := s.namespace + "/" + name
		assert.Equal(s.t, s.explained("pod", pod).gist(), s.explained("pod", pod, "--from", dump).gist(), name)
	}
	for name, cause := range groups {
		live := s.explained("group", name)
		assert.Equal(s.t, cause, live.Cause, live.Answer)
		assert.Equal(s.t, live.gist(), s.explained("group", name, "--from", dump).gist(), name)
	}
}

// explanation is what -o json prints, as far as the tests look.
type explanation struct {
	Cause, Answer string
	Notes         []string
	Groups        []struct {
		Group     string
		Obstacles []struct{ Cause string }
	}
}

// gist is the explanation without sentences, which name the seconds that have passed.
func (e explanation) gist() string {
	text := e.Cause
	for _, g := range e.Groups {
		text += fmt.Sprintf("; %s %v", g.Group, g.Obstacles)
	}
	return text
}

// expectCause waits until the program explains the pod so.
func (s *scenario) expectCause(pod, cause string) {
	s.t.Helper()
	s.eventually(40*time.Second, fmt.Sprintf("pod %s to be explained by %q", pod, cause), func(context.Context) error {
		if e := s.explained("pod", s.namespace+"/"+pod); e.Cause != cause {
			return fmt.Errorf("it is %q: %s", e.Cause, e.Answer)
		}
		return nil
	})
}

func (s *scenario) explained(args ...string) explanation {
	s.t.Helper()
	var e explanation
	require.NoError(s.t, json.Unmarshal(s.explain(append(args, "-o", "json")...), &e))
	return e
}

func (s *scenario) explain(args ...string) []byte {
	s.t.Helper()
	args = append([]string{"explain"}, args...)
	command := exec.CommandContext(s.ctx, shared.buildpool, append(args, "--server", s.provider.HTTP(), "--kubeconfig", s.cluster.Kubeconfig)...)
	out, err := command.Output()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		require.NoError(s.t, err, string(failed.Stderr))
	}
	require.NoError(s.t, err)
	return out
}
