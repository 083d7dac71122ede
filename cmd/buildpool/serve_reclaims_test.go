package main

import (
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/cluster"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/config"
	reclaims "github.com/buildpool/buildpool/nodegroups/spot"
)

// remembering is a sidecar's provider, and what keeps its history.
type remembering struct {
	*reclaimKeeper
	provider *nodegroups.Provider
	clock    *testingclock.FakeClock
}

func remember(t *testing.T, client *fake.Clientset, now *testingclock.FakeClock) remembering {
	t.Helper()
	_, url := simulate(t)
	cfg, err := config.Parse("nodegroups.yaml", embeddedNodeGroups)
	require.NoError(t, err)
	env := environment{clock: now, getenv: func(name string) string { return simulatedKey()[name] }}
	cloud, err := openCloud(env, cfg, url, newRegistry(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	p, err := nodegroups.New(cfg, nodegroups.Settings{Cloud: cloud, Clock: now, Log: slog.New(slog.DiscardHandler), NewToken: func() string { return "token" }})
	require.NoError(t, err)
	t.Cleanup(p.Close)
	s := &serving{env: env, log: slog.New(slog.DiscardHandler), provider: p}
	return remembering{&reclaimKeeper{s: s, notebook: cluster.NewNotebook(client, "buildpool", "memory", reclaimsKey)}, p, now}
}

func kept(t *testing.T, client *fake.Clientset) string {
	t.Helper()
	found, err := client.CoreV1().ConfigMaps("buildpool").Get(t.Context(), "memory", metav1.GetOptions{})
	if err != nil {
		return ""
	}
	return found.Data[reclaimsKey]
}

// What one provider has seen the next one knows; one that is not asked any more writes
// nothing, and knows nothing once it is asked again but what stands there.
func TestReclaimsAreHandedOver(t *testing.T) {
	client := fake.NewClientset()
	now := testingclock.NewFakeClock(threePM)
	pool := reclaims.Pool{InstanceType: "ecs.c7.2xlarge", Zone: "cn-hangzhou-h"}
	seen := func(reclaimed float64) reclaims.History {
		return reclaims.History{At: now.Now(), Pools: map[reclaims.Pool]reclaims.Tally{pool: {Reclaims: reclaimed, Hours: 40}}}
	}
	first := remember(t, client, now)
	require.NoError(t, first.round(t.Context(), false))
	assert.False(t, first.recalled, "nobody has asked it yet")
	require.NoError(t, first.provider.Refresh(t.Context()))
	require.NoError(t, first.round(t.Context(), false))
	assert.True(t, first.recalled)
	first.provider.RecallReclaims(seen(3))
	require.NoError(t, first.round(t.Context(), false))
	assert.Empty(t, kept(t, client), "hours alone can wait")
	first.provider.RecallReclaims(reclaims.History{At: now.Now(), Told: map[string]reclaims.Told{"i-1": {Pool: pool, At: now.Now()}}})
	require.NoError(t, first.round(t.Context(), false))
	text := kept(t, client)
	assert.Contains(t, text, `"reclaims": 3`)

	now.Step(time.Minute)
	first.provider.RecallReclaims(seen(1))
	require.NoError(t, first.round(t.Context(), false))
	assert.Equal(t, text, kept(t, client), "the notice is written down")
	require.NoError(t, first.round(t.Context(), true))
	assert.NotEqual(t, text, kept(t, client), "at the end everything is")

	second := remember(t, client, now)
	require.NoError(t, second.provider.Refresh(t.Context()))
	require.NoError(t, second.round(t.Context(), false))
	assert.InDelta(t, 4, second.provider.Reclaims().Pools[pool].Reclaims, 0.01)

	now.Step(reclaimsIdle)
	require.NoError(t, first.round(t.Context(), true))
	assert.Empty(t, first.provider.Reclaims().Pools, "another one knows better")
	require.NoError(t, first.provider.Refresh(t.Context()))
	require.NoError(t, first.round(t.Context(), false))
	assert.InDelta(t, 4, first.provider.Reclaims().Pools[pool].Reclaims, 0.01)
}

func TestHoursAreWrittenDownNowAndThen(t *testing.T) {
	client := fake.NewClientset()
	now := testingclock.NewFakeClock(threePM)
	k := remember(t, client, now)
	require.NoError(t, k.provider.Refresh(t.Context()))
	require.NoError(t, k.round(t.Context(), false))
	k.provider.RecallReclaims(reclaims.History{At: now.Now(), Pools: map[reclaims.Pool]reclaims.Tally{{InstanceType: "t", Zone: "z"}: {Hours: 4}}})
	now.Step(reclaimsAgain - time.Second)
	require.NoError(t, k.provider.Refresh(t.Context()))
	require.NoError(t, k.round(t.Context(), false))
	assert.Empty(t, kept(t, client))
	now.Step(time.Second)
	require.NoError(t, k.round(t.Context(), false))
	assert.Contains(t, kept(t, client), `"instanceType": "t"`)
}

// A text that is none is begun anew; the ConfigMap of somebody without rights is not
// written over for want of knowing it.
func TestAHistoryThatCannotBeRead(t *testing.T) {
	client := fake.NewClientset()
	now := testingclock.NewFakeClock(threePM)
	k := remember(t, client, now)
	require.NoError(t, k.notebook.Write(t.Context(), "{}"))
	require.NoError(t, k.provider.Refresh(t.Context()))
	require.ErrorContains(t, k.round(t.Context(), false), "what was kept cannot be read, and is begun anew")
	k.provider.RecallReclaims(reclaims.History{At: now.Now(), Pools: map[reclaims.Pool]reclaims.Tally{{InstanceType: "t", Zone: "z"}: {Reclaims: 1}}})
	require.NoError(t, k.round(t.Context(), true))
	assert.Contains(t, kept(t, client), `"instanceType": "t"`)
}
