package e2e

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// class is what a build pod asks for, and where it must then land: the node group's
// name in buildpool and its scaling group, as in testdata.
type class struct {
	name         string
	nodeGroup    string
	scalingGroup string
	tolerations  []corev1.Toleration
	// half is a request of which two fit on a node and three do not; whole fits once.
	half, whole corev1.ResourceList
}

var (
	spot = class{
		name: "spot", nodeGroup: "builds-spot", scalingGroup: "asg-spot",
		tolerations: tolerate("buildpool.io/class", "spot"),
		half:        requests("3", "4Gi"), whole: requests("6", "8Gi"), // of 7.91 cores
	}
	normal = class{
		name: "normal", nodeGroup: "builds-normal", scalingGroup: "asg-normal",
		tolerations: tolerate("buildpool.io/class", "normal"),
		half:        requests("1500m", "2Gi"), whole: requests("3", "4Gi"), // of 3.5 cores
	}
	gpu = class{
		name: "gpu", nodeGroup: "builds-gpu", scalingGroup: "asg-gpu",
		tolerations: tolerate("nvidia.com/gpu", "present"),
		whole:       withGPU(requests("2", "8Gi")),
	}
)

func tolerate(key, value string) []corev1.Toleration {
	return []corev1.Toleration{{Key: key, Operator: corev1.TolerationOpEqual, Value: value, Effect: corev1.TaintEffectNoSchedule}}
}

func requests(cpu, memory string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
}

func withGPU(list corev1.ResourceList) corev1.ResourceList {
	list["nvidia.com/gpu"] = resource.MustParse("1")
	return list
}

// buildPod is a bare pod with one container, as a CI system starts it for a build
// of the class.
func buildPod(name string, c class, size corev1.ResourceList) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"build-class": c.name}},
		Spec: corev1.PodSpec{
			NodeSelector:  map[string]string{"buildpool.io/class": c.name},
			Tolerations:   c.tolerations,
			RestartPolicy: corev1.RestartPolicyNever,
			Containers:    []corev1.Container{container("build", size)},
		},
	}
}

// container asks for its size as request and, because an extended resource demands
// it, as limit.
func container(name string, size corev1.ResourceList) corev1.Container {
	return corev1.Container{
		Name: name, Image: "registry.invalid/" + name,
		Resources: corev1.ResourceRequirements{Requests: size, Limits: size},
	}
}

func (s *scenario) create(pods ...*corev1.Pod) {
	s.t.Helper()
	for _, pod := range pods {
		_, err := s.cluster.Client.CoreV1().Pods(s.namespace).Create(s.ctx, pod, metav1.CreateOptions{})
		require.NoError(s.t, err)
	}
}

// finish deletes the pods, as a CI system does when their builds are done.
func (s *scenario) finish(names ...string) {
	s.t.Helper()
	for _, name := range names {
		require.NoError(s.t, s.cluster.Client.CoreV1().Pods(s.namespace).Delete(s.ctx, name, metav1.DeleteOptions{}))
	}
}

// pods lists the test's pods of a class; an empty name means all.
func (s *scenario) pods(ctx context.Context, c class) ([]corev1.Pod, error) {
	options := metav1.ListOptions{}
	if c.name != "" {
		options.LabelSelector = "build-class=" + c.name
	}
	list, err := s.cluster.Client.CoreV1().Pods(s.namespace).List(ctx, options)
	if err != nil {
		return nil, fmt.Errorf("list pods: %w", err)
	}
	return list.Items, nil
}

// expectRunning checks that exactly so many pods of the class run.
func (s *scenario) expectRunning(ctx context.Context, c class, want int) error {
	pods, err := s.pods(ctx, c)
	if err != nil {
		return err
	}
	phases := map[corev1.PodPhase]int{}
	for _, pod := range pods {
		phases[pod.Status.Phase]++
	}
	if phases[corev1.PodRunning] != want {
		return fmt.Errorf("%d of %d %s pods run, want %d", phases[corev1.PodRunning], len(pods), c.name, want)
	}
	return nil
}

// runningOn waits for the pod to run and returns its node's name.
func (s *scenario) runningOn(within time.Duration, name string) string {
	s.t.Helper()
	var node string
	s.eventually(within, "pod "+name+" to run", func(ctx context.Context) error {
		pod, err := s.cluster.Client.CoreV1().Pods(s.namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return fmt.Errorf("read pod: %w", err)
		}
		if pod.Status.Phase != corev1.PodRunning {
			return fmt.Errorf("pod is %s: %v", pod.Status.Phase, pod.Status.Conditions)
		}
		node = pod.Spec.NodeName
		return nil
	})
	return node
}

// nodes lists the class's nodes that are Ready and open for builds, by name.
func (s *scenario) nodes(ctx context.Context, c class) ([]corev1.Node, error) {
	list, err := s.cluster.Client.CoreV1().Nodes().List(ctx, metav1.ListOptions{LabelSelector: "buildpool.io/class=" + c.name})
	if err != nil {
		return nil, fmt.Errorf("list nodes: %w", err)
	}
	return slices.DeleteFunc(list.Items, func(n corev1.Node) bool { return !usable(n) }), nil
}

func usable(n corev1.Node) bool {
	closed := slices.ContainsFunc(n.Spec.Taints, func(t corev1.Taint) bool { return t.Key == corev1.TaintNodeNotReady })
	return ready(&n) && !closed
}

func ready(n *corev1.Node) bool {
	return slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}
