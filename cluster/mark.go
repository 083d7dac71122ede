package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// Mark is a label on the pod of the replica that leads, with the value "true", so that
// a Service can select that pod. Readiness could not say the same: replicas that stand
// by are healthy, and have to count as such for rollouts and disruption budgets.
type Mark struct {
	client         kubernetes.Interface
	namespace, pod string
	label          string
}

// NewMark prepares the mark of one pod; nothing is sent.
func NewMark(client kubernetes.Interface, namespace, pod, label string) *Mark {
	return &Mark{client: client, namespace: namespace, pod: pod, label: label}
}

// Set puts the mark on our pod and takes it from every other of the namespace. One
// that died with it would otherwise stay behind the Service until its node is missed.
func (m *Mark) Set(ctx context.Context) error {
	if err := m.patch(ctx, m.pod, "true"); err != nil {
		return fmt.Errorf("mark the leader's pod: %w", err)
	}
	marked, err := m.client.CoreV1().Pods(m.namespace).List(ctx, metav1.ListOptions{LabelSelector: m.label})
	if err != nil {
		return fmt.Errorf("find marks of former leaders: %w", err)
	}
	var errs []error
	for _, pod := range marked.Items {
		if pod.Name != m.pod {
			errs = append(errs, m.remove(ctx, pod.Name))
		}
	}
	return errors.Join(errs...)
}

// Clear takes the mark from our pod. A pod that has gone has none.
func (m *Mark) Clear(ctx context.Context) error { return m.remove(ctx, m.pod) }

func (m *Mark) remove(ctx context.Context, pod string) error {
	if err := m.patch(ctx, pod, nil); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("take the leader's mark from pod %s: %w", pod, err)
	}
	return nil
}

// patch sets the label to value, or removes it where value is nil.
func (m *Mark) patch(ctx context.Context, pod string, value any) error {
	body, err := json.Marshal(map[string]any{"metadata": map[string]any{"labels": map[string]any{m.label: value}}})
	if err != nil {
		return fmt.Errorf("encode the mark: %w", err)
	}
	_, err = m.client.CoreV1().Pods(m.namespace).Patch(ctx, pod, types.MergePatchType, body, metav1.PatchOptions{})
	return err
}
