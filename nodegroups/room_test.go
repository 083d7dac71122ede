package nodegroups_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups"
	"github.com/buildpool/buildpool/nodegroups/config"
)

func TestRoomIsAShareOfTheBuilds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		spec := groupSpec{name: "b", max: 10, desired: 5}
		account := newAccount(t, clock.RealClock{}, spec)
		seen := &stagedCluster{}
		cfg := parseConfig(t, spec)
		cfg.Groups[0].Headroom = &config.Headroom{Share: 0.5}
		p, err := nodegroups.New(cfg, nodegroups.Settings{
			Cloud: newCloud(t, account), Cluster: seen, Clock: clock.RealClock{}, Log: slog.New(slog.DiscardHandler), NewToken: tokens(),
		})
		require.NoError(t, err)
		defer p.Close()
		clock.RealClock{}.Sleep(time.Minute)
		require.NoError(t, p.Refresh(context.Background()))

		instances := account.Account().State().Groups[0].Instances
		for n := range 3 {
			seen.set(fmt.Sprint(n), &cloudprovider.Pod{Namespace: "ci", Name: fmt.Sprint(n), Node: instances[n].ID})
		}
		seen.set("room", &cloudprovider.Pod{Namespace: "ci", Name: "room", Node: instances[3].ID, Labels: map[string]string{cloudprovider.LabelHeadroom: "b"}})
		seen.set("elsewhere", &cloudprovider.Pod{Namespace: "ci", Name: "elsewhere", Node: "foreign"})
		rooms, _, err := p.Rooms()
		require.NoError(t, err)
		require.Len(t, rooms, 1)
		assert.Equal(t, 3, rooms[0].Running, "neither what keeps room nor a pod on another's node")
		assert.Equal(t, 2, rooms[0].Slots)
	})
}
