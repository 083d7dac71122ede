package e2e

import (
	"context"
	"fmt"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// createSpread makes a deployment of small pods on normal nodes, each on another one if
// there is one.
func (s *scenario) createSpread(name string, replicas int32) {
	s.t.Helper()
	pod := buildPod(name, normal, requests("100m", "128Mi"))
	pod.Labels = map[string]string{"app": name}
	pod.Spec.RestartPolicy = corev1.RestartPolicyAlways
	selector := &metav1.LabelSelector{MatchLabels: pod.Labels}
	pod.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
		PreferredDuringSchedulingIgnoredDuringExecution: []corev1.WeightedPodAffinityTerm{{
			Weight: 100, PodAffinityTerm: corev1.PodAffinityTerm{LabelSelector: selector, TopologyKey: corev1.LabelHostname},
		}},
	}}
	_, err := s.cluster.Client.AppsV1().Deployments(s.namespace).Create(s.ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas, Selector: selector,
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: pod.Labels}, Spec: pod.Spec},
		},
	}, metav1.CreateOptions{})
	require.NoError(s.t, err)
}

// expectSpread checks that exactly so many of its pods run, on so many nodes.
func (s *scenario) expectSpread(ctx context.Context, name string, pods, nodes int) error {
	list, err := s.cluster.Client.CoreV1().Pods(s.namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + name})
	if err != nil {
		return fmt.Errorf("list pods: %w", err)
	}
	if len(list.Items) != pods {
		return fmt.Errorf("%d pods of %s, want %d", len(list.Items), name, pods)
	}
	on := map[string]bool{}
	for i := range list.Items {
		if err := running(&list.Items[i]); err != nil {
			return err
		}
		on[list.Items[i].Spec.NodeName] = true
	}
	if len(on) != nodes {
		return fmt.Errorf("the pods of %s are on %d nodes, want %d", name, len(on), nodes)
	}
	return nil
}
