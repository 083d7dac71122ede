package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMain(m *testing.M) {
	if err := errors.Join(quietUpstream(), dialAccountsOnly()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// TestSteadyLoop counts to the call: in-tree, every target size is a call and every
// template two; ours is a call for 20 groups.
func TestSteadyLoop(t *testing.T) {
	for _, test := range []struct {
		fleet            fleet
		inTree           int
		ours, list, full int
	}{
		{fleet: fleet{groups: 1, nodes: 20}, inTree: 3, ours: 1, list: 2, full: 3},
		{fleet: fleet{groups: 20, nodes: 20}, inTree: 60, ours: 1, list: 20, full: 41},
		{fleet: fleet{groups: 20, nodes: 100}, inTree: 60, ours: 1, list: 20, full: 41},
		{fleet: fleet{groups: 21, nodes: 20}, inTree: 63 + 2, ours: 2, list: 21, full: 44},
		{fleet: fleet{groups: 100, nodes: 20}, inTree: 300 + 160, ours: 5, list: 100, full: 205},
	} {
		t.Run(test.fleet.String(), func(t *testing.T) {
			results, err := bothWays(func(k kind) (steady, error) { return beSteady(k, test.fleet, 0) })
			require.NoError(t, err)
			a, b := results[inTree], results[buildpool]
			assert.Equal(t, test.inTree, a.loop.calls)
			assert.Equal(t, test.list, a.list.calls)
			assert.Equal(t, test.inTree, a.full.calls, "it looks at nothing by itself")
			assert.Equal(t, test.ours, b.loop.calls)
			assert.Zero(t, b.list.calls, "instances are listed from memory")
			if test.fleet.groups <= 40 {
				assert.Equal(t, test.full, b.full.calls)
			} else { // more than its rate limit lets through at once: how many, is a matter of time
				assert.LessOrEqual(t, b.full.calls, test.full)
			}
			if test.fleet.groups >= 20 {
				assert.GreaterOrEqual(t, a.loop.calls, 20*b.loop.calls)
			}
			if test.fleet.groups%20 == 0 { // a 21st group is a second call
				assert.GreaterOrEqual(t, a.perTenMinutes(), 20*b.perTenMinutes(), "with everything that is not in every loop")
			}
		})
	}
}

// TestHundredDeletes: everything goes, and nothing else, in a tenth of the calls when
// the nodes are of one group.
func TestHundredDeletes(t *testing.T) {
	for n, r := range removals() {
		t.Run(r.name, func(t *testing.T) {
			results, err := bothWays(func(k kind) (removed, error) { return r.run(k, 0) })
			require.NoError(t, err)
			a, b := results[inTree], results[buildpool]
			assert.Zero(t, a.left)
			assert.Zero(t, b.left)
			assert.Equal(t, 2*deletedNodes, a.deletes.calls, "a look and a removal each")
			assert.Less(t, b.deletes.calls, a.deletes.calls)
			if n < 2 {
				assert.GreaterOrEqual(t, a.deletes.calls, 10*b.deletes.calls)
			}
		})
	}
}

func TestNodesCome(t *testing.T) {
	results, err := bothWays(func(k kind) (growth, error) { return grow(k, growingFleet()) })
	require.NoError(t, err)
	for _, k := range kinds {
		assert.Equal(t, added, results[k].joined, "%s", k)
		assert.Equal(t, 2, results[k].asked.calls, "%s: a look and a write", k)
	}
	assert.GreaterOrEqual(t, results[inTree].loops.calls, 20*results[buildpool].loops.calls)
}

// TestStockOut: ours says so in the first loop, and takes the wish back once CA has
// given it up.
func TestStockOut(t *testing.T) {
	for _, f := range dryFleets() {
		t.Run(fmt.Sprintf("relative=%v", f.relative), func(t *testing.T) {
			results, err := bothWays(func(k kind) (stockOut, error) { return runDry(k, f) })
			require.NoError(t, err)
			a, b := results[inTree], results[buildpool]
			assert.False(t, a.told)
			assert.GreaterOrEqual(t, a.after, provisionTime)
			assert.True(t, b.told)
			assert.LessOrEqual(t, b.loops, 3)
			assert.Equal(t, "OperationDenied.NoStock", b.code)
			assert.Equal(t, wanted, b.promised, "the target holds until CA has seen the failure")
			assert.Zero(t, b.settled)
			assert.Zero(t, b.desired)
		})
	}
}

// TestNothingElseIsDialled: the SDK's transport reaches simulated accounts only.
func TestNothingElseIsDialled(t *testing.T) {
	for _, url := range []string{
		"http://ess.aliyuncs.com/", "https://ecs.cn-hangzhou.aliyuncs.com/", "http://100.100.100.200/latest/meta-data/",
		"http://127.0.0.1:1/", "http://account-0.invalid/",
	} {
		answer, err := http.Get(url)
		if err == nil {
			answer.Body.Close()
		}
		assert.ErrorIs(t, err, errNotSimulated, url)
	}
}

// TestRefusedDelete: CA hears that a node stayed.
func TestRefusedDelete(t *testing.T) {
	for _, k := range kinds {
		told, stays, err := refusedDelete(k)
		require.NoError(t, err)
		assert.True(t, stays, "%s", k)
		if k == inTree {
			assert.NoError(t, told, "should it ever tell, docs/alicloud.md is wrong")
			continue
		}
		assert.Error(t, told)
	}
}
