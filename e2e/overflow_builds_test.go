package e2e

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/buildpool/buildpool/e2e/internal/metrics"
	"github.com/buildpool/buildpool/e2e/internal/process"
	"github.com/buildpool/buildpool/e2e/internal/provider"
)

const (
	virtualNode  = "virtual-node"
	virtualTaint = "virtual-kubelet.io/provider"
)

// createVirtualNode makes a node as a virtual kubelet registers it: large, tainted, and
// of no instance.
func (s *scenario) createVirtualNode(labels map[string]string) {
	s.t.Helper()
	room := requests("1000", "4000Gi")
	room[corev1.ResourcePods] = resource.MustParse("1000")
	labels["buildpool.io/class"] = "virtual"
	_, err := s.cluster.Client.CoreV1().Nodes().Create(s.ctx, &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: virtualNode, Labels: labels,
			Annotations: map[string]string{"kwok.x-k8s.io/node": "fake"},
		},
		Spec:   corev1.NodeSpec{Taints: []corev1.Taint{{Key: virtualTaint, Value: "alibabacloud", Effect: corev1.TaintEffectNoSchedule}}},
		Status: corev1.NodeStatus{Capacity: room, Allocatable: room},
	}, metav1.CreateOptions{})
	require.NoError(s.t, err)
}

func (s *scenario) labelVirtualNode(key, value string) {
	s.t.Helper()
	patch := fmt.Appendf(nil, `{"metadata":{"labels":{%q:%q}}}`, key, value)
	_, err := s.cluster.Client.CoreV1().Nodes().Patch(s.ctx, virtualNode, types.MergePatchType, patch, metav1.PatchOptions{})
	require.NoError(s.t, err)
}

// movable is a build that a virtual node could take, too: of the class or virtual, and
// opted in. It fills a node.
func movable(name string, c class) *corev1.Pod {
	pod := buildPod(name, c, c.whole)
	pod.Labels["app"] = "build"
	pod.Spec.NodeSelector = nil
	pod.Spec.Affinity = toClassOrVirtual(c)
	return pod
}

func toClassOrVirtual(c class) *corev1.Affinity {
	return &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{{
				Key: "buildpool.io/class", Operator: corev1.NodeSelectorOpIn, Values: []string{c.name, "virtual"},
			}}}},
		},
	}}
}

// toVirtual is the toleration that lets a pod onto the virtual node.
var toVirtual = corev1.Toleration{Key: virtualTaint, Operator: corev1.TolerationOpExists}

// tolerateByHand does what a router without any look at nodes on their way would do.
func (s *scenario) tolerateByHand(name string) {
	s.t.Helper()
	pod, err := s.cluster.Client.CoreV1().Pods(s.namespace).Get(s.ctx, name, metav1.GetOptions{})
	require.NoError(s.t, err)
	pod.Spec.Tolerations = append(pod.Spec.Tolerations, toVirtual)
	_, err = s.cluster.Client.CoreV1().Pods(s.namespace).Update(s.ctx, pod, metav1.UpdateOptions{})
	require.NoError(s.t, err)
}

// expectWhere checks how many of the test's pods run on the virtual node, on real nodes,
// and wait.
func (s *scenario) expectWhere(ctx context.Context, virtual, real, waiting int) error {
	pods, err := s.pods(ctx, class{})
	if err != nil {
		return err
	}
	var got [3]int
	for _, p := range pods {
		switch {
		case p.Status.Phase == corev1.PodPending:
			got[2]++
		case p.Spec.NodeName == virtualNode:
			got[0]++
		default:
			got[1]++
		}
	}
	if want := [3]int{virtual, real, waiting}; got != want {
		return fmt.Errorf("on the virtual node, on real ones and waiting are %v, want %v", got, want)
	}
	return nil
}

// expectToleratedOnce checks that no pod was given the toleration twice, and how many
// have it.
func (s *scenario) expectToleratedOnce(want int) {
	s.t.Helper()
	pods, err := s.pods(s.ctx, class{})
	require.NoError(s.t, err)
	tolerating := 0
	for _, p := range pods {
		n := 0
		for _, t := range p.Spec.Tolerations {
			if t.Key == virtualTaint {
				n++
			}
		}
		assert.LessOrEqual(s.t, n, 1, "pod %s", p.Name)
		tolerating += n
	}
	assert.Equal(s.t, want, tolerating, "pods with the toleration")
}

// expectTold waits for an event of ours on the pod.
func (s *scenario) expectTold(pod, reason, says string) {
	s.t.Helper()
	s.eventually(20*time.Second, "pod "+pod+" to be told", func(ctx context.Context) error {
		events, err := s.cluster.Client.CoreV1().Events(s.namespace).List(ctx, metav1.ListOptions{FieldSelector: "reason=" + reason + ",involvedObject.name=" + pod})
		if err != nil {
			return fmt.Errorf("list events: %w", err)
		}
		if len(events.Items) == 0 {
			return errors.New("no such event")
		}
		assert.Len(s.t, events.Items, 1)
		assert.Contains(s.t, events.Items[0].Message, says)
		return nil
	})
}

// mover is a running `buildpool overflow`.
type mover struct {
	*process.Process
	s    *scenario
	http string
}

func (s *scenario) startMover(name string, args ...string) *mover {
	s.t.Helper()
	address, err := process.FreeAddress()
	require.NoError(s.t, err)
	started, err := process.Start(process.Spec{
		Name: name, Path: shared.buildpool, LogDir: s.dir,
		Args: append([]string{
			"overflow", "--config", s.dir + "/nodegroups.yaml", "--server", s.provider.HTTP(),
			"--kubeconfig", s.cluster.Kubeconfig, "--http-address", address, "--log-level", "debug",
		}, args...),
	})
	require.NoError(s.t, err)
	s.t.Cleanup(started.Kill)
	m := &mover{Process: started, s: s, http: address}
	ctx, cancel := context.WithTimeout(s.ctx, 30*time.Second)
	defer cancel()
	require.NoError(s.t, started.WaitReady(ctx, provider.Adopt(started, address).Ready))
	return m
}

// sum adds up a metric of the mover.
func (m *mover) sum(name string, labels metrics.Labels) int {
	m.s.t.Helper()
	n, err := provider.Adopt(m.Process, m.http).Sum(m.s.ctx, name, labels)
	require.NoError(m.s.t, err)
	return int(n)
}

// validate runs `buildpool validate --live` on the test's file and returns what it says.
func (s *scenario) validate() string {
	s.t.Helper()
	command := exec.CommandContext(s.ctx, shared.buildpool, "validate", "--live", "--ess-endpoint", s.simulator.URL,
		"--kubeconfig", s.cluster.Kubeconfig, s.dir+"/nodegroups.yaml")
	command.Env = append(command.Environ(), "ALIBABA_CLOUD_ACCESS_KEY_ID=sim-access-key", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=sim-secret")
	out, err := command.CombinedOutput()
	if failed := (*exec.ExitError)(nil); err != nil && !errors.As(err, &failed) {
		require.NoError(s.t, err)
	}
	return string(out)
}
