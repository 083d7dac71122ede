package nodegroups_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"
	"pgregory.net/rapid"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups"
)

// TestNoNodeOfABuildIsRemoved: pods come and go on ten nodes while CA deletes nodes at
// once and one after the other; no instance goes while a build is on its node, and each
// other one that CA named does.
func TestNoNodeOfABuildIsRemoved(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		bubble(t, r, func() {
			account := newAccount(t, clock.RealClock{}, groupSpec{name: "b", max: 10, desired: 10})
			seen := &stagedCluster{}
			var mu sync.Mutex
			kept := map[string]string{} // the build that was named, by instance
			cfg := parseConfig(t, groupSpec{name: "b", max: 10, desired: 10})
			p, err := nodegroups.New(cfg, nodegroups.Settings{
				Cloud: newCloud(t, account), Cluster: seen, Clock: clock.RealClock{}, Log: slog.New(slog.DiscardHandler),
				NewToken: tokens(),
				Kept: func(id string, build *cloudprovider.Pod) {
					mu.Lock()
					defer mu.Unlock()
					kept[id] = build.Name
				},
			})
			require.NoError(t, err)
			defer p.Close()
			clock.RealClock{}.Sleep(time.Minute) // all are in service
			require.NoError(t, p.Refresh(context.Background()))
			var ids []string
			for _, i := range account.Account().State().Groups[0].Instances {
				ids = append(ids, i.ID)
			}
			require.Len(t, ids, 10)
			builds := map[string]string{} // by instance
			for round := range rapid.IntRange(1, 4).Draw(r, "rounds") {
				for _, id := range ids {
					switch rapid.IntRange(0, 3).Draw(r, "pod") {
					case 0:
						name := fmt.Sprintf("build-%d-%s", round, id)
						seen.set(builds[id], nil)
						seen.set(name, &cloudprovider.Pod{Namespace: "ci", Name: name, Node: id})
						builds[id] = name
					case 1:
						seen.set(builds[id], nil)
						delete(builds, id)
					}
				}
				victims := rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 1, 5, rapid.ID[string]).Draw(r, "victims")
				errs := make([]error, len(victims))
				clear(kept)
				var deleting sync.WaitGroup
				for n, id := range victims {
					deleting.Go(func() {
						errs[n] = p.DeleteNodes(context.Background(), "b", []cloudprovider.Node{{Name: id, ProviderID: "cn-hangzhou." + id}})
					})
				}
				deleting.Wait()
				gone := map[string]bool{}
				for _, id := range ids {
					gone[id] = true
				}
				for _, i := range account.Account().State().Groups[0].Instances {
					gone[i.ID] = i.State == "Removing"
				}
				for n, id := range victims {
					if builds[id] != "" && !gone[id] {
						require.ErrorIs(r, errs[n], cloudprovider.ErrNodeInUse, "%s", id)
						require.Equal(r, builds[id], kept[id], "somebody is told")
					} else {
						require.NoError(r, errs[n], "%s", id)
						require.NotContains(r, kept, id)
					}
				}
				for id := range builds {
					if gone[id] {
						// It was bound to a node that had gone before: that is not ours to prevent.
						require.NotContains(r, victims, id, "round %d", round)
						delete(builds, id)
					}
				}
				left := ids[:0:0]
				for _, id := range ids {
					if !gone[id] {
						left = append(left, id)
					}
				}
				ids = left
				if len(ids) < 5 {
					return
				}
			}
		})
	})
}

// bubble plays one draw of rapid in virtual time.
func bubble(t *testing.T, r *rapid.T, play func()) {
	t.Helper()
	var failed any
	synctest.Test(t, func(*testing.T) {
		defer func() { failed = recover() }()
		play()
	})
	if failed != nil {
		panic(failed)
	}
}

func tokens() func() string {
	var mu sync.Mutex
	n := 0
	return func() string {
		mu.Lock()
		defer mu.Unlock()
		n++
		return fmt.Sprintf("token-%d", n)
	}
}
