package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/stretchr/testify/assert"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/buildpool/buildpool/e2e/internal/wait"
)

// end saves the evidence of a failed test, ends its processes and clears the
// cluster for the next one. The test's own context is over by now.
func (s *scenario) end() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if s.t.Failed() {
		s.saveEvidence(ctx)
	}
	// CA first: it would take the clearing for a reason to act.
	if s.autoscaler != nil {
		s.autoscaler.Stop(time.Second)
	}
	if s.provider != nil && s.provider.Process != nil {
		s.provider.Stop(2 * time.Second)
	}
	if s.simulator != nil {
		s.simulator.Stop(2 * time.Second)
	}
	assert.NoError(s.t, s.clearCluster(ctx))
	if s.t.Failed() {
		s.t.Logf("logs of every process, the ESS transcript and the cluster's state are in %s", s.dir)
	}
}

// clearCluster removes the test's namespace, what it applied, and every pod and node.
func (s *scenario) clearCluster(ctx context.Context) error {
	core := s.cluster.Client.CoreV1()
	now := metav1.DeleteOptions{GracePeriodSeconds: new(int64)}
	if err := core.Namespaces().Delete(ctx, s.namespace, metav1.DeleteOptions{}); err != nil {
		return fmt.Errorf("delete namespace: %w", err)
	}
	if err := s.deleteApplied(ctx); err != nil {
		return err
	}
	return wait.Until(ctx, "the cluster to be empty", 200*time.Millisecond, func(ctx context.Context) error {
		pods, err := core.Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
		if err != nil {
			return fmt.Errorf("list pods: %w", err)
		}
		for _, pod := range pods.Items {
			_ = core.Pods(pod.Namespace).Delete(ctx, pod.Name, now) // it is listed again if it stays
		}
		nodes, err := core.Nodes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return fmt.Errorf("list nodes: %w", err)
		}
		for _, node := range nodes.Items {
			_ = core.Nodes().Delete(ctx, node.Name, now)
		}
		if left := len(pods.Items) + len(nodes.Items); left > 0 {
			return fmt.Errorf("%d pods and %d nodes are left", len(pods.Items), len(nodes.Items))
		}
		return s.expectAppliedGone(ctx)
	})
}

// saveEvidence writes what the processes' logs do not tell: the simulator's state
// and transcript, the provider's metrics, and the cluster's objects.
func (s *scenario) saveEvidence(ctx context.Context) {
	core := s.cluster.Client.CoreV1()
	s.save("nodes.json", func() (any, error) { return core.Nodes().List(ctx, metav1.ListOptions{}) })
	s.save("pods.json", func() (any, error) { return core.Pods(metav1.NamespaceAll).List(ctx, metav1.ListOptions{}) })
	s.save("events.json", func() (any, error) { return core.Events(metav1.NamespaceAll).List(ctx, metav1.ListOptions{}) })
	if s.simulator != nil {
		s.save("ess-state.json", func() (any, error) { return s.simulator.Raw(ctx, "state") })
		s.save("ess-calls.json", func() (any, error) { return s.simulator.Raw(ctx, "calls") })
	}
	if s.provider != nil && s.provider.Process != nil {
		s.save("provider-metrics.json", func() (any, error) { return s.provider.Metrics(ctx) })
	}
}

func (s *scenario) save(name string, read func() (any, error)) {
	content, err := read()
	if err == nil {
		var data []byte
		if data, err = json.MarshalIndent(content, "", "  "); err == nil {
			err = os.WriteFile(filepath.Join(s.dir, name), data, 0o644)
		}
	}
	if err != nil {
		s.t.Logf("no %s is kept: %v", name, err)
	}
}
