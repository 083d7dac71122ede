package oracle

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/cluster-autoscaler/simulator/clustersnapshot/predicate"
	"k8s.io/autoscaler/cluster-autoscaler/simulator/clustersnapshot/store"
	"k8s.io/autoscaler/cluster-autoscaler/simulator/framework"
	fwk "k8s.io/kube-scheduler/framework"
	schedulerframework "k8s.io/kubernetes/pkg/scheduler/framework"

	"github.com/buildpool/buildpool/nodegroups/config"
	"github.com/buildpool/buildpool/simulations/engine"
	"github.com/buildpool/buildpool/simulations/workload"
)

// TestSchedulerScoresAsKubeScheduler holds the model against kube-scheduler's own
// plugins in their default profile: the same nodes take the pod, and their scores
// differ by as much.
func TestSchedulerScoresAsKubeScheduler(t *testing.T) {
	quiet()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	handle, err := newHandle(ctx)
	require.NoError(t, err)
	chance := rand.New(rand.NewPCG(1, 1))
	settings := engine.Settings{Scheduler: engine.LeastAllocated, Groups: []engine.Group{
		normal("normal", 10), group("big", config.ClassNormal, 32, 96, 10), gpu("gpu", 10),
	}}
	settings.Trace.Shapes = []workload.Shape{
		{Classes: []string{"normal"}, MilliCPU: 1800, MemoryBytes: 3 * gib},
		{Classes: []string{"normal"}, MilliCPU: 3500, MemoryBytes: 20 * gib},
		{Classes: []string{"normal", "gpu"}, MilliCPU: 7500, MemoryBytes: 9 * gib},
		{Classes: []string{"gpu"}, MilliCPU: 2000, MemoryBytes: 4 * gib, GPUs: 1},
		{Classes: []string{"normal"}},
	}
	for range 300 {
		w := &world{settings: settings, rng: chance, start: time.Unix(0, 0)}
		w.cluster = newCluster(settings, w.start)
		nodes := someNodes(w, chance)
		s := &w.cluster.shapes[chance.IntN(len(w.cluster.shapes))]
		theirs := realScores(t, handle, nodes, s)
		var feasible []*node
		for _, n := range nodes {
			_, takes := theirs[n.object.Name]
			require.Equal(t, takes, s.refused(n) == "", "%v on %v", s.requests, n.object.Spec)
			if takes {
				feasible = append(feasible, n)
			}
		}
		for at, ours := range scores(engine.LeastAllocated, s, feasible) {
			first, this := feasible[0].object.Name, feasible[at].object.Name
			assert.Equal(t, theirs[this]-theirs[first], ours-scores(engine.LeastAllocated, s, feasible)[0], "%v on %+v", s.requests, feasible[at].used)
		}
	}
}

// someNodes are a few nodes with pods on them, some of them tainted.
func someNodes(w *world, chance *rand.Rand) []*node {
	var nodes []*node
	for n := range 1 + chance.IntN(6) {
		g := chance.IntN(len(w.settings.Groups))
		m := &machine{id: "i-" + string(rune('a'+n)), group: g}
		made := &node{object: newNode(w.settings.Groups[g], m, "cn-hangzhou", w.start), machine: m, room: roomOf(w.settings.Groups[g].Template.Allocatable)}
		if chance.IntN(3) == 0 {
			made.object.Spec.Taints = append(made.object.Spec.Taints, corev1.Taint{Key: "DeletionCandidateOfClusterAutoscaler", Value: "1", Effect: corev1.TaintEffectPreferNoSchedule})
		}
		if chance.IntN(6) == 0 {
			made.object.Spec.Unschedulable = true
			made.object.Spec.Taints = append(made.object.Spec.Taints, corev1.Taint{Key: toBeDeleted, Value: "1", Effect: corev1.TaintEffectNoSchedule})
		}
		for range chance.IntN(5) {
			s := &w.cluster.shapes[chance.IntN(len(w.cluster.shapes))]
			if s.refused(made) == "" {
				p := &pod{shape: s, object: s.newPod(made.object.Name+string(rune('0'+len(made.pods))), w.start)}
				p.object.Spec.NodeName = made.object.Name
				made.pods = append(made.pods, p)
				made.used.add(s.requests, 1)
			}
		}
		nodes = append(nodes, made)
	}
	return nodes
}

// realScores returns the scores of the nodes that take a pod of the shape.
func realScores(t *testing.T, handle *framework.Handle, nodes []*node, s *shape) map[string]int64 {
	t.Helper()
	ctx, framework := t.Context(), handle.Framework
	snapshot := predicate.NewPredicateSnapshot(store.NewBasicSnapshotStore(), handle, true, 1, false, 0)
	var objects []*corev1.Node
	var pods []*corev1.Pod
	for _, n := range nodes {
		objects = append(objects, n.object)
		for _, p := range n.pods {
			pods = append(pods, p.object)
		}
	}
	require.NoError(t, snapshot.SetClusterState(objects, pods, nil, nil))
	handle.DelegatingLister.UpdateDelegate(snapshot)
	defer handle.DelegatingLister.ResetDelegate()
	infos, err := snapshot.ListNodeInfos()
	require.NoError(t, err)
	state := schedulerframework.NewCycleState()
	subject := s.newPod("subject", time.Unix(0, 0))
	_, status, _ := framework.RunPreFilterPlugins(ctx, state, subject)
	require.True(t, status.IsSuccess() || status.IsRejected(), "%v", status)
	found := map[string]int64{}
	var feasible []fwk.NodeInfo
	for _, info := range infos {
		if framework.RunFilterPlugins(ctx, state, subject, info).IsSuccess() {
			feasible = append(feasible, info)
		}
	}
	require.True(t, framework.RunPreScorePlugins(ctx, state, subject, feasible).IsSuccess())
	scored, status := framework.RunScorePlugins(ctx, state, subject, feasible)
	require.True(t, status.IsSuccess(), "%v", status)
	for _, n := range scored {
		found[n.Name] = n.TotalScore
	}
	return found
}
