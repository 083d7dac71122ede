package controller_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/overflow"
	"github.com/buildpool/buildpool/overflow/controller"
)

// atMax is a group of the name that has all its nodes.
func (w *town) atMax(name string) {
	for n := range w.groups {
		if w.groups[n].Name == name {
			w.groups[n].Blocked = overflow.MovedAtMax
		}
	}
}

func TestSurplusMovesOnce(t *testing.T) {
	w := newTown(t)
	w.atMax("spot")
	w.groups[0].Coming = []controller.Coming{{Since: noon.Add(-10 * time.Second)}, {InstanceID: "i-1", Since: noon.Add(-20 * time.Second)}}
	for n := range 4 {
		w.build(fmt.Sprint(n), "spot", time.Duration(50-n)*time.Second)
	}
	c := w.controller()
	for range 3 {
		require.NoError(t, c.Round(t.Context()))
		w.clock.Step(overflow.Period)
	}
	assert.ElementsMatch(t, []string{"2", "3"}, w.patched, "the nodes on their way are the oldest builds'")
	assert.Equal(t, map[string]int{"spot/at_max": 2}, w.moved)
	assert.Equal(t, map[string]int{"spot/covered": 2}, w.refused, "counted once")
	assert.ElementsMatch(t, []string{
		"2 Overflowed: It may run on the virtual node now: every node group that could serve it is at its max.",
		"3 Overflowed: It may run on the virtual node now: every node group that could serve it is at its max.",
	}, w.events)
	assert.Equal(t, "SpotAsPriceGo", w.pods["3"].Annotations["k8s.aliyun.com/eci-spot-strategy"])
	assert.Equal(t, controller.Verdict{Class: "spot", Reason: overflow.Covered}, c.Latest()["ci/0"])

	// Another process, that knows nothing of this one, finds nothing left to do.
	require.NoError(t, w.controller().Round(t.Context()))
	assert.Len(t, w.patched, 2)
}

// A node that has just opened is still for the builds that the scheduler is about to
// bind; one that has been open for long is not.
func TestRoomOnAYoungNode(t *testing.T) {
	for age, moves := range map[time.Duration]int{time.Minute: 0, time.Minute + time.Second: 1} {
		w := newTown(t)
		w.atMax("spot")
		w.nodes = append(w.nodes, spotNode())
		w.groups[0].Coming = []controller.Coming{{InstanceID: "i-1", Since: noon}} // whoever said so did not see it join
		c := w.controller()
		require.NoError(t, c.Round(t.Context()))
		w.clock.Step(age)
		w.build("waits", "spot", 10*time.Second)
		require.NoError(t, c.Round(t.Context()))
		assert.Len(t, w.patched, moves, "%v", age)
	}
}

// Ready is not open: until whoever put it there takes the taint away, the node is on its
// way, and however long that takes, it is young when it opens.
func TestANodeThatIsReadyAndNotOpen(t *testing.T) {
	w := newTown(t)
	w.atMax("spot")
	node := spotNode()
	node.Created = noon
	node.Taints = []corev1.Taint{{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoSchedule}}
	w.nodes = append(w.nodes, node)
	w.build("waits", "spot", 10*time.Second)
	c := w.controller()
	for range 3 {
		require.NoError(t, c.Round(t.Context()))
		assert.Empty(t, w.patched)
		w.clock.Step(40 * time.Second)
	}
	open := *node
	open.Taints = nil
	w.nodes[1] = &open
	require.NoError(t, c.Round(t.Context()))
	assert.Empty(t, w.patched)
	w.nodes[1] = node
	w.clock.Step(time.Second)
	require.NoError(t, c.Round(t.Context()))
	assert.Equal(t, []string{"waits"}, w.patched, "it is later than its boot time and the margin")
}

// spotNode is an open node with room for one build.
func spotNode() *cloudprovider.ClusterNode {
	return &cloudprovider.ClusterNode{
		Name: "node", InstanceID: "i-1", Labels: map[string]string{cloudprovider.LabelClass: "spot"},
		Ready: corev1.ConditionTrue, ReadySince: noon, MilliCPU: 4000, MemoryBytes: 8 << 30,
	}
}

