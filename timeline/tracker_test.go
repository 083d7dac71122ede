package timeline

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	corev1 "k8s.io/api/core/v1"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/cloudprovider"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

// world is a tracker, what it is told of, and what it tells.
type world struct {
	*Tracker
	clock *testingclock.FakePassiveClock
	nodes map[string]*cloudprovider.ClusterNode
	born  map[string]Birth
	heard []string
	told  []string
}

func newWorld() *world {
	w := &world{clock: testingclock.NewFakePassiveClock(noon), nodes: map[string]*cloudprovider.ClusterNode{}, born: map[string]Birth{}}
	w.Tracker = New(w.clock,
		func(id string) (Birth, bool) { b, ok := w.born[id]; return b, ok },
		func(name string) *cloudprovider.ClusterNode { return w.nodes[name] }, w)
	return w
}

func (w *world) Passed(group string, phase Phase, took time.Duration) {
	w.heard = append(w.heard, fmt.Sprintf("%s %s %v", group, phase, took))
}

func (w *world) Started(group string, waited time.Duration) {
	w.heard = append(w.heard, fmt.Sprintf("%s started after %v", group, waited))
}

func (w *world) Tell(about Object, reason, sentence string) {
	w.told = append(w.told, fmt.Sprintf("%s/%s %s: %s", about.Namespace, about.Name, reason, sentence))
}

// pod tells of the pod as it is at a second.
func (w *world) pod(second int, change func(*cloudprovider.Pod)) {
	w.clock.SetTime(at(second))
	p := &cloudprovider.Pod{Namespace: "ci", Name: "build", UID: "u", Phase: corev1.PodPending, Created: at(10)}
	change(p)
	w.Pod(nil, p)
}

// node tells of node n, of instance i-1, that registered at 80 and is Ready since 95.
func (w *world) node(second int, change func(*cloudprovider.ClusterNode)) {
	w.clock.SetTime(at(second))
	n := &cloudprovider.ClusterNode{Name: "n", UID: "un", InstanceID: "i-1", Created: at(80), Ready: corev1.ConditionTrue, ReadySince: at(95)}
	change(n)
	w.nodes["n"] = n
	w.Node(nil, n)
}

func waits(*cloudprovider.Pod) {}

func isBound(p *cloudprovider.Pod) { p.Node, p.Bound = "n", at(97) }

func runs(p *cloudprovider.Pod) { isBound(p); p.Phase = corev1.PodRunning }

func runsKnown(p *cloudprovider.Pod) { runs(p); p.Images, p.ImagesKnown = 4*time.Second, true }

func asItIs(*cloudprovider.ClusterNode) {}

func booting(n *cloudprovider.ClusterNode) { n.Ready, n.ReadySince = corev1.ConditionFalse, at(80) }

func TestTheLifeOfABuild(t *testing.T) {
	w := newWorld()
	w.pod(10, waits)
	w.born["i-1"] = Birth{Group: "spot", Asked: at(14), Created: at(30)}
	w.node(80, booting)
	w.node(95, asItIs)
	w.node(100, asItIs) // a heartbeat
	w.pod(97, isBound)
	w.pod(102, runsKnown)
	w.pod(110, runsKnown)
	w.clock.SetTime(at(400))
	w.Pod(&cloudprovider.Pod{UID: "u"}, nil)
	w.clock.SetTime(at(460))
	w.Node(w.nodes["n"], nil)
	assert.Equal(t, []string{
		"spot create 16s", "spot register 50s", "spot ready 15s",
		"spot wait 1m27s", "spot decide 4s", "spot bind 2s",
		"spot start 5s", "spot image 4s", "spot started after 1m32s",
		"spot run 4m58s", "spot idle 1m0s",
	}, w.heard)
	assert.Equal(t, []string{
		"/n JoinedNodeGroup: Instance i-1 joined node group spot, Ready 1m21s after it was asked for.",
		"ci/build WaitedForNode: Waited 1m32s for a new node of node group spot: asked for after 4s, created 16s later, joined after another 50s, Ready after 15s; bound and started within 7s, 4s of that for images.",
	}, w.told)
	assert.Empty(t, w.pods, "nothing is kept of what has gone")
	assert.Empty(t, w.Tracker.nodes)
}

func TestABuildOnANodeThatWasThere(t *testing.T) {
	w := newWorld()
	w.born["i-1"] = Birth{Group: "spot", Asked: at(-600), Created: at(-580)}
	old := func(n *cloudprovider.ClusterNode) { n.Created, n.ReadySince = at(-500), at(-490) }
	w.node(5, old)
	w.pod(12, func(p *cloudprovider.Pod) { p.Node, p.Bound = "n", at(12) })
	w.pod(13, func(p *cloudprovider.Pod) { p.Node, p.Bound, p.Phase = "n", at(12), corev1.PodRunning })
	assert.Equal(t, []string{"spot wait 2s", "spot bind 2s", "spot start 1s", "spot started after 3s"}, w.heard)
	assert.Empty(t, w.told, "nothing was done for it")
}

