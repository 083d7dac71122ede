package ess

import (
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider/cloudtest"
)

// TestWhatCallsCost counts the requests that really reach the account.
func TestWhatCallsCost(t *testing.T) {
	for n, calls := range map[int]int{0: 0, 1: 1, 20: 1, 21: 2, 40: 2, 41: 3, 200: 10} {
		synctest.Test(t, func(t *testing.T) {
			groups, ids := groupIDs(n, 0)
			s := simulate(t, groups, clock.RealClock{}, inProcess)
			// A name given twice costs nothing more.
			found, err := s.cloud.Groups(t.Context(), append(ids, ids...))
			require.NoError(t, err)
			assert.Len(t, found, n)
			want := map[string]int{}
			if calls > 0 {
				want["DescribeScalingGroups"] = calls
			}
			assert.Equal(t, want, s.sim.Calls())
		})
	}
}

func TestWhatReadingInstancesCosts(t *testing.T) {
	for n, calls := range map[int]int{0: 1, 100: 1, 101: 2, 200: 2, 201: 3} {
		synctest.Test(t, func(t *testing.T) {
			groups, ids := groupIDs(1, n)
			s := simulate(t, groups, clock.RealClock{}, inProcess)
			instances, err := s.cloud.Instances(t.Context(), ids[0])
			require.NoError(t, err)
			assert.Len(t, instances, n)
			assert.Equal(t, map[string]int{"DescribeScalingInstances": calls}, s.sim.Calls())
		})
	}
}

// TestWhatReclaimNoticesCost: nothing where there is nothing to ask about.
func TestWhatReclaimNoticesCost(t *testing.T) {
	for n, calls := range map[int]int{0: 0, 1: 1, 100: 1, 101: 2, 300: 3} {
		synctest.Test(t, func(t *testing.T) {
			groups, _ := groupIDs(1, n)
			s := simulate(t, groups, clock.RealClock{}, inProcess)
			var ids []string
			for _, i := range s.sim.State().Groups[0].Instances {
				ids = append(ids, i.ID)
			}
			_, err := s.cloud.ReclaimNotices(t.Context(), ids)
			require.NoError(t, err)
			want := map[string]int{}
			if calls > 0 {
				want["DescribeInstances"] = calls
			}
			assert.Equal(t, want, s.sim.Calls())
		})
	}
}

// TestWhatTheCatalogCosts: what never changes is read once.
func TestWhatTheCatalogCosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		groups, ids := groupIDs(1, 0)
		s := simulate(t, groups, clock.RealClock{}, inProcess)
		found, err := s.cloud.Groups(t.Context(), ids)
		require.NoError(t, err)
		for range 3 {
			_, err := s.cloud.Launch(t.Context(), found[0])
			require.NoError(t, err)
			_, err = s.cloud.InstanceTypes(t.Context(), []string{cloudtest.InstanceType, cloudtest.GPUType})
			require.NoError(t, err)
		}
		assert.Equal(t, map[string]int{
			"DescribeScalingGroups": 1, "DescribeScalingConfigurations": 3, "DescribeVSwitches": 1, "DescribeInstanceTypes": 1,
		}, s.sim.Calls())
	})
}

// TestTypesAreAskedForTenAtATime is at the limit of DescribeInstanceTypes.
func TestTypesAreAskedForTenAtATime(t *testing.T) {
	for n, calls := range map[int]int{1: 1, 10: 1, 11: 2} {
		c, s := scripted(t, nil, answer(200, `{"RequestId":"R","InstanceTypes":{"InstanceType":[]}}`))
		names := numbered(n)
		_, err := c.InstanceTypes(t.Context(), names)
		require.Error(t, err)
		assert.Equal(t, calls, s.attempts(), "%d names", n)
	}
}

// BenchmarkRefresh reads 200 groups and their 10,000 instances.
func BenchmarkRefresh(b *testing.B) {
	groups, ids := groupIDs(200, 50)
	s := simulate(b, groups, clock.RealClock{}, inProcess)
	b.ReportAllocs()
	for b.Loop() {
		found, err := s.cloud.Groups(b.Context(), ids)
		if err != nil || len(found) != 200 {
			b.Fatal(len(found), err)
		}
		total := 0
		for _, g := range found {
			instances, err := s.cloud.Instances(b.Context(), g.ID)
			if err != nil {
				b.Fatal(err)
			}
			total += len(instances)
		}
		if total != 10000 {
			b.Fatal(total)
		}
	}
}

// BenchmarkSteadyState reads the 200 groups alone, which is all that a loop without
// changes costs.
func BenchmarkSteadyState(b *testing.B) {
	groups, ids := groupIDs(200, 50)
	s := simulate(b, groups, clock.RealClock{}, inProcess)
	b.ReportAllocs()
	for b.Loop() {
		if found, err := s.cloud.Groups(b.Context(), ids); err != nil || len(found) != 200 {
			b.Fatal(len(found), err)
		}
	}
}
