package e2e

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestControlPlane: the ground that the other tests stand on, without buildpool. A
// fake node becomes ready and loses its taint, a pod is bound to it and runs, and a
// deleted pod goes.
func TestControlPlane(t *testing.T) {
	s := newBareScenario(t)
	s.createNode("by-hand", map[string]string{"buildpool.io/class": normal.name})
	s.eventually(20*time.Second, "the node to be usable", func(ctx context.Context) error { return s.expectNodes(ctx, normal, 1) })

	s.create(buildPod("build", normal, normal.half))
	require.Equal(t, "by-hand", s.runningOn(20*time.Second, "build"))

	s.finish("build")
	s.eventually(20*time.Second, "the pod to go", func(ctx context.Context) error {
		_, err := s.cluster.Client.CoreV1().Pods(s.namespace).Get(ctx, "build", metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read pod: %w", err)
		}
		return errors.New("it is still there")
	})
}

// createNode makes a fake node of four cores that belongs to no group.
func (s *scenario) createNode(name string, labels map[string]string) {
	s.t.Helper()
	resources := requests("4", "8Gi")
	resources[corev1.ResourcePods] = resource.MustParse("58")
	_, err := s.cluster.Client.CoreV1().Nodes().Create(s.ctx, &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, Labels: labels,
			Annotations: map[string]string{"kwok.x-k8s.io/node": "fake"},
		},
		Status: corev1.NodeStatus{Capacity: resources, Allocatable: resources},
	}, metav1.CreateOptions{})
	require.NoError(s.t, err)
}
