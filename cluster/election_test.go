package cluster_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cluster"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// replica is a candidate that notes when it leads.
type replica struct {
	*cluster.Election
	stop  context.CancelFunc
	ended chan error
	led   chan context.Context
}

func stand(t *testing.T, client *fake.Clientset, identity string, whenStopped time.Duration) *replica {
	t.Helper()
	election, err := cluster.NewElection(client, "kube-system", "buildpool", identity, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	r := &replica{Election: election, stop: stop, ended: make(chan error, 1), led: make(chan context.Context, 1)}
	go func() {
		r.ended <- election.Lead(ctx, func(ctx context.Context) error {
			r.led <- ctx
			<-ctx.Done()
			clock.RealClock{}.Sleep(whenStopped) // RPCs under way finish
			return nil
		})
	}()
	return r
}

func pass(d time.Duration) { clock.RealClock{}.Sleep(d) }

func TestOneOfTwoLeadsAndHandsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset()
		first := stand(t, client, "replica-1", 5*time.Second)
		pass(time.Second)
		second := stand(t, client, "replica-2", 0)
		pass(time.Minute)
		assert.True(t, first.Leading())
		assert.False(t, second.Leading())
		assert.Equal(t, "replica-1", second.Holder())

		first.stop()
		pass(4 * time.Second)
		assert.False(t, second.Leading(), "the first still finishes its work")
		require.NoError(t, <-first.ended)
		pass(5 * time.Second)
		assert.True(t, second.Leading(), "the lease was given back, not waited for")
		second.stop()
		require.NoError(t, <-second.ended)
	})
}

func TestLeaderThatCannotRenewStopsBeforeAnotherMayLead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset()
		var away atomic.Bool
		client.PrependReactor("update", "leases", func(clienttesting.Action) (bool, runtime.Object, error) {
			return away.Load(), nil, errors.New("the apiserver is away")
		})
		first := stand(t, client, "replica-1", 0)
		pass(time.Second)
		ctx := <-first.led
		away.Store(true)
		began := clock.RealClock{}.Now()
		<-ctx.Done()
		assert.Less(t, clock.RealClock{}.Since(began), cluster.LeaseDuration)
		assert.ErrorIs(t, context.Cause(ctx), cluster.ErrLeadershipLost)
		assert.ErrorIs(t, <-first.ended, cluster.ErrLeadershipLost)
		assert.False(t, first.Leading())
		first.stop()
	})
}

func TestCandidateMayGiveUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := fake.NewClientset()
		first := stand(t, client, "replica-1", 0)
		pass(time.Second)
		second := stand(t, client, "replica-2", 0)
		pass(time.Second)
		second.stop()
		require.NoError(t, <-second.ended)
		assert.True(t, first.Leading())
		first.stop()
		require.NoError(t, <-first.ended)
	})
}

func TestElectionWantsNames(t *testing.T) {
	_, err := cluster.NewElection(fake.NewClientset(), "", "buildpool", "x", slog.New(slog.DiscardHandler))
	assert.ErrorContains(t, err, "must all be set")
}
