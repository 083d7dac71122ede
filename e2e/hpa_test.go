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
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
	"github.com/buildpool/buildpool/e2e/internal/metricsapi"
)

// TestHorizontalPodAutoscaler: the real horizontal pod autoscaler follows the load
// of a deployment of build workers, and nodes come and go with the workers.
func TestHorizontalPodAutoscaler(t *testing.T) {
	s := newScenario(t, newWorld())
	metrics := s.serveMetrics()
	metrics.SetLoad(resource.MustParse("600m"))
	s.startAutoscaler(autoscaler.Flags{"scale-down-unneeded-time": "3s", "scale-down-delay-after-add": "2s"})
	s.deployWorkers()

	// A worker asks for 1.5 cores and is to use half of it, 750m. Two fit on a node.
	s.eventually(60*time.Second, "one worker on one node", func(ctx context.Context) error { return s.expectWorkers(ctx, 1, 1) })

	metrics.SetLoad(resource.MustParse("4500m")) // 4500m / 750m = 6 workers
	s.eventually(90*time.Second, "six workers on three nodes", func(ctx context.Context) error { return s.expectWorkers(ctx, 6, 3) })

	metrics.SetLoad(resource.MustParse("600m"))
	s.eventually(120*time.Second, "one worker on one node again", func(ctx context.Context) error { return s.expectWorkers(ctx, 1, 1) })
	s.holds(8*time.Second, "one worker on one node", func(ctx context.Context) error { return s.expectWorkers(ctx, 1, 1) })

	assert.Len(t, s.removed(), 2)
	assert.Positive(t, metrics.Questions(), "the horizontal pod autoscaler has asked for metrics")
}

// serveMetrics makes the API server answer metrics.k8s.io through the test.
func (s *scenario) serveMetrics() *metricsapi.Server {
	s.t.Helper()
	config, err := s.cluster.Keys.ServingConfig(metricsapi.DNSName)
	require.NoError(s.t, err)
	server, err := metricsapi.Start(s.cluster.Client, config)
	require.NoError(s.t, err)
	s.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		assert.NoError(s.t, errors.Join(server.Unregister(ctx, s.cluster.Dynamic), server.Stop()))
	})
	ctx, cancel := context.WithTimeout(s.ctx, 60*time.Second)
	defer cancel()
	require.NoError(s.t, server.Register(ctx, s.cluster.Dynamic, s.cluster.Keys.Authority))
	return server
}

// deployWorkers creates a deployment of one normal build worker and its horizontal
// pod autoscaler, which acts on every change of load at once.
func (s *scenario) deployWorkers() {
	s.t.Helper()
	worker := buildPod("worker", normal, normal.half)
	worker.Spec.RestartPolicy = corev1.RestartPolicyAlways
	replicas := int32(1)
	_, err := s.cluster.Client.AppsV1().Deployments(s.namespace).Create(s.ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "workers"},
		Spec: appsv1.DeploymentSpec{
			Replicas: &replicas,
			Selector: &metav1.LabelSelector{MatchLabels: worker.Labels},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: worker.Labels}, Spec: worker.Spec},
		},
	}, metav1.CreateOptions{})
	require.NoError(s.t, err)
	half := int32(50)
	_, err = s.cluster.Client.AutoscalingV2().HorizontalPodAutoscalers(s.namespace).Create(s.ctx, &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: "workers"},
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "workers"},
			MinReplicas:    &replicas,
			MaxReplicas:    10,
			Metrics: []autoscalingv2.MetricSpec{{
				Type: autoscalingv2.ResourceMetricSourceType,
				Resource: &autoscalingv2.ResourceMetricSource{
					Name:   corev1.ResourceCPU,
					Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: &half},
				},
			}},
		},
	}, metav1.CreateOptions{})
	require.NoError(s.t, err)
}

// expectWorkers checks that exactly so many workers exist and run, on so many nodes.
func (s *scenario) expectWorkers(ctx context.Context, workers, nodes int) error {
	pods, err := s.pods(ctx, normal)
	if err != nil {
		return err
	}
	if len(pods) != workers {
		return fmt.Errorf("%d workers, want %d", len(pods), workers)
	}
	return errors.Join(s.expectRunning(ctx, normal, workers), s.expectSize(ctx, normal, nodes))
}