func TestGPUsComeLaterThanTheirNode(t *testing.T) {
	w := newWorld()
	w.born["i-1"] = Birth{Group: "gpu", Created: at(30)}
	gpu := func(n *cloudprovider.ClusterNode) { n.Labels = map[string]string{cloudprovider.LabelGPU: "A10"} }
	w.node(95, gpu)
	w.node(130, func(n *cloudprovider.ClusterNode) { gpu(n); n.GPUs = 1 })
	w.node(140, func(n *cloudprovider.ClusterNode) { gpu(n); n.GPUs = 1 })
	assert.Equal(t, []string{"gpu register 50s", "gpu ready 15s", "gpu gpu 35s"}, w.heard, "asked for before our start: its creation is not measured")
	assert.Equal(t, []string{"/n JoinedNodeGroup: Instance i-1 joined node group gpu, Ready 1m5s after it was created."}, w.told)
}

// The account is read after the node has joined and the pod is bound: nothing is lost.
func TestTheProviderLearnsLate(t *testing.T) {
	w := newWorld()
	w.node(95, asItIs)
	w.pod(97, isBound)
	assert.Empty(t, w.heard)
	w.born["i-1"] = Birth{Group: "spot", Asked: at(14), Created: at(30)}
	w.pod(102, runs)
	assert.Equal(t, []string{
		"spot create 16s", "spot register 50s", "spot ready 15s",
		"spot wait 1m27s", "spot decide 4s", "spot bind 2s", "spot start 5s", "spot started after 1m32s",
	}, w.heard, "and no phase for images, which the kubelet did not tell of")
	assert.Contains(t, w.told[1], "bound and started within 7s (how much of that for images its kubelet does not tell).")
}

func TestWhatIsNotMeasured(t *testing.T) {
	for name, play := range map[string]func(*world){
		"a daemon's pod": func(w *world) {
			w.pod(102, func(p *cloudprovider.Pod) { runs(p); p.OwnerKind = "DaemonSet" })
		},
		"a static pod": func(w *world) { w.pod(102, func(p *cloudprovider.Pod) { runs(p); p.Mirror = true }) },
		"a pod on a node of nobody's": func(w *world) {
			w.nodes["n"].InstanceID = ""
			w.pod(102, runs)
		},
		"a pod on a node that has gone": func(w *world) {
			delete(w.nodes, "n")
			w.pod(102, runs)
		},
		"what was so before we looked": func(w *world) {
			w.began = at(1000)
			w.node(1001, asItIs)
			w.pod(1002, runs)
			w.Pod(&cloudprovider.Pod{UID: "u"}, nil)
		},
		"a pod that was never bound": func(w *world) {
			w.pod(20, waits)
			w.Pod(&cloudprovider.Pod{UID: "u"}, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			w.born["i-1"] = Birth{Group: "spot", Asked: at(14), Created: at(30)}
			w.nodes["n"] = &cloudprovider.ClusterNode{Name: "n", UID: "un", InstanceID: "i-1", Created: at(80), Ready: corev1.ConditionFalse}
			play(w)
			assert.Empty(t, w.heard)
			assert.Empty(t, w.told)
		})
	}
}

// A stopped instance comes back to its old node: what is measured is the life that began
// when it was started.
func TestAnInstanceThatIsStartedAgain(t *testing.T) {
	w := newWorld()
	w.born["i-1"] = Birth{Group: "normal", Asked: at(5), Created: at(10)}
	w.node(95, asItIs)
	w.heard, w.told = nil, nil
	w.born["i-1"] = Birth{Group: "normal", Asked: at(500), Created: at(501), Again: true}
	w.node(502, asItIs) // its kubelet is not missed yet
	w.node(510, func(n *cloudprovider.ClusterNode) { n.Ready, n.ReadySince = corev1.ConditionUnknown, at(510) })
	assert.Empty(t, w.heard)
	w.node(525, func(n *cloudprovider.ClusterNode) { n.ReadySince = at(525) })
	w.node(530, func(n *cloudprovider.ClusterNode) { n.ReadySince = at(525) })
	assert.Equal(t, []string{"normal create 1s", "normal register 0s", "normal ready 24s"}, w.heard)
	assert.Equal(t, []string{"/n JoinedNodeGroup: Instance i-1 joined node group normal, Ready 25s after it was asked for."}, w.told)
}
