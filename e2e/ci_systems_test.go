package e2e

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/buildpool/buildpool/e2e/internal/deploy"
	"github.com/buildpool/buildpool/e2e/internal/objects"
	"github.com/buildpool/buildpool/e2e/internal/provider"
)

var ciSystems = []string{"jenkins", "gitlab", "tekton", "argo", "github-arc", "woodpecker"}

// TestCISystems: with deploy/nodegroups.yaml as it is, each pod that one of six CI
// systems makes for a class makes exactly that class's group grow, by one machine, and
// runs there. The real autoscaler says of each pod for which group it planned.
func TestCISystems(t *testing.T) {
	s := newBareScenario(t)
	s.startSimulatorOf(s.render("deploy-account.yaml", nil))
	s.provider = s.startProviderAs(provider.Settings{Config: filepath.Join(deploy.Dir, "nodegroups.yaml"), Dir: s.dir})
	s.startAutoscaler(nil)
	sizes := map[string]int{}
	// GPU comes last: while such a pod is younger than 30 s CA adds nothing at all.
	for _, c := range []class{normal, spot, gpu} {
		began := time.Now()
		for _, system := range ciSystems {
			s.create(s.ciPod(system, c))
		}
		sizes[c.name] = len(ciSystems)
		s.eventually(90*time.Second, "each build of "+c.name+" to run on a machine of its own", func(ctx context.Context) error {
			return errors.Join(s.expectRunning(ctx, c, len(ciSystems)), s.expectSize(ctx, c, len(ciSystems)))
		})
		for _, other := range []class{normal, spot, gpu} {
			require.NoError(t, s.expectSize(s.ctx, other, sizes[other.name]), "builds of %s", c.name)
		}
		s.expectPlannedFor(c)
		t.Logf("%s: %s", c.name, time.Since(began).Round(100*time.Millisecond))
	}
	troubles, err := s.autoscaler.Troubles()
	require.NoError(t, err)
	assert.Empty(t, troubles)
}

// ciPod is the pod that a CI system makes for a build of the class, in the test's
// namespace.
func (s *scenario) ciPod(system string, c class) *corev1.Pod {
	s.t.Helper()
	read, err := deploy.Read("examples/" + system + "/pods/" + c.name + ".yaml")
	require.NoError(s.t, err)
	require.Len(s.t, read, 1)
	pod, err := objects.As[corev1.Pod](read[0])
	require.NoError(s.t, err)
	pod.Namespace = s.namespace
	pod.Labels["build-class"] = c.name
	return &pod
}

var plannedGroups = regexp.MustCompile(`\{(\S+) \d+->\d+ \(max: \d+\)\}`)

// expectPlannedFor checks that CA told every pod of the class that it would add
// machines, and of no group but the class's.
func (s *scenario) expectPlannedFor(c class) {
	s.t.Helper()
	pods, err := s.pods(s.ctx, c)
	require.NoError(s.t, err)
	for _, pod := range pods {
		s.eventually(10*time.Second, "CA to tell of "+pod.Name, func(ctx context.Context) error {
			events, err := s.cluster.Client.CoreV1().Events(s.namespace).List(ctx, metav1.ListOptions{
				FieldSelector: "reason=TriggeredScaleUp,involvedObject.name=" + pod.Name,
			})
			if err != nil {
				return fmt.Errorf("read events: %w", err)
			}
			planned := 0
			for _, event := range events.Items {
				for _, found := range plannedGroups.FindAllStringSubmatch(event.Message, -1) {
					planned++
					if found[1] != c.nodeGroup {
						return fmt.Errorf("%s: %s", pod.Name, event.Message)
					}
				}
			}
			if planned == 0 {
				return errors.New("no event names a group")
			}
			return nil
		})
	}
}
