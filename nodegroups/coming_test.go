package nodegroups_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups"
)

// A node is coming from the moment it is asked for until it is Ready, whatever the cloud
// lists meanwhile.
func TestNodesThatAreComing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spec := groupSpec{name: "b", max: 10, desired: 1}
		account := newAccount(t, clock.RealClock{}, spec)
		seen := &joining{ready: map[string]corev1.ConditionStatus{}}
		p, err := nodegroups.New(parseConfig(t, spec), nodegroups.Settings{
			Cloud: newCloud(t, account), Cluster: seen, Clock: clock.RealClock{}, Log: slog.New(slog.DiscardHandler), NewToken: tokens(),
		})
		require.NoError(t, err)
		defer p.Close()
		clock.RealClock{}.Sleep(time.Minute)
		require.NoError(t, p.Refresh(context.Background()))
		first := account.Account().State().Groups[0].Instances[0]
		coming := p.Status().Groups[0].Coming
		require.Len(t, coming, 1)
		assert.Equal(t, first.ID, coming[0].InstanceID)
		assert.WithinDuration(t, first.Created, coming[0].Since, time.Second)
		seen.node(first.ID, corev1.ConditionFalse)
		assert.Len(t, p.Status().Groups[0].Coming, 1, "it has joined and is not Ready")
		seen.node(first.ID, corev1.ConditionTrue)
		assert.Empty(t, p.Status().Groups[0].Coming)

		asked := clock.RealClock{}.Now()
		require.NoError(t, p.IncreaseSize(context.Background(), "b", 2))
		assert.Equal(t, []nodegroups.Coming{{Since: asked}, {Since: asked}}, p.Status().Groups[0].Coming, "the cloud lists none of them yet")
		clock.RealClock{}.Sleep(time.Minute)
		require.NoError(t, p.Refresh(context.Background()))
		coming = p.Status().Groups[0].Coming
		require.Len(t, coming, 2)
		for _, c := range coming {
			assert.NotEmpty(t, c.InstanceID)
			assert.WithinDuration(t, asked, c.Since, 2*time.Second)
			seen.node(c.InstanceID, corev1.ConditionTrue)
		}
		assert.Empty(t, p.Status().Groups[0].Coming)
	})
}

// joining is a cluster in which nodes appear.
type joining struct {
	stagedCluster
	ready map[string]corev1.ConditionStatus
}

func (j *joining) node(instanceID string, ready corev1.ConditionStatus) { j.ready[instanceID] = ready }

func (j *joining) NodesOf(instanceID string) []*cloudprovider.ClusterNode {
	if ready, there := j.ready[instanceID]; there {
		return []*cloudprovider.ClusterNode{{Name: instanceID, InstanceID: instanceID, Ready: ready}}
	}
	return nil
}
