package metricsapi

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/buildpool/buildpool/e2e/internal/wait"
)

var apiServices = schema.GroupVersionResource{Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"}

const apiServiceName = "v1beta1.metrics.k8s.io"

// Register makes the API server pass metrics.k8s.io on to this server, and waits
// until it finds it available. The service is of type ExternalName, because no
// cluster IP leads anywhere without kube-proxy.
func (s *Server) Register(ctx context.Context, api dynamic.Interface, authority []byte) error {
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: serviceName, Namespace: serviceNamespace},
		Spec:       corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "localhost"},
	}
	if _, err := s.client.CoreV1().Services(serviceNamespace).Create(ctx, service, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create service of the metrics API: %w", err)
	}
	apiService := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiregistration.k8s.io/v1",
		"kind":       "APIService",
		"metadata":   map[string]any{"name": apiServiceName},
		"spec": map[string]any{
			"group": "metrics.k8s.io", "version": "v1beta1",
			"groupPriorityMinimum": int64(100), "versionPriority": int64(100),
			"caBundle": base64.StdEncoding.EncodeToString(authority),
			"service":  map[string]any{"name": serviceName, "namespace": serviceNamespace, "port": int64(s.port())},
		},
	}}
	if _, err := api.Resource(apiServices).Create(ctx, apiService, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("create API service of the metrics API: %w", err)
	}
	return wait.Until(ctx, "the metrics API to be available", 200*time.Millisecond, func(ctx context.Context) error {
		return available(ctx, api)
	})
}

// Unregister takes the API away from the API server.
func (s *Server) Unregister(ctx context.Context, api dynamic.Interface) error {
	return errors.Join(
		api.Resource(apiServices).Delete(ctx, apiServiceName, metav1.DeleteOptions{}),
		s.client.CoreV1().Services(serviceNamespace).Delete(ctx, serviceName, metav1.DeleteOptions{}),
	)
}

func available(ctx context.Context, api dynamic.Interface) error {
	object, err := api.Resource(apiServices).Get(ctx, apiServiceName, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("read API service: %w", err)
	}
	conditions, _, err := unstructured.NestedSlice(object.Object, "status", "conditions")
	if err != nil {
		return fmt.Errorf("read API service's conditions: %w", err)
	}
	for _, c := range conditions {
		if condition, ok := c.(map[string]any); ok && condition["type"] == "Available" && condition["status"] == "True" {
			return nil
		}
	}
	return fmt.Errorf("API service is not available: %v", conditions)
}
