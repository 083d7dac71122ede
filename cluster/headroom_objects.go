package cluster

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	appsac "k8s.io/client-go/applyconfigurations/apps/v1"
	coreac "k8s.io/client-go/applyconfigurations/core/v1"
	metaac "k8s.io/client-go/applyconfigurations/meta/v1"

	"github.com/buildpool/buildpool/cloudprovider"
)

// headroomName names what keeps a group's room.
func headroomName(group string) string { return "headroom-" + group }

func (h *Headroom) applyPods(ctx context.Context, s Spare) error {
	labels := map[string]string{cloudprovider.LabelHeadroom: s.Group}
	deployment := appsac.Deployment(headroomName(s.Group), h.settings.Namespace).
		WithLabels(labels).
		WithSpec(appsac.DeploymentSpec().
			WithReplicas(int32(s.Slots)).
			WithRevisionHistoryLimit(0).
			WithSelector(metaac.LabelSelector().WithMatchLabels(labels)).
			WithTemplate(h.podTemplate(s)))
	_, err := h.client.AppsV1().Deployments(h.settings.Namespace).Apply(ctx, deployment, applying)
	if err != nil {
		return fmt.Errorf("apply Deployment: %w", err)
	}
	return nil
}

func (h *Headroom) applyBuffer(ctx context.Context, kind schema.GroupVersionResource, s Spare) error {
	name := headroomName(s.Group)
	template := coreac.PodTemplate(name, h.settings.Namespace).
		WithLabels(map[string]string{cloudprovider.LabelHeadroom: s.Group}).
		WithTemplate(h.podTemplate(s))
	if _, err := h.client.CoreV1().PodTemplates(h.settings.Namespace).Apply(ctx, template, applying); err != nil {
		return fmt.Errorf("apply PodTemplate: %w", err)
	}
	buffer := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": kind.GroupVersion().String(),
		"kind":       "CapacityBuffer",
		"metadata": map[string]any{
			"name": name, "namespace": h.settings.Namespace,
			"labels": map[string]any{cloudprovider.LabelHeadroom: s.Group},
		},
		"spec": map[string]any{
			"provisioningStrategy": "buffer.x-k8s.io/active-capacity",
			"podTemplateRef":       map[string]any{"name": name},
			"replicas":             int64(s.Slots),
		},
	}}
	if _, err := h.dynamic.Resource(kind).Namespace(h.settings.Namespace).Apply(ctx, name, buffer, applying); err != nil {
		return fmt.Errorf("apply CapacityBuffer: %w", err)
	}
	return nil
}

var applying = metav1.ApplyOptions{FieldManager: fieldManager, Force: true}

// podTemplate is a pod of a slot's size that only the group's nodes can hold, that
// does nothing, and that goes at once: a build waits for its place.
func (h *Headroom) podTemplate(s Spare) *coreac.PodTemplateSpecApplyConfiguration {
	requests := s.Requests.DeepCopy()
	limits := corev1.ResourceList{}
	for name, q := range requests {
		if name != corev1.ResourceCPU && name != corev1.ResourceMemory {
			limits[name] = q // extended resources are given only by limit
		}
	}
	spec := coreac.PodSpec().
		WithPriorityClassName(h.settings.PriorityClass).
		WithTerminationGracePeriodSeconds(0).
		WithAutomountServiceAccountToken(false).
		WithEnableServiceLinks(false).
		WithNodeSelector(s.NodeLabels).
		WithSecurityContext(coreac.PodSecurityContext().
			WithRunAsNonRoot(true).WithRunAsUser(65535).WithRunAsGroup(65535).
			WithSeccompProfile(coreac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))).
		WithContainers(coreac.Container().
			WithName("room").
			WithImage(h.settings.Image).
			WithResources(coreac.ResourceRequirements().WithRequests(requests).WithLimits(limits)).
			WithSecurityContext(coreac.SecurityContext().
				WithAllowPrivilegeEscalation(false).WithReadOnlyRootFilesystem(true).
				WithCapabilities(coreac.Capabilities().WithDrop("ALL"))))
	for _, t := range s.Taints {
		spec.WithTolerations(coreac.Toleration().
			WithKey(t.Key).WithOperator(corev1.TolerationOpEqual).WithValue(t.Value).WithEffect(t.Effect))
	}
	return coreac.PodTemplateSpec().
		WithLabels(map[string]string{cloudprovider.LabelHeadroom: s.Group}).
		WithSpec(spec)
}
