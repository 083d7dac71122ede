package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
)

// TestExplain: builds that wait for different reasons in one cluster, and the program
// names the reason of each, from the cluster as it is and from a saved dump.
func TestExplain(t *testing.T) {
	w := newWorld()
	w.SpotSoldOut, w.Normal.Max, w.Join = true, 1, 8*time.Second
	s := newScenario(t, w)
	s.startAutoscaler(autoscaler.Flags{})

	label, taint, request, gated := buildPod("label", spot, spot.half), buildPod("taint", spot, spot.half), buildPod("request", normal, requests("64", "4Gi")), buildPod("gated", normal, normal.half)
	label.Spec.NodeSelector["buildpool.io/class"] = "arm"
	taint.Spec.Tolerations = nil
	gated.Spec.SchedulingGates = []corev1.PodSchedulingGate{{Name: "example.com/hold"}}
	s.create(label, taint, request, gated, buildPod("stock", spot, spot.whole), buildPod("gpu", gpu, gpu.whole), buildPod("first", normal, normal.whole))

	s.expectCause("gpu", "a node is on its way")
	s.runningOn(60*time.Second, "first")
	s.create(buildPod("second", normal, normal.whole))

	causes := map[string]string{
		"label": "label", "taint": "taint", "request": "request", "gated": "gated",
		"stock": "out of stock", "second": "max", "first": "not waiting",
	}
	for name, cause := range causes {
		s.expectCause(name, cause)
	}
	s.runningOn(60*time.Second, "gpu")
	s.expectCause("gpu", "not waiting")

	// The autoscaler found no more than these to grow for.
	assert.Equal(t, []int{1}, s.totals(s.increases(normal)))
	assert.Equal(t, []int{1}, s.totals(s.increases(gpu)))
	require.NoError(t, s.expectSize(s.ctx, spot, 0))

	dump := filepath.Join(s.dir, "dump.json")
	require.NoError(t, os.WriteFile(dump, s.explain("dump"), 0o600))
	for name, cause := range causes {
		assert.Equal(t, cause, s.explained("pod", s.namespace+"/"+name, "--from", dump).Cause, name)
	}
	assert.Equal(t, "max", s.explained("group", normal.nodeGroup, "--from", dump).Cause)
}

// explanation is what -o json prints, as far as the tests look.
type explanation struct{ Cause, Answer string }

// expectCause waits until the program explains the pod so.
func (s *scenario) expectCause(pod, cause string) {
	s.t.Helper()
	s.eventually(40*time.Second, fmt.Sprintf("pod %s to be explained by %q", pod, cause), func(context.Context) error {
		if e := s.explained("pod", s.namespace+"/"+pod); e.Cause != cause {
			return fmt.Errorf("it is %q: %s", e.Cause, e.Answer)
		}
		return nil
	})
}

func (s *scenario) explained(args ...string) explanation {
	s.t.Helper()
	var e explanation
	require.NoError(s.t, json.Unmarshal(s.explain(append(args, "-o", "json")...), &e))
	return e
}

func (s *scenario) explain(args ...string) []byte {
	s.t.Helper()
	args = append([]string{"explain"}, args...)
	command := exec.CommandContext(s.ctx, shared.buildpool, append(args, "--server", s.provider.HTTP(), "--kubeconfig", s.cluster.Kubeconfig)...)
	out, err := command.Output()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		require.NoError(s.t, err, string(failed.Stderr))
	}
	require.NoError(s.t, err)
	return out
}
