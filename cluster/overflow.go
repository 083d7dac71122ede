package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/clock"
)

// Overflow is what moving builds to a virtual node asks of the cluster. Pods that
// something is decided about are read whole and fresh; everything else comes from the
// cache.
type Overflow struct {
	*Cache
	client   kubernetes.Interface
	scaleUps *scaleUps
	events   *Events // nil: none are written
}

// NewOverflow needs the rights to patch pods and to list and watch events.
func NewOverflow(client kubernetes.Interface, c *Cache, events *Events, clock clock.PassiveClock, log *slog.Logger) (*Overflow, error) {
	words, err := newScaleUps(client, clock, log)
	if err != nil {
		return nil, err
	}
	return &Overflow{Cache: c, client: client, scaleUps: words, events: events}, nil
}

// Run follows cluster-autoscaler's events until ctx ends; the cache runs by itself.
func (o *Overflow) Run(ctx context.Context) { o.scaleUps.run(ctx) }

// Current is nil while the cache and the events are as the cluster is.
// ErrClusterUnseen says why they are not.
func (o *Overflow) Current() error {
	return errors.Join(o.Cache.Current(), o.scaleUps.current())
}

// Said returns when cluster-autoscaler last said of the pod that it scales up for it,
// and when that no group helps; zero: it has not.
func (o *Overflow) Said(podUID string) (triggered, notTriggered time.Time) {
	return o.scaleUps.triggered.last(podUID), o.scaleUps.notTriggered.last(podUID)
}

// Waiting reads the pods that wait for a node.
func (o *Overflow) Waiting(ctx context.Context) ([]corev1.Pod, error) {
	return o.list(ctx, "spec.nodeName=,status.phase=Pending")
}

// Bound reads the pods that are bound to the node and have not ended.
func (o *Overflow) Bound(ctx context.Context, node string) ([]corev1.Pod, error) {
	return o.list(ctx, "spec.nodeName="+node+","+notEnded)
}

func (o *Overflow) list(ctx context.Context, selector string) ([]corev1.Pod, error) {
	pods, err := o.client.CoreV1().Pods("").List(ctx, metav1.ListOptions{FieldSelector: selector})
	if err != nil {
		return nil, fmt.Errorf("list pods (%s): %w", selector, err)
	}
	return pods.Items, nil
}

// Tolerate adds a toleration, and annotations that the pod does not have yet, to a pod
// as it was read. cloudprovider.ErrPodChanged: it has changed since, and nothing was done.
func (o *Overflow) Tolerate(ctx context.Context, pod *corev1.Pod, toleration corev1.Toleration, annotations map[string]string) error {
	return tolerate(ctx, o.client, pod, toleration, annotations)
}

// Annotate adds annotations that the pod does not have yet. cloudprovider.ErrPodChanged as Tolerate.
func (o *Overflow) Annotate(ctx context.Context, pod *corev1.Pod, annotations map[string]string) error {
	return annotate(ctx, o.client, pod, annotations)
}

// Tell writes an event about a pod.
func (o *Overflow) Tell(pod *corev1.Pod, reason, sentence string) {
	if o.events != nil {
		o.events.Pod(pod.Namespace, pod.Name, string(pod.UID), reason, sentence)
	}
}
