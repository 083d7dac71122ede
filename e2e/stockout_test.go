package e2e

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
)

// TestSpotStockout: builds that take spot or normal run on normal soon after the
// spot market turns out to be empty, and CA leaves the spot group alone.
func TestSpotStockout(t *testing.T) {
	w := newWorld()
	w.SpotSoldOut = true
	s := newScenario(t, w)
	s.preferSpot()
	s.startAutoscaler(autoscaler.Flags{"expander": "priority"})

	const builds = 3 // each fills a normal node, and two would fit on a spot node
	for i := range builds {
		s.create(spotOrNormal(fmt.Sprintf("build-%d", i)))
	}
	s.eventually(30*time.Second, "CA to try spot first", func(context.Context) error {
		return atLeastOne(s.autoscaler.Plans())
	})
	loops, err := s.autoscaler.Loops()
	require.NoError(t, err)

	settled := func(ctx context.Context) error {
		return errors.Join(s.expectRunning(ctx, class{}, builds), s.expectSize(ctx, normal, builds), s.expectSize(ctx, spot, 0))
	}
	s.eventually(60*time.Second, "the builds to run on normal nodes", settled)
	now, err := s.autoscaler.Loops()
	require.NoError(t, err)
	t.Logf("%d loops of CA from the first plan to the last build running", now-loops)
	// 8 are usual: one in which the failure shows, and the others while nodes join.
	assert.Less(t, now-loops, 20)

	fallover, err := s.autoscaler.LoopsBetween(planFor("builds-spot"), planFor("builds-normal"))
	require.NoError(t, err)
	t.Logf("%d loops of CA from the plan for spot to the plan for normal", fallover)
	assert.LessOrEqual(t, fallover, 3, "CA waited for the spot group")

	s.holds(8*time.Second, "the fallback", settled)
	plans, err := s.autoscaler.Plans()
	require.NoError(t, err)
	assert.Contains(t, plans[0], "builds-spot 0->2 (max: 40)")
	assert.Contains(t, plans[1], "builds-normal 0->3 (max: 40)")
	assert.Len(t, plans, 2, "spot is tried once, not in every loop: %q", plans)
	backoffs, err := s.autoscaler.Backoffs()
	require.NoError(t, err)
	require.NotEmpty(t, backoffs)
	for _, line := range backoffs {
		assert.Contains(t, line, "builds-spot")
		assert.Contains(t, line, "NoStock")
	}
}

// planFor matches CA's log line of a scale-up of the node group.
func planFor(nodeGroup string) *regexp.Regexp {
	return regexp.MustCompile(`Final scale-up plan: \[\{` + regexp.QuoteMeta(nodeGroup) + ` `)
}

// spotOrNormal is a build that takes either class of node.
func spotOrNormal(name string) *corev1.Pod {
	pod := buildPod(name, normal, normal.whole)
	pod.Spec.NodeSelector = nil
	pod.Spec.Tolerations = append(pod.Spec.Tolerations, spot.tolerations...)
	pod.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{{
				Key: "buildpool.io/class", Operator: corev1.NodeSelectorOpIn, Values: []string{spot.name, normal.name},
			}}}},
		},
	}}
	return pod
}

// preferSpot is the configuration of CA's priority expander.
func (s *scenario) preferSpot() {
	s.t.Helper()
	maps := s.cluster.Client.CoreV1().ConfigMaps(metav1.NamespaceSystem)
	_, err := maps.Create(s.ctx, &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "cluster-autoscaler-priority-expander"},
		Data:       map[string]string{"priorities": "20:\n  - .*spot.*\n10:\n  - .*normal.*\n"},
	}, metav1.CreateOptions{})
	require.NoError(s.t, err)
	s.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		assert.NoError(s.t, maps.Delete(ctx, "cluster-autoscaler-priority-expander", metav1.DeleteOptions{}))
	})
}

func atLeastOne(lines []string, err error) error {
	if err == nil && len(lines) == 0 {
		err = errors.New("no such line in the log")
	}
	return err
}
