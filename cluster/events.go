package cluster

import (
	"context"
	"log/slog"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/clock"
)

// At most so many events are written: a burst of builds must not keep the apiserver
// busy with our sentences about it. What is above is left out.
const (
	eventsPerSecond = 5
	eventBurst      = 100
)

// Events writes Kubernetes events about pods and nodes. Whoever uses it says each thing
// once.
type Events struct {
	broadcaster record.EventBroadcaster
	recorder    record.EventRecorder
	limit       *rate.Limiter
	clock       clock.PassiveClock
	log         *slog.Logger
}

// NewEvents begins to write to the cluster, in the name of buildpool. Its identity may
// create and patch events.
func NewEvents(ctx context.Context, client kubernetes.Interface, clock clock.PassiveClock, log *slog.Logger) *Events {
	broadcaster := record.NewBroadcaster(record.WithContext(ctx))
	broadcaster.StartRecordingToSink(&typedcorev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	return &Events{
		broadcaster: broadcaster, clock: clock, log: log,
		recorder: broadcaster.NewRecorder(scheme.Scheme, corev1.EventSource{Component: "buildpool"}),
		limit:    rate.NewLimiter(eventsPerSecond, eventBurst),
	}
}

// Pod writes a sentence about a pod. It does not wait.
func (e *Events) Pod(namespace, name, uid, reason, sentence string) {
	e.write(&corev1.ObjectReference{Kind: "Pod", APIVersion: "v1", Namespace: namespace, Name: name, UID: types.UID(uid)}, reason, sentence)
}

// Node writes a sentence about a node. It does not wait.
func (e *Events) Node(name, uid, reason, sentence string) {
	e.write(&corev1.ObjectReference{Kind: "Node", APIVersion: "v1", Name: name, UID: types.UID(uid)}, reason, sentence)
}

func (e *Events) write(about *corev1.ObjectReference, reason, sentence string) {
	if !e.limit.AllowN(e.clock.Now(), 1) {
		e.log.Debug("an event is left out, there are too many", "kind", about.Kind, "name", about.Name, "reason", reason)
		return
	}
	e.recorder.Event(about, corev1.EventTypeNormal, reason, sentence)
}

// Close ends the writing; what has not been written is lost.
func (e *Events) Close() { e.broadcaster.Shutdown() }
