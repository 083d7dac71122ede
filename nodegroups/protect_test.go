package nodegroups_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/config"
)

// guarded is a provider over a group whose builds it has protected.
type guarded struct {
	*nodegroups.Provider
	t       *testing.T
	account *esssim.Simulator
	seen    *stagedCluster
	log     strings.Builder
	ids     []string
}

func playGuarded(t *testing.T, group groupSpec, dryRun bool, test func(g *guarded)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		g := &guarded{t: t, account: newAccount(t, clock.RealClock{}, group), seen: &stagedCluster{}}
		cfg := parseConfig(t, group)
		cfg.InstanceProtection.Enabled = true
		var err error
		g.Provider, err = nodegroups.New(cfg, nodegroups.Settings{
			Cloud: newCloud(t, g.account), Cluster: g.seen, Clock: clock.RealClock{}, DryRun: dryRun,
			Log: slog.New(slog.NewTextHandler(&g.log, nil)), NewToken: tokens(),
		})
		require.NoError(t, err)
		defer g.Close()
		require.NoError(t, g.Refresh(t.Context()))
		g.refreshAfter(time.Minute)
		g.refreshAfter(6 * time.Minute) // a full look
		for _, i := range g.account.Account().State().Groups[0].Instances {
			g.ids = append(g.ids, i.ID)
		}
		test(g)
	})
}

// round is one of serve's.
func (g *guarded) round() {
	g.t.Helper()
	require.NoError(g.t, g.ProtectBuilds(g.t.Context()))
}

func (g *guarded) refreshAfter(d time.Duration) {
	g.t.Helper()
	clock.RealClock{}.Sleep(d)
	require.NoError(g.t, g.Refresh(g.t.Context()))
	synctest.Wait()
}

func (g *guarded) build(name, instance string) {
	g.seen.set(name, &cloudprovider.Pod{Namespace: "ci", Name: name, Node: instance})
}

func (g *guarded) protected() []string {
	var ids []string
	for _, i := range g.account.Account().State().Groups[0].Instances {
		if i.State == account.Protected {
			ids = append(ids, i.ID)
		}
	}
	return ids
}

func TestInstancesAreProtectedWhileBuildsRun(t *testing.T) {
	playGuarded(t, groupSpec{name: "b", max: 50, desired: 45}, false, func(g *guarded) {
		for n, id := range g.ids {
			g.build(fmt.Sprint("build-", n), id)
		}
		g.round()
		assert.Len(g.t, g.protected(), 45)
		assert.Equal(g.t, 3, g.account.Calls()["SetInstancesProtection"], "20 a call")
		for range 10 { // the list shows it only later
			g.round()
		}
		g.refreshAfter(time.Minute)
		g.round()
		assert.Equal(g.t, 3, g.account.Calls()["SetInstancesProtection"])

		g.seen.mu.Lock()
		g.seen.away = true
		g.seen.mu.Unlock()
		for n := range g.ids {
			g.seen.set(fmt.Sprint("build-", n), nil)
		}
		g.round()
		assert.Len(g.t, g.protected(), 45, "what cannot be seen changes nothing")
		g.seen.mu.Lock()
		g.seen.away = false
		g.seen.mu.Unlock()
		g.round()
		assert.Empty(g.t, g.protected())
	})
}

// One that is being removed meanwhile does not keep the others unprotected.
func TestOneInTheWayDoesNotStopTheOthers(t *testing.T) {
	playGuarded(t, groupSpec{name: "b", max: 10, desired: 3}, false, func(g *guarded) {
		for n, id := range g.ids {
			g.build(fmt.Sprint("build-", n), id)
		}
		_, err := g.account.Account().RemoveInstances(account.Removal{GroupID: "asg-b", InstanceIDs: g.ids[1:2]})
		require.NoError(g.t, err)
		require.ErrorIs(g.t, g.ProtectBuilds(g.t.Context()), cloudprovider.ErrConflict)
		assert.Equal(g.t, []string{g.ids[0], g.ids[2]}, g.protected())
	})
}

// ESS could not replace a protected instance that the cloud has taken back.
func TestAnInstanceWithANoticeIsNotProtected(t *testing.T) {
	group := reclaimable(config.ReclaimCordoned)
	playGuarded(t, group, false, func(g *guarded) {
		g.build("build", g.ids[0])
		g.round()
		assert.Equal(g.t, g.ids[:1], g.protected())
		require.NoError(g.t, g.account.Reclaim(g.ids[0], account.ReclaimNotice))
		g.refreshAfter(30 * time.Second)
		g.round()
		assert.Empty(g.t, g.protected())
	})
}

func TestADryRunProtectsNothing(t *testing.T) {
	playGuarded(t, groupSpec{name: "b", max: 10, desired: 2}, true, func(g *guarded) {
		g.build("build", g.ids[0])
		for range 10 {
			g.round()
			g.refreshAfter(time.Minute)
		}
		assert.Empty(g.t, g.protected())
		assert.Zero(g.t, g.account.Calls()["SetInstancesProtection"])
		assert.Equal(g.t, 1, strings.Count(g.log.String(), "write=ProtectInstances"), "it is said once")
		g.seen.set("build", nil)
		g.round()
		g.round()
		assert.Equal(g.t, 2, strings.Count(g.log.String(), "write=ProtectInstances"))
	})
}