func TestRoomThatIsTaken(t *testing.T) {
	w := newTown(t)
	w.atMax("spot")
	w.nodes = append(w.nodes, spotNode())
	w.build("runs", "spot", time.Minute)
	w.bind("runs", "node")
	w.build("waits", "spot", 10*time.Second)
	require.NoError(t, w.controller().Round(t.Context()))
	assert.Equal(t, []string{"waits"}, w.patched)
}

// Who cannot be moved needs real nodes too: of two builds and a node for one, the one
// that may move does.
func TestPodsOfOthersTakeRoom(t *testing.T) {
	w := newTown(t)
	w.atMax("spot")
	w.groups[0].Coming = []controller.Coming{{Since: noon}}
	w.build("stranger", "spot", time.Second).Labels = nil
	spare := w.build("spare", "spot", time.Second)
	spare.Labels = map[string]string{cloudprovider.LabelHeadroom: "spot"}
	w.build("build", "spot", time.Minute)
	require.NoError(t, w.controller().Round(t.Context()))
	assert.Equal(t, []string{"build"}, w.patched)

	delete(w.pods, "stranger")
	w.build("second", "spot", time.Second)
	require.NoError(t, w.controller().Round(t.Context()))
	assert.Equal(t, []string{"build"}, w.patched, "what keeps room gives way to it")
}

func TestWhatTriggeredWaits(t *testing.T) {
	w := newTown(t)
	w.build("waits", "spot", 10*time.Minute)
	w.said["uid-waits"] = [2]time.Time{noon.Add(-2 * time.Minute), noon}
	c := w.controller()
	require.NoError(t, c.Round(t.Context()))
	assert.Empty(t, w.patched, "its node is not later than predicted and the margin")
	w.clock.Step(time.Second)
	require.NoError(t, c.Round(t.Context()))
	assert.Equal(t, []string{"waits"}, w.patched)
	assert.Empty(t, w.refused["spot/age"])
}

func TestRefusalsAreToldOnce(t *testing.T) {
	w := newTown(t)
	w.atMax("spot")
	w.build("elsewhere", "spot", time.Hour).Namespace = "dev"
	mounting := w.build("mounting", "spot", time.Hour)
	mounting.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}}}
	c := w.controller()
	for range 3 {
		require.NoError(t, c.Round(t.Context()))
	}
	// The class normal would pick the first one's labels, too, and in every namespace.
	assert.Equal(t, map[string]int{"spot/host_path": 1}, w.refused)
	require.Len(t, w.events, 2)
	assert.Contains(t, w.events, "mounting OverflowRefused: It does not move to the virtual node: "+overflow.UsesHostPath.String()+".")
	assert.Equal(t, map[string]int{"normal/age": 1}, w.moved)
}

func TestLimitCountsWhatIsOnItsWay(t *testing.T) {
	w := newTown(t)
	w.atMax("spot")
	for n := range 8 {
		w.build(fmt.Sprint(n), "spot", time.Minute)
	}
	w.bind("0", "virtual")
	c := w.controller()
	require.NoError(t, c.Round(t.Context()))
	assert.Len(t, w.patched, 4, "five in all")
	require.NoError(t, c.Round(t.Context()))
	assert.Len(t, w.patched, 4)
	assert.Equal(t, 3, w.refused["spot/pod_limit"])
	delete(w.pods, "0")
	require.NoError(t, c.Round(t.Context()))
	assert.Len(t, w.patched, 5)
}

func TestNothingMovesWhenNotSure(t *testing.T) {
	w := newTown(t)
	w.atMax("spot")
	w.build("waits", "spot", time.Hour)
	c := w.controller()
	w.blind = cloudprovider.ErrClusterUnseen
	require.ErrorIs(t, c.Round(t.Context()), cloudprovider.ErrClusterUnseen)
	w.blind, w.noGroup = nil, cloudprovider.ErrNotReady
	require.ErrorIs(t, c.Round(t.Context()), cloudprovider.ErrNotReady)
	w.noGroup = nil
	c.Leading = func() bool { return false }
	require.NoError(t, c.Round(t.Context()))
	c.Leading = nil
	virtual := w.nodes
	w.nodes = nil
	require.NoError(t, c.Round(t.Context()))
	assert.Empty(t, w.patched)
	assert.Equal(t, map[string]int{"spot/no_virtual_node": 1}, w.refused)
	w.nodes = virtual
	require.NoError(t, c.Round(t.Context()))
	assert.Equal(t, []string{"waits"}, w.patched)
}

