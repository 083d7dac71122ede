package e2e

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/buildpool/buildpool/e2e/internal/objects"
)

// apply applies the objects in order. A namespace can be used when it returns, and a
// kind that was defined; with the test all of them go.
func (s *scenario) apply(list ...objects.Object) {
	s.t.Helper()
	for _, o := range list {
		require.NoError(s.t, s.cluster.Objects.Apply(s.ctx, o))
		if o.GetNamespace() != "" {
			continue
		}
		s.applied = append(s.applied, o)
		switch o.GetKind() {
		case "Namespace":
			s.awaitServiceAccount(o.GetName())
		case "CustomResourceDefinition":
			s.awaitDefinition(o)
		}
	}
}

// awaitServiceAccount waits for the account without which no pod is admitted.
func (s *scenario) awaitServiceAccount(namespace string) {
	s.t.Helper()
	s.eventually(30*time.Second, "the default service account of "+namespace, func(ctx context.Context) error {
		_, err := s.cluster.Client.CoreV1().ServiceAccounts(namespace).Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}

// awaitDefinition waits until objects of the defined kind can be made.
func (s *scenario) awaitDefinition(o objects.Object) {
	s.t.Helper()
	s.eventually(30*time.Second, "the kind of "+o.GetName(), func(ctx context.Context) error {
		now, err := s.cluster.Objects.Get(ctx, o)
		if err != nil {
			return err
		}
		conditions, _, _ := unstructured.NestedSlice(now.Object, "status", "conditions")
		for _, c := range conditions {
			if condition, ok := c.(map[string]any); ok && condition["type"] == "Established" && condition["status"] == "True" {
				return nil
			}
		}
		return fmt.Errorf("it is not established: %v", conditions)
	})
}

// deleteApplied deletes the applied objects of no namespace, the last one first. Their
// going takes its time.
func (s *scenario) deleteApplied(ctx context.Context) error {
	for _, o := range slices.Backward(s.applied) {
		if err := s.cluster.Objects.Delete(ctx, o); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// expectAppliedGone checks that the next test may apply the same objects again.
func (s *scenario) expectAppliedGone(ctx context.Context) error {
	for _, o := range s.applied {
		switch _, err := s.cluster.Objects.Get(ctx, o); {
		case err == nil:
			return fmt.Errorf("%s is left", objects.Name(o))
		case !apierrors.IsNotFound(err):
			return err
		}
	}
	return nil
}
