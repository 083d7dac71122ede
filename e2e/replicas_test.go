package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
	"github.com/buildpool/buildpool/e2e/internal/provider"
	"github.com/buildpool/buildpool/e2e/internal/service"
)

// takeover is how long nobody may lead after the leader's kill: the lease's 15 s, a
// look at the lease every 2 s, and the first reading of the account.
const takeover = 25 * time.Second

// TestTwoReplicas: of two replicas behind a Service only the leader is ready. It is
// killed while instances are being created; the other one takes over within the lease
// time, CA goes on through the same address, and nothing is doubled.
func TestTwoReplicas(t *testing.T) {
	w := newWorld()
	w.Create = 10 * time.Second
	s := newBareScenario(t)
	s.startSimulator(w)
	first, second := s.newReplica("replica-1", w), s.newReplica("replica-2", w)
	s.provider = first
	require.NoError(t, first.Revive())
	s.eventually(30*time.Second, "the first replica to lead", first.Ready)
	require.NoError(t, second.Revive())
	standsBy := func(p *provider.Provider, leader string) func(context.Context) error {
		return func(ctx context.Context) error {
			return contains(p.Ready(ctx), "standing by: "+leader+" leads")
		}
	}
	s.eventually(20*time.Second, "the second to stand by", standsBy(second, "replica-1"))

	door, err := service.Start(service.Endpoint{Address: first.Address, Ready: first.Ready}, service.Endpoint{Address: second.Address, Ready: second.Ready})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, door.Stop()) })
	s.startAutoscalerAs(autoscaler.Settings{
		Provider: door.Address,
		Flags:    autoscaler.Flags{"scale-down-unneeded-time": "3s", "scale-down-delay-after-add": "2s"},
	})
	names := []string{"build-0", "build-1", "build-2", "build-3"}
	for _, name := range names {
		s.create(buildPod(name, normal, normal.whole))
	}
	s.eventually(30*time.Second, "the write", func(ctx context.Context) error { return s.expectDesired(ctx, normal, len(names)) })
	require.NoError(t, standsBy(second, "replica-1")(s.ctx), "only the leader is ready")

	first.Kill()
	killed := time.Now()
	s.provider = second
	s.eventually(takeover, "the second replica to lead", second.Ready)
	t.Logf("the second replica leads %s after the first was killed", time.Since(killed).Round(100*time.Millisecond))
	require.NoError(t, first.Revive())
	s.eventually(20*time.Second, "the first to stand by", standsBy(first, "replica-2"))

	settled := func(ctx context.Context) error {
		return errors.Join(s.expectSize(ctx, normal, len(names)), s.expectRunning(ctx, normal, len(names)))
	}
	s.eventually(60*time.Second, "every build to run", settled)
	s.eventually(60*time.Second, "CA to ask the second replica", func(ctx context.Context) error {
		answered, err := second.Answered(ctx, "Refresh")
		if err == nil && answered == 0 {
			err = errors.New("no Refresh has come")
		}
		return err
	})
	s.holds(5*time.Second, "the right number", settled)
	writes, err := s.simulator.Writes(s.ctx)
	require.NoError(t, err)
	assert.Equal(t, []int{len(names)}, s.totals(writes), "one write in all")

	s.finish(names...)
	s.eventually(90*time.Second, "the nodes to go", func(ctx context.Context) error { return s.expectAgreement(ctx, normal, 0) })
	require.NoError(t, standsBy(first, "replica-2")(s.ctx))
	assert.True(t, s.autoscaler.Running())
}

// newReplica is a provider that stands for election; it is ended with the test.
func (s *scenario) newReplica(name string, w world) *provider.Provider {
	s.t.Helper()
	replica, err := provider.New(s.onAccount(provider.Settings{
		Config: s.render("nodegroups.yaml", w), Dir: s.subdirectory(name),
		Args: append([]string{
			"--leader-elect", "--leader-elect-lease", s.namespace + "/buildpool", "--leader-elect-identity", name,
			"--kubeconfig", s.cluster.Kubeconfig,
		}, w.Serve...),
	}))
	require.NoError(s.t, err)
	s.t.Cleanup(func() {
		if replica.Process != nil {
			replica.Stop(2 * time.Second)
		}
	})
	return replica
}

// contains is nil if the error is there and says so.
func contains(err error, says string) error {
	switch {
	case err == nil:
		return fmt.Errorf("no error says %q", says)
	case !strings.Contains(err.Error(), says):
		return fmt.Errorf("%q is not in: %w", says, err)
	}
	return nil
}