// Of two that decide the same at once one is refused; a pod that somebody else changes
// is looked at again.
func TestTwoMoveAPodOnce(t *testing.T) {
	w := newTown(t)
	w.atMax("spot")
	for n := range 3 {
		w.build(fmt.Sprint(n), "spot", time.Minute)
	}
	second := w.controller()
	w.meanwhile = func(*corev1.Pod) {
		w.meanwhile = nil
		require.NoError(t, second.Round(t.Context()))
	}
	require.NoError(t, w.controller().Round(t.Context()))
	assert.Equal(t, 3, w.tolerating())
	assert.Equal(t, map[string]int{"spot/at_max": 3}, w.moved)
	assert.Len(t, w.events, 3)
}

func TestAPatchThatFailsIsToldAndTriedAgain(t *testing.T) {
	w := newTown(t)
	w.atMax("spot")
	w.build("waits", "spot", time.Minute)
	broken := errors.New("forbidden")
	refusing := &refusingTown{town: w, err: broken}
	c := w.controller()
	c.Cluster = refusing
	c = controller.New(c.Settings)
	require.ErrorIs(t, c.Round(t.Context()), broken)
	assert.Empty(t, w.moved)
	refusing.err = nil
	require.NoError(t, c.Round(t.Context()))
	assert.Equal(t, map[string]int{"spot/at_max": 1}, w.moved)
}

// A build that goes to the virtual node first is kept from cluster-autoscaler, unless it
// may not move.
func TestScaleUpIsDelayed(t *testing.T) {
	w := newTown(t)
	w.build("first", "normal", time.Second)
	w.build("own", "normal", time.Second).Annotations = map[string]string{controller.AnnotationScaleUpDelay: "1m"}
	w.build("real", "normal", time.Second).Spec.HostNetwork = true
	w.build("spot", "spot", time.Second)
	c := w.controller()
	for range 2 {
		require.NoError(t, c.Round(t.Context()))
	}
	assert.Equal(t, []string{"first"}, w.patched)
	assert.Equal(t, "40s", w.pods["first"].Annotations[controller.AnnotationScaleUpDelay])
	w.clock.Step(5 * time.Second)
	require.NoError(t, c.Round(t.Context()))
	assert.ElementsMatch(t, []string{"first", "first", "own"}, w.patched)
}

func TestWhatItComesTo(t *testing.T) {
	w := newTown(t)
	w.atMax("spot")
	w.build("waits", "spot", time.Minute)
	w.build("big", "spot", time.Minute).Spec.Containers[0].Resources.Requests[corev1.ResourceCPU] = resource.MustParse("6")
	c := w.controller()
	require.NoError(t, c.Round(t.Context()))
	w.clock.Step(10 * time.Second)
	w.bind("waits", "virtual")
	require.NoError(t, c.Round(t.Context()))
	assert.Equal(t, 1, w.live["spot"])
	assert.InDelta(t, 4, w.cost["spot"], 1e-9)
	assert.Equal(t, 50*time.Second, w.saved, "a node takes a minute, and it runs after ten seconds")
	w.bind("big", "virtual")
	require.NoError(t, c.Round(t.Context()))
	assert.InDelta(t, 12, w.cost["spot"], 1e-9, "6 vCPU are billed as 8")
	assert.Equal(t, 50*time.Second, w.saved, "no group could have served the other")
}

// refusingTown refuses writes.
type refusingTown struct {
	*town
	err error
}

func (r *refusingTown) Tolerate(ctx context.Context, pod *corev1.Pod, toleration corev1.Toleration, annotations map[string]string) error {
	if r.err != nil {
		return r.err
	}
	return r.town.Tolerate(ctx, pod, toleration, annotations)
}
