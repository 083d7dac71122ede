package e2e

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
	"github.com/buildpool/buildpool/e2e/internal/deploy"
	"github.com/buildpool/buildpool/e2e/internal/metrics"
	"github.com/buildpool/buildpool/e2e/internal/objects"
)

const (
	controllerFile = "examples/jenkins/controller.yaml"
	zone           = "topology.kubernetes.io/zone"
	safeToEvict    = "cluster-autoscaler.kubernetes.io/safe-to-evict"
)

// TestJenkinsController: the controller of deploy/examples/jenkins runs beside the
// builds' nodes. Its node goes, and it comes back on another one of its volume's zone,
// with its claim. For its sake no group grows. Should it stand on a build node, CA
// leaves it and its node alone, as idle as they are; the same pod without the annotation
// is evicted, and its node removed.
func TestJenkinsController(t *testing.T) {
	s := newBareScenario(t)
	for name, in := range map[string]string{"system-a": "cn-hangzhou-h", "system-b": "cn-hangzhou-h", "elsewhere": "cn-hangzhou-i"} {
		s.createNode(name, map[string]string{zone: in})
	}
	volume, err := objects.Read(filepath.Join("testdata", "jenkins-volume.yaml"))
	require.NoError(t, err)
	controller, err := deploy.Read(controllerFile)
	require.NoError(t, err)
	s.apply(volume...)
	s.apply(controller...)
	first := s.awaitPod(30*time.Second, "ci", "jenkins-0", running)
	claim := s.claim("home-jenkins-0")
	require.Equal(t, "jenkins-home", claim.Spec.VolumeName)

	w := newWorld()
	w.Spot.Existing = 2
	s.startSimulator(w)
	s.startProvider(w)
	s.eventually(30*time.Second, "the build nodes", func(ctx context.Context) error { return s.expectNodes(ctx, spot, 2) })
	s.createStateful(s.strayController("kept", nil))
	kept := s.awaitPod(20*time.Second, s.namespace, "kept-0", running)
	s.createStateful(s.strayController("moved", func(pod *corev1.PodTemplateSpec) { delete(pod.Annotations, safeToEvict) }))
	moved := s.awaitPod(20*time.Second, s.namespace, "moved-0", running)
	require.NotEqual(t, kept.Spec.NodeName, moved.Spec.NodeName)

	require.NoError(t, s.cluster.Client.CoreV1().Nodes().Delete(s.ctx, first.Spec.NodeName, metav1.DeleteOptions{}))
	s.startAutoscaler(autoscaler.Flags{
		"scale-down-unneeded-time": "3s",
		// Its /tmp is no reason to keep a node here: the annotation has to be.
		"skip-nodes-with-local-storage": "false",
	})
	gone := s.instanceOf(moved.Spec.NodeName)
	s.awaitPod(60*time.Second, s.namespace, "moved-0", another(moved))
	s.eventually(30*time.Second, "its node to go", func(ctx context.Context) error { return s.expectSize(ctx, spot, 1) })
	require.Equal(t, []string{gone}, s.removed())
	require.NoError(t, s.cluster.Client.AppsV1().StatefulSets(s.namespace).Delete(s.ctx, "moved", metav1.DeleteOptions{}))

	// The API server holds on to the pods of a node that is gone for up to a minute.
	again := s.awaitPod(90*time.Second, "ci", "jenkins-0", another(first))
	assert.Contains(t, []string{"system-a", "system-b"}, again.Spec.NodeName)
	now := s.claim("home-jenkins-0")
	assert.Equal(t, claim.UID, now.UID)
	assert.Equal(t, claim.Spec.VolumeName, now.Spec.VolumeName)
	s.holds(8*time.Second, "both controllers", func(ctx context.Context) error {
		return errors.Join(
			s.expectPod(ctx, "ci", "jenkins-0", same(again)),
			s.expectPod(ctx, s.namespace, "kept-0", same(kept)),
			s.expectSize(ctx, spot, 1))
	})
	s.expectOnlyMovedEvicted()
}

