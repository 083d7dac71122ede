package oracle

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	schedulerframework "k8s.io/kubernetes/pkg/scheduler/framework"
)

// bind starts a pod on a node: its image is pulled unless it is there or on its way,
// its agent starts, and the build runs. mu is held.
func (w *world) bind(p *pod, n *node, now time.Time) {
	object := *p.object
	object.Spec.NodeName = n.object.Name
	object.Status = corev1.PodStatus{Phase: corev1.PodRunning, Conditions: []corev1.PodCondition{{
		Type: corev1.PodScheduled, Status: corev1.ConditionTrue, LastTransitionTime: seconds(now),
	}}}
	p.object, p.node = &object, n
	n.pods = append(n.pods, p)
	n.used.add(p.shape.requests, 1)
	started := w.pulled(n, p.shape.image, now).Add(w.settings.AgentStart)
	w.recordBound(p, started, now)
	ended := started.Add(w.settings.Trace.Builds[p.build].Duration)
	w.at(ended, func() {
		if !p.gone {
			w.finish(p, ended)
		}
	})
}

// pulled is when an image is on a node: the first build of it pulls, those that come
// meanwhile wait for the same pull. A kubelet pulls one image after the other
// (serializeImagePulls, its default).
func (w *world) pulled(n *node, image string, now time.Time) time.Time {
	known, named := w.settings.Images[image]
	if image == "" || !named || known.Baked {
		return now
	}
	at, here := n.images[image]
	if !here {
		at = later(now, n.pulling).Add(known.Pull)
		n.images[image], n.pulling = at, at
	}
	return later(now, at)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// finish ends a build that is done.
func (w *world) finish(p *pod, now time.Time) {
	w.recordEnded(p, now)
	w.left--
	w.unbind(p, now)
}

// unbind takes a pod from its node and out of the cluster.
func (w *world) unbind(p *pod, now time.Time) {
	n := p.node
	p.gone = true
	delete(w.cluster.pods, p.object.Name)
	n.pods = slices.DeleteFunc(n.pods, func(o *pod) bool { return o == p })
	n.used.add(p.shape.requests, -1)
	w.recordIdle(n, now)
	w.occur(schedulerframework.EventAssignedPodDelete, p.object, nil, now)
}

// interrupt ends an attempt whose node was taken or drained: the build begins anew,
// at the end of the queue.
func (w *world) interrupt(p *pod, now time.Time) {
	w.recordInterrupted(p)
	w.unbind(p, now)
	w.place(w.add(p.build, now), now)
}
