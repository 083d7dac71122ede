package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
)

// The reasons of cluster-autoscaler's events on pods.
const (
	triggeredScaleUp  = "TriggeredScaleUp"
	notTriggerScaleUp = "NotTriggerScaleUp"
)

// byPod is the name of the index of events.
const byPod = "pod"

// scaleUps keeps what cluster-autoscaler says of pods in events: when it did, and of
// which pod.
type scaleUps struct{ triggered, notTriggered *words }

// words are the events of one reason.
type words struct {
	stream   *stream
	informer cache.SharedIndexInformer
}

// keptEvent is what is kept of an event.
type keptEvent struct {
	metav1.ObjectMeta
	pod string
	at  time.Time
}

func newScaleUps(client kubernetes.Interface, clock clock.PassiveClock, log *slog.Logger) (*scaleUps, error) {
	s := &scaleUps{}
	for reason, into := range map[string]**words{triggeredScaleUp: &s.triggered, notTriggerScaleUp: &s.notTriggered} {
		w, err := newWords(client, clock, log, reason)
		if err != nil {
			return nil, fmt.Errorf("prepare the cache of %s events: %w", reason, err)
		}
		*into = w
	}
	return s, nil
}

func newWords(client kubernetes.Interface, clock clock.PassiveClock, log *slog.Logger, reason string) (*words, error) {
	w := &words{stream: newStream(reason+" events", clock, log)}
	selector := "involvedObject.kind=Pod,reason=" + reason
	var err error
	w.informer, err = newInformer(client, w.stream, &corev1.Event{}, source{
		list: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			o.FieldSelector = selector
			return client.CoreV1().Events("").List(ctx, o)
		},
		watch: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			o.FieldSelector = selector
			return client.CoreV1().Events("").Watch(ctx, o)
		},
	}, keepEvent, cache.Indexers{byPod: func(o any) ([]string, error) { return []string{o.(*keptEvent).pod}, nil }})
	return w, err
}

// keepEvent is a cache.TransformFunc; what it has made it leaves alone.
func keepEvent(o any) (any, error) {
	switch o := o.(type) {
	case *keptEvent, cache.DeletedFinalStateUnknown:
		return o, nil
	case *corev1.Event:
		return &keptEvent{ObjectMeta: identity(o.ObjectMeta), pod: string(o.InvolvedObject.UID), at: said(o)}, nil
	}
	return nil, fmt.Errorf("keep event: a %T is none", o)
}

// said is when the event was last said: each API of events has a field of its own.
func said(e *corev1.Event) time.Time {
	at := e.LastTimestamp.Time
	if e.EventTime.After(at) {
		at = e.EventTime.Time
	}
	if e.Series != nil && e.Series.LastObservedTime.After(at) {
		at = e.Series.LastObservedTime.Time
	}
	return at
}

func (s *scaleUps) run(ctx context.Context) {
	var parts sync.WaitGroup
	parts.Go(func() { s.triggered.informer.RunWithContext(ctx) })
	parts.Go(func() { s.notTriggered.informer.RunWithContext(ctx) })
	parts.Wait()
}

func (s *scaleUps) current() error {
	for _, w := range []*words{s.triggered, s.notTriggered} {
		if err := w.stream.current(); err != nil {
			return err
		}
		if !w.informer.HasSynced() {
			return fmt.Errorf("%w: its %s have not been read yet", cloudprovider.ErrClusterUnseen, w.stream.what)
		}
	}
	return nil
}

// last is when it was last said of the pod; zero: never.
func (w *words) last(podUID string) time.Time {
	found, err := w.informer.GetIndexer().ByIndex(byPod, podUID)
	if err != nil {
		panic("cluster: " + err.Error()) // the index is our own
	}
	var last time.Time
	for _, o := range found {
		if at := o.(*keptEvent).at; at.After(last) {
			last = at
		}
	}
	return last
}
