package oracle

import (
	"context"
	"fmt"
	"slices"
	"time"
	_ "unsafe" // for go:linkname

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/autoscaler/cluster-autoscaler/simulator/framework"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	_ "k8s.io/kubernetes/pkg/scheduler" // whose map of hints is linked below
	"k8s.io/kubernetes/pkg/scheduler/backend/queue"
	schedulerframework "k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/queuesort"
	"k8s.io/kubernetes/pkg/scheduler/metrics"
	"k8s.io/utils/clock"
)

// buildQueueingHintMap is kube-scheduler's own: it says after which events a pod that
// plugins have rejected is tried again. It is not exported.
//
//go:linkname buildQueueingHintMap k8s.io/kubernetes/pkg/scheduler.buildQueueingHintMap
func buildQueueingHintMap(ctx context.Context, plugins []fwk.EnqueueExtensions) (queue.QueueingHintMap, error)

// upstream are parts of kube-scheduler that outlive a bubble.
type upstream struct {
	handle   *framework.Handle
	hints    queue.QueueingHintMap
	recorder *metrics.MetricAsyncRecorder
}

// newUpstream makes them. What flushes metrics every second lives as long as ctx, so it
// is made outside the bubble, whose months have many seconds.
func newUpstream(ctx context.Context) (upstream, error) {
	handle, err := newHandle(ctx)
	if err != nil {
		return upstream{}, err
	}
	// The others never reject a build, and each would be asked at every event.
	rejecting := slices.DeleteFunc(slices.Clone(handle.Framework.EnqueueExtensions()), func(p fwk.EnqueueExtensions) bool {
		return !slices.Contains(filters, p.Name())
	})
	hints, err := buildQueueingHintMap(ctx, rejecting)
	if err != nil {
		return upstream{}, fmt.Errorf("read the plugins' hints: %w", err)
	}
	return upstream{handle, hints, metrics.NewMetricsAsyncRecorder(1000, time.Second, ctx.Done())}, nil
}

// newQueue is kube-scheduler's own queue of pods. Nothing moves pods whose backoff ends
// while they wait in it, because none do: the scheduler takes no time here, and takes
// those that back off, too, when there are no others.
func newQueue(u upstream) *queue.PriorityQueue {
	unused := informers.NewSharedInformerFactory(fake.NewSimpleClientset(), 0)
	q := queue.NewPriorityQueue((&queuesort.PrioritySort{}).Less, unused,
		queue.WithClock(&orderly{}), queue.WithMetricsRecorder(u.recorder),
		queue.WithQueueingHintMapPerProfile(queue.QueueingHintMapPerProfile{corev1.DefaultSchedulerName: u.hints}))
	q.Close() // so that Pop does not wait when there is nothing to take
	return q
}

// orderly is the bubble's clock, but no two looks at it say the same, as in real life:
// the queue tells by the times of their last attempts which pod was tried first.
type orderly struct {
	clock.RealClock
	last time.Time
}

func (o *orderly) Now() time.Time {
	now := time.Now()
	if !now.After(o.last) {
		now = o.last.Add(1)
	}
	o.last = now
	return now
}

// place puts a new pod into the queue. mu is held.
func (w *world) place(p *pod, now time.Time) {
	w.cluster.pending = append(w.cluster.pending, p)
	w.queue.Add(context.Background(), p.object)
	w.schedule(now)
}

// occur lets the queue learn of an event of the cluster, which may have it try waiting
// pods again.
func (w *world) occur(event fwk.ClusterEvent, before, after any, now time.Time) {
	w.queue.MoveAllToActiveOrBackoffQueue(klog.Background(), event, before, after, nil)
	w.schedule(now)
}

// schedule tries the pods that the queue has for it, in its order: each is bound, or
// goes back as unschedulable.
func (w *world) schedule(now time.Time) {
	failed := map[*shape]sets.Set[string]{}
	for {
		if w.untaint() {
			clear(failed)
		}
		info, err := w.queue.Pop(klog.Background())
		w.must(err)
		if info == nil {
			return
		}
		p := w.cluster.pods[info.Pod.Name]
		rejectors, known := failed[p.shape]
		if !known {
			var n *node
			if n, rejectors = w.choose(p.shape); n != nil {
				w.queue.Done(info.Pod.UID)
				w.cluster.pending = slices.DeleteFunc(w.cluster.pending, func(o *pod) bool { return o == p })
				w.bind(p, n, now)
				continue
			}
			failed[p.shape] = rejectors
		}
		info.UnschedulablePlugins = rejectors.Clone()
		w.must(w.queue.AddUnschedulableIfNotPresent(klog.Background(), info, w.queue.SchedulingCycle()))
		w.refuse(p, now)
	}
}

// refuse says that a pod is unschedulable, at its first attempt.
func (w *world) refuse(p *pod, now time.Time) {
	if len(p.object.Status.Conditions) > 0 {
		return
	}
	object := *p.object
	object.Status.Conditions = []corev1.PodCondition{{
		Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Reason: corev1.PodReasonUnschedulable, LastTransitionTime: seconds(now),
	}}
	p.object = &object
	select {
	case w.unschedulable <- struct{}{}:
	default:
	}
}

// register lets the queue see a node come: first with the taint that kube-apiserver
// gives a new one, then without it. Each is an attempt for the pods that would fit, but
// amid the first one in a world of quick nodes.
func (w *world) register(n *node, now time.Time) {
	ready := n.object
	n.object = ready.DeepCopy()
	n.object.Spec.Taints = append(n.object.Spec.Taints, corev1.Taint{Key: corev1.TaintNodeNotReady, Effect: corev1.TaintEffectNoSchedule})
	if w.quickNodes {
		w.untainting = &untainting{n, ready, w.rng.IntN(len(w.cluster.pending) + 1)}
	}
	w.occur(fwk.ClusterEvent{Resource: fwk.Node, ActionType: fwk.Add}, nil, n.object, now)
	w.untainting = nil
	if n.object != ready {
		w.change(n, ready, now)
	}
}

// untainting is a node that loses its taint after so many of the attempts that its
// coming has caused.
type untainting struct {
	node     *node
	ready    *corev1.Node
	attempts int
}

// untaint takes the taint away if it is time, and reports whether it did: the pods that
// are still to be tried see the node without it, the others have failed once more.
func (w *world) untaint() bool {
	u := w.untainting
	if u == nil {
		return false
	}
	if u.attempts > 0 {
		u.attempts--
		return false
	}
	w.untainting = nil
	before := u.node.object
	u.node.object = u.ready
	for _, event := range schedulerframework.NodeSchedulingPropertiesChange(u.ready, before) {
		w.queue.MoveAllToActiveOrBackoffQueue(klog.Background(), event, before, u.ready, nil)
	}
	return true
}

// change replaces a node's object, as an update of the API does.
func (w *world) change(n *node, object *corev1.Node, now time.Time) {
	before := n.object
	n.object = object
	for _, event := range schedulerframework.NodeSchedulingPropertiesChange(object, before) {
		w.occur(event, before, object, now)
	}
}
