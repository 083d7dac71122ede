package cluster

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
)

// TestStreamHasCaughtUpAfterTheInitialEvents: a watch that begins with what is there
// already tells nothing of now before it is through with that.
func TestStreamHasCaughtUpAfterTheInitialEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStream("pods", clock.RealClock{}, slog.New(slog.DiscardHandler))
		source := watch.NewFake()
		begin := s.observe(func(context.Context, metav1.ListOptions) (watch.Interface, error) { return source, nil })
		yes := true
		w, err := begin(t.Context(), metav1.ListOptions{SendInitialEvents: &yes})
		require.NoError(t, err)
		read := make(chan struct{})
		go func() {
			defer close(read)
			for range w.ResultChan() {
			}
		}()
		clock.RealClock{}.Sleep(reopenTime + time.Second)
		source.Add(&corev1.Pod{})
		synctest.Wait()
		require.ErrorIs(t, s.current(), cloudprovider.ErrClusterUnseen)

		source.Action(watch.Bookmark, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Annotations: map[string]string{metav1.InitialEventsAnnotationKey: "true"}}})
		synctest.Wait()
		require.NoError(t, s.current())

		w.Stop()
		<-read
		synctest.Wait()
		require.NoError(t, s.current(), "another begins")
		clock.RealClock{}.Sleep(reopenTime + time.Second)
		require.ErrorIs(t, s.current(), cloudprovider.ErrClusterUnseen)
	})
}
