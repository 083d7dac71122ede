package nodegroups_test

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/nodegroups"
)

func manyGroups(n, nodesEach int) []groupSpec {
	groups := make([]groupSpec, n)
	for i := range groups {
		groups[i] = groupSpec{name: fmt.Sprintf("group-%03d", i), max: 2000, desired: nodesEach}
	}
	return groups
}

// In a steady state a loop costs one call per 20 groups, whatever the number of nodes.
func TestSteadyStateCostsOneCallPerTwentyGroups(t *testing.T) {
	for _, c := range []struct{ groups, nodesEach, calls int }{{1, 3, 1}, {20, 2000, 1}, {21, 10, 2}} {
		t.Run(fmt.Sprintf("%d groups of %d nodes", c.groups, c.nodesEach), func(t *testing.T) {
			play(t, manyGroups(c.groups, c.nodesEach), func(w *world) {
				w.after(3 * time.Minute) // every instance is in service
				w.after(time.Minute)
				nodes := w.listed("group-000", cloudprovider.Running)
				require.Len(w.t, nodes, c.nodesEach)
				_, err := w.NodeGroupForNode(node(nodes[0])) // teaches the spelling
				require.NoError(w.t, err)
				w.after(10 * time.Second)

				w.account.ForgetCalls()
				const loops = 10
				for range loops {
					w.after(10 * time.Second)
					for _, id := range nodes {
						_, err := w.NodeGroupForNode(node(id))
						require.NoError(w.t, err)
					}
					_, err := w.NodeGroupForNode(node("cn-hangzhou.i-foreign"))
					require.ErrorIs(w.t, err, cloudprovider.ErrNotManaged)
				}
				calls := w.account.Calls()
				// The foreign node is looked for once, with one full look.
				assert.Equal(w.t, c.calls*loops, calls["DescribeScalingGroups"])
				delete(calls, "DescribeScalingGroups")
				for api, n := range calls {
					assert.LessOrEqual(w.t, n, c.groups*(c.nodesEach/100+1), "%s: one full look and no more", api)
				}
				w.account.ForgetCalls()
				for range loops {
					w.after(10 * time.Second)
				}
				assert.Equal(w.t, map[string]int{"DescribeScalingGroups": c.calls * loops}, w.account.Calls())
			})
		})
	}
}

// Looking at very many groups is spread over the loops: none is long, all get their turn.
func TestFullLooksAreSpread(t *testing.T) {
	play(t, manyGroups(150, 1), func(w *world) {
		w.after(time.Minute)
		w.after(10 * time.Second)
		most, sum := 0, 0
		for range 36 {
			w.account.ForgetCalls()
			w.after(10 * time.Second)
			n := w.account.Calls()["DescribeScalingInstances"]
			most, sum = max(most, n), sum+n
		}
		assert.Equal(w.t, 20, most)
		assert.Equal(w.t, 150, sum, "each once in six minutes")
	})
}

// Every five minutes, and at most every 30 seconds because of nodes that are not
// ours, the instances are read although nothing moved.
func TestFullLooksAreRare(t *testing.T) {
	play(t, manyGroups(1, 3), func(w *world) {
		w.after(time.Minute)
		looks := func(d time.Duration, strangers bool) int {
			w.account.ForgetCalls()
			for n := range int(d / (10 * time.Second)) {
				if strangers {
					_, err := w.NodeGroupForNode(node(fmt.Sprintf("cn-hangzhou.i-%s%d", d, n)))
					require.ErrorIs(w.t, err, cloudprovider.ErrNotManaged)
				}
				w.after(10 * time.Second)
			}
			return w.account.Calls()["DescribeScalingInstances"]
		}
		assert.Equal(w.t, 4, looks(20*time.Minute, false))
		assert.Equal(w.t, 10, looks(5*time.Minute, true))
	})
}

// CA asks about a virtual node several times a loop, because "none" is not kept. It
// costs no call, and no full look even if its provider ID reads like an instance's.
func TestVirtualNodesCauseNoLook(t *testing.T) {
	play(t, manyGroups(1, 3), func(w *world) {
		w.after(time.Minute)
		w.account.ForgetCalls()
		before := w.account.Calls()["DescribeScalingGroups"]
		for n := range 12 {
			for _, id := range []string{"", "cn-hangzhou.virtual-kubelet-cn-hangzhou-h", fmt.Sprintf("cn-hangzhou.i-virtual%d", n)} {
				_, err := w.NodeGroupForNode(cloudprovider.Node{
					Name: "virtual-kubelet-cn-hangzhou-h", ProviderID: id,
					Labels: map[string]string{cloudprovider.LabelNodeType: cloudprovider.NodeTypeVirtual},
				})
				require.ErrorIs(w.t, err, cloudprovider.ErrNotManaged, id)
			}
			w.after(10 * time.Second)
		}
		assert.Equal(w.t, before+12, w.account.Calls()["DescribeScalingGroups"], "the refreshes' own")
		assert.Zero(w.t, w.account.Calls()["DescribeScalingInstances"])
	})
}

// large is a provider at the size the documentation speaks of.
func large(b *testing.B, groups, nodesEach int, resync time.Duration) (*nodegroups.Provider, *testingclock.FakeClock, []string) {
	b.Helper()
	specs := manyGroups(groups, nodesEach)
	now := &manualClock{now: time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)}
	account := newAccount(b, now, specs...)
	now.advance(10 * time.Minute)
	fake := testingclock.NewFakeClock(now.now)
	p, err := nodegroups.New(parseConfig(b, specs...), nodegroups.Settings{
		Cloud: newCloud(b, account), Clock: fake, Log: slog.New(slog.DiscardHandler),
		NewToken: func() string { return "token" }, ResyncEvery: resync,
	})
	require.NoError(b, err)
	require.NoError(b, p.Refresh(b.Context()))
	var ids []string
	for _, g := range specs {
		instances, err := p.Instances(g.name)
		require.NoError(b, err)
		for _, i := range instances {
			ids = append(ids, i.ID)
		}
	}
	require.Len(b, ids, groups*nodesEach)
	return p, fake, ids
}

// A refresh in which nothing moved: 10 calls through the real SDK, without a network.
func BenchmarkRefreshSteady200GroupsOf50(b *testing.B) {
	p, fake, _ := large(b, 200, 50, time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		fake.Step(time.Second)
		if err := p.Refresh(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// The first refresh: every group is looked at in full.
func BenchmarkRefreshFull200GroupsOf50(b *testing.B) {
	specs := manyGroups(200, 50)
	now := &manualClock{now: time.Date(2026, 11, 23, 15, 0, 0, 0, time.UTC)}
	cloud, cfg := newCloud(b, newAccount(b, now, specs...)), parseConfig(b, specs...)
	now.advance(10 * time.Minute)
	b.ReportAllocs()
	for b.Loop() {
		p, err := nodegroups.New(cfg, nodegroups.Settings{
			Cloud: cloud, Clock: testingclock.NewFakeClock(now.now), Log: slog.New(slog.DiscardHandler),
			NewToken: func() string { return "token" },
		})
		require.NoError(b, err)
		require.NoError(b, p.Refresh(b.Context()))
		p.Close()
	}
}

func BenchmarkNodeGroupForNode(b *testing.B) {
	p, _, ids := large(b, 200, 50, time.Hour)
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		n++
		if _, err := p.NodeGroupForNode(node(ids[n%len(ids)])); err != nil {
			b.Fatal(err)
		}
	}
}