// expectOnlyMovedEvicted checks by what CA says itself that it evicted one pod, removed
// one node, and keeps the other one for the annotation of its pod.
func (s *scenario) expectOnlyMovedEvicted() {
	s.t.Helper()
	text, err := s.autoscaler.Metrics(s.ctx)
	require.NoError(s.t, err)
	samples, err := metrics.Parse(text)
	require.NoError(s.t, err)
	kept, err := s.autoscaler.LogLines(regexp.MustCompile(`cannot be removed: pod annotated as not safe to evict present: kept-0`))
	require.NoError(s.t, err)
	assert.NotEmpty(s.t, kept)
	assert.EqualValues(s.t, 1, samples.Sum("cluster_autoscaler_unremovable_nodes_count", metrics.Labels{"reason": "BlockedByPod"}))
	assert.EqualValues(s.t, 1, samples.Sum("cluster_autoscaler_evicted_pods_total", nil))
	assert.EqualValues(s.t, 1, samples.Sum("cluster_autoscaler_scaled_down_nodes_total", nil))
	assert.Zero(s.t, samples.Sum("cluster_autoscaler_scaled_up_nodes_total", nil))
}

// strayController is the controller of the examples as it must not be: on spot nodes,
// with its home in an empty directory, because there is one volume only.
func (s *scenario) strayController(name string, change func(*corev1.PodTemplateSpec)) *appsv1.StatefulSet {
	s.t.Helper()
	read, err := deploy.Read(controllerFile)
	require.NoError(s.t, err)
	object, err := objects.Find(read, "StatefulSet", "jenkins")
	require.NoError(s.t, err)
	set, err := objects.As[appsv1.StatefulSet](object)
	require.NoError(s.t, err)
	set.ObjectMeta = metav1.ObjectMeta{Name: name}
	set.Spec.VolumeClaimTemplates = nil
	labels := map[string]string{"app": name}
	set.Spec.Selector.MatchLabels, set.Spec.Template.Labels = labels, labels
	pod := &set.Spec.Template
	pod.Spec.ServiceAccountName = ""
	pod.Spec.Affinity = nil
	pod.Spec.NodeSelector = map[string]string{"buildpool.io/class": spot.name}
	pod.Spec.Tolerations = slices.Concat(pod.Spec.Tolerations, spot.tolerations)
	pod.Spec.Volumes = append(pod.Spec.Volumes, corev1.Volume{
		Name: "home", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}},
	})
	if change != nil {
		change(pod)
	}
	return &set
}

func (s *scenario) createStateful(set *appsv1.StatefulSet) {
	s.t.Helper()
	_, err := s.cluster.Client.AppsV1().StatefulSets(s.namespace).Create(s.ctx, set, metav1.CreateOptions{})
	require.NoError(s.t, err)
}

func (s *scenario) claim(name string) *corev1.PersistentVolumeClaim {
	s.t.Helper()
	claim, err := s.cluster.Client.CoreV1().PersistentVolumeClaims("ci").Get(s.ctx, name, metav1.GetOptions{})
	require.NoError(s.t, err)
	require.Equal(s.t, corev1.ClaimBound, claim.Status.Phase)
	return claim
}

// expectation says what is wrong with a pod.
type expectation func(*corev1.Pod) error

func running(pod *corev1.Pod) error {
	if pod.Status.Phase != corev1.PodRunning || pod.DeletionTimestamp != nil {
		return fmt.Errorf("pod %s is %s, deleted at %v: %v", pod.Name, pod.Status.Phase, pod.DeletionTimestamp, pod.Status.Conditions)
	}
	return nil
}

// another runs, and elsewhere than the one before.
func another(before *corev1.Pod) expectation {
	return func(pod *corev1.Pod) error {
		if pod.UID == before.UID || pod.Spec.NodeName == before.Spec.NodeName {
			return fmt.Errorf("it is the pod that was there before, or on the same node %s", pod.Spec.NodeName)
		}
		return running(pod)
	}
}

// same runs, and is the one from before.
func same(before *corev1.Pod) expectation {
	return func(pod *corev1.Pod) error {
		if pod.UID != before.UID {
			return fmt.Errorf("pod %s was made again", pod.Name)
		}
		return running(pod)
	}
}

func (s *scenario) expectPod(ctx context.Context, namespace, name string, is expectation) error {
	pod, err := s.cluster.Client.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("read pod: %w", err)
	}
	return is(pod)
}

// awaitPod waits until the pod is as expected and returns it.
func (s *scenario) awaitPod(within time.Duration, namespace, name string, is expectation) *corev1.Pod {
	s.t.Helper()
	var found *corev1.Pod
	s.eventually(within, "pod "+namespace+"/"+name, func(ctx context.Context) error {
		return s.expectPod(ctx, namespace, name, func(pod *corev1.Pod) error {
			found = pod
			return is(pod)
		})
	})
	return found
}
