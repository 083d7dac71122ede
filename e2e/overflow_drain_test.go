package e2e

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
)

// TestOverflowAndScaleDown: three nodes with a pod each. CA drains the one whose
// Deployment tolerates the virtual node onto that; a Deployment that does not tolerate
// it, and that nobody makes tolerate it, keeps its node, and so does a bare build, until
// it has ended.
func TestOverflowAndScaleDown(t *testing.T) {
	w := newWorld()
	w.Overflow = []string{`{class: spot, podSelector: app=build, startWhen: {waitedFor: 2s, noGroupCanGrow: true}, margin: 30s, maxPods: 10}`}
	w.Serve = []string{"--kubeconfig", shared.controlPlane.Kubeconfig, "--overflow"}
	s := newScenario(t, w)
	s.startAutoscaler(autoscaler.Flags{"scale-down-utilization-threshold": "0.95", "scale-down-unneeded-time": "3s", "scale-down-delay-after-add": "2s"})

	s.deployMovable("tolerating", toVirtual)
	s.deployMovable("plain")
	s.create(movable("bare", spot))
	s.eventually(60*time.Second, "three nodes", func(ctx context.Context) error {
		return errors.Join(s.expectWhere(ctx, 0, 3, 0), s.expectSize(ctx, spot, 3))
	})
	s.createVirtualNode(map[string]string{"type": "virtual-kubelet"})
	drained := func(ctx context.Context) error {
		return errors.Join(s.expectWhere(ctx, 1, 2, 0), s.expectSize(ctx, spot, 2), s.expectOnVirtual(ctx, "tolerating"))
	}
	s.eventually(90*time.Second, "the tolerating Deployment to be drained onto the virtual node", drained)
	s.holds(8*time.Second, "the others", drained)

	s.finish("bare")
	s.eventually(60*time.Second, "the build's node to go", func(ctx context.Context) error { return s.expectSize(ctx, spot, 1) })

	// A second pod of the plain Deployment waits longer than its class has builds wait.
	scale, err := s.cluster.Client.AppsV1().Deployments(s.namespace).GetScale(s.ctx, "plain", metav1.GetOptions{})
	require.NoError(t, err)
	scale.Spec.Replicas = 2
	_, err = s.cluster.Client.AppsV1().Deployments(s.namespace).UpdateScale(s.ctx, "plain", scale, metav1.UpdateOptions{})
	require.NoError(t, err)
	s.eventually(60*time.Second, "it to have a real node", func(ctx context.Context) error { return s.expectWhere(ctx, 1, 2, 0) })
	refused, err := s.provider.Sum(s.ctx, "buildpool_overflow_refused_total", map[string]string{"reason": "deployment"})
	require.NoError(t, err)
	assert.Positive(t, refused)
	s.expectNoTrouble()
}

// deployMovable makes a Deployment of one pod that fills a spot node.
func (s *scenario) deployMovable(name string, more ...corev1.Toleration) {
	s.t.Helper()
	pod := movable(name, spot)
	pod.Spec.RestartPolicy = corev1.RestartPolicyAlways
	pod.Spec.Tolerations = append(pod.Spec.Tolerations, more...)
	pod.Labels["deployment"] = name
	one := int32(1)
	_, err := s.cluster.Client.AppsV1().Deployments(s.namespace).Create(s.ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &one, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"deployment": name}},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: pod.Labels}, Spec: pod.Spec},
		},
	}, metav1.CreateOptions{})
	require.NoError(s.t, err)
}

// expectOnVirtual checks that the Deployment's pod is on the virtual node.
func (s *scenario) expectOnVirtual(ctx context.Context, deployment string) error {
	pods, err := s.cluster.Client.CoreV1().Pods(s.namespace).List(ctx, metav1.ListOptions{LabelSelector: "deployment=" + deployment})
	if err != nil {
		return fmt.Errorf("list pods: %w", err)
	}
	for _, p := range pods.Items {
		if p.Spec.NodeName == virtualNode {
			return nil
		}
	}
	return fmt.Errorf("no pod of %s is on the virtual node", deployment)
}
