package cluster

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
)

// reopenTime is how long a watch that ended may take to begin again. The apiserver ends
// every watch after some minutes, and the next one begins within milliseconds.
const reopenTime = 10 * time.Second

// stream knows whether the changes of one kind of object reach us now. An informer does
// not tell: one that has lost its apiserver goes on answering what it knew.
type stream struct {
	what  string
	clock clock.PassiveClock
	log   *slog.Logger

	mu   sync.Mutex
	open int       // watches that are open and have caught up
	shut time.Time // when the last one ended
	err  error     // why the next one did not begin
}

func newStream(what string, clock clock.PassiveClock, log *slog.Logger) *stream {
	return &stream{what: what, clock: clock, log: log, shut: clock.Now()}
}

// current says why changes do not reach us; nil if they do.
func (s *stream) current() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.open > 0:
		return nil
	case s.err != nil:
		return fmt.Errorf("%w: its %s cannot be watched: %w", cloudprovider.ErrClusterUnseen, s.what, s.err)
	case s.clock.Since(s.shut) > reopenTime:
		return fmt.Errorf("%w: its %s have not been watched for %v", cloudprovider.ErrClusterUnseen, s.what, s.clock.Since(s.shut).Truncate(time.Second))
	}
	return nil
}

// failed notes that a list or a watch did not begin, or broke off.
func (s *stream) failed(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil && s.open == 0 {
		s.log.Warn("the cluster cannot be watched, will try again", "kind", s.what, "error", err)
	}
	s.err = err
}

func (s *stream) opened() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		s.log.Info("the cluster is watched again", "kind", s.what)
	}
	s.open, s.err = s.open+1, nil
}

func (s *stream) closed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	s.shut = s.clock.Now()
}

// observe wraps a way to begin a watch so that the stream hears of its begin and end.
func (s *stream) observe(begin func(context.Context, metav1.ListOptions) (watch.Interface, error)) func(context.Context, metav1.ListOptions) (watch.Interface, error) {
	return func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
		source, err := begin(ctx, o)
		if err != nil {
			s.failed(err)
			return nil, err
		}
		events := make(chan watch.Event)
		proxy := watch.NewProxyWatcher(events)
		// A watch that first sends what is there already has caught up only after that.
		catchingUp := o.SendInitialEvents != nil && *o.SendInitialEvents
		go s.forward(source, proxy, events, catchingUp)
		return proxy, nil
	}
}

func (s *stream) forward(source watch.Interface, proxy *watch.ProxyWatcher, events chan<- watch.Event, catchingUp bool) {
	defer close(events)
	defer source.Stop()
	if !catchingUp {
		s.opened()
	}
	defer func() {
		if !catchingUp {
			s.closed()
		}
	}()
	for {
		select {
		case <-proxy.StopChan():
			return
		case event, ok := <-source.ResultChan():
			if !ok {
				return
			}
			select {
			case events <- event:
			case <-proxy.StopChan():
				return
			}
			if catchingUp && endsInitialEvents(event) {
				catchingUp = false
				s.opened()
			}
		}
	}
}

func endsInitialEvents(event watch.Event) bool {
	if event.Type != watch.Bookmark {
		return false
	}
	object, ok := event.Object.(metav1.Object)
	return ok && object.GetAnnotations()[metav1.InitialEventsAnnotationKey] == "true"
}
