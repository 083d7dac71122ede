package e2e

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// newPod is a pod for the build.
func (b *build) newPod() *corev1.Pod {
	switch b.needs {
	case onSpot:
		return buildPod(b.name, spot, spot.half)
	case onEither:
		pod := spotOrNormal(b.name)
		pod.Spec.Containers = buildPod(b.name, normal, normal.half).Spec.Containers
		return pod
	default:
		return buildPod(b.name, normal, normal.half)
	}
}

// create starts a build: its Job, or the next pod of a bare one.
func (b *builds) create(ctx context.Context, one *build) error {
	pod := one.newPod()
	pod.Labels[buildLabel] = one.name
	pod.Annotations = map[string]string{"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}
	client := b.s.cluster.Client
	var err error
	if one.job {
		patience := int32(6)
		_, err = client.BatchV1().Jobs(b.s.namespace).Create(ctx, &batchv1.Job{
			ObjectMeta: metav1.ObjectMeta{Name: one.name},
			Spec: batchv1.JobSpec{
				BackoffLimit: &patience,
				Template:     corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: pod.Labels, Annotations: pod.Annotations}, Spec: pod.Spec},
			},
		}, metav1.CreateOptions{})
	} else {
		one.tries++
		pod.Name = fmt.Sprintf("%s-%d", one.name, one.tries)
		_, err = client.CoreV1().Pods(b.s.namespace).Create(ctx, pod, metav1.CreateOptions{})
	}
	if err != nil {
		return fmt.Errorf("create %s: %w", one.name, err)
	}
	return nil
}

// allEnded checks that each build has run to its end, once.
func (b *builds) allEnded(context.Context) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	errs := []error{b.err}
	for _, one := range b.all {
		if one.ends != 1 {
			errs = append(errs, fmt.Errorf("%s has run to its end %d times", one.name, one.ends))
		}
	}
	return errors.Join(errs...)
}

func (b *builds) ended() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := 0
	for _, one := range b.all {
		n += one.ends
	}
	return n
}

// attempts is how many pods there have been.
func (b *builds) attempts() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.tries)
}

// runOn reports whether a build runs on the node.
func (b *builds) runOn(node string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.tries {
		if a.node == node && !a.ended && !a.lost {
			return true
		}
	}
	return false
}

// lostFor returns the attempts that were lost on any other than these nodes.
func (b *builds) lostFor(reclaimed map[string]bool) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var lost []string
	for _, a := range b.tries {
		if a.lost && !reclaimed[a.node] {
			lost = append(lost, fmt.Sprintf("%s on %q", a.pod, a.node))
		}
	}
	return lost
}

var (
	askedPattern   = regexp.MustCompile(`^A user requests to execute a scaling adjustment, changing the Total Capacity from "(\d+)" to "(\d+)"`)
	plannedPattern = regexp.MustCompile(`(builds-\w+) (\d+)->(\d+) \(max`)
)

// checkAccount reads in the account's own record what was done to it: it was asked for
// no more instances than CA planned, in all of CA's lives, and nothing was removed but
// what was named or what had gone by itself.
func (s *scenario) checkAccount() {
	s.t.Helper()
	planned := map[string]int{}
	plans, err := s.autoscaler.Plans()
	require.NoError(s.t, err)
	for _, plan := range plans {
		for _, m := range plannedPattern.FindAllStringSubmatch(plan, -1) {
			planned[m[1]] += number(s.t, m[3]) - number(s.t, m[2])
		}
	}
	state, err := s.simulator.State(s.ctx)
	require.NoError(s.t, err)
	for _, c := range []class{spot, normal, gpu} {
		group, err := state.Group(c.scalingGroup)
		require.NoError(s.t, err)
		asked, created, removed := 0, 0, 0
		for _, a := range group.Activities {
			created += len(a.Created)
			removed += len(a.Removed)
			if m := askedPattern.FindStringSubmatch(a.Cause); m != nil {
				asked += max(0, number(s.t, m[2])-number(s.t, m[1]))
			}
			chosen := a.Kind == "remove" && len(a.Removed) > 0 && strings.HasPrefix(a.Cause, "Auto Scaling checks the number of instances")
			assert.False(s.t, chosen, "%s: ESS chose whom to remove: %+v", group.ID, a)
		}
		s.t.Logf("%s: CA planned %d, ESS was asked for %d, %d instances came and %d went", group.ID, planned[c.nodeGroup], asked, created, removed)
		assert.LessOrEqual(s.t, asked, planned[c.nodeGroup], "%s: ESS was asked for more than CA planned", group.ID)
		assert.Equal(s.t, created, removed, group.ID)
	}
}

func number(t require.TestingT, digits string) int {
	n, err := strconv.Atoi(digits)
	require.NoError(t, err)
	return n
}
