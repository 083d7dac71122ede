package ess

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"
	"pgregory.net/rapid"

	"github.com/buildpool/buildpool/cloudprovider"
	"github.com/buildpool/buildpool/cloudprovider/cloudtest"
	"github.com/buildpool/buildpool/ess/esssim"
	"github.com/buildpool/buildpool/ess/esssim/account"
)

var oneGroup = []cloudtest.Group{{ID: "asg-a", Max: 50, Running: 5, ExpectedNumberMode: true}}

// faulty runs test in a bubble against a simulated account with the faults.
func faulty(t *testing.T, faults []esssim.Fault, test func(t *testing.T, s *simulated)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := simulate(t, oneGroup, clock.RealClock{}, inProcess)
		for _, f := range faults {
			require.NoError(t, s.sim.InjectFault(f))
		}
		test(t, s)
	})
}

func desired(t *testing.T, s *simulated) int {
	t.Helper()
	s.sim.ClearFaults()
	groups, err := s.cloud.Groups(t.Context(), []string{"asg-a"})
	require.NoError(t, err)
	require.Len(t, groups, 1)
	return groups[0].Desired
}

func growTo(ctx context.Context, s *simulated, total int) (string, error) {
	return s.cloud.SetCapacity(ctx, cloudprovider.SetCapacity{GroupID: "asg-a", Total: total, Token: "token-1"})
}

// TestPassingFaultsAreNotSeen: each fault hits twice and then leaves.
func TestPassingFaultsAreNotSeen(t *testing.T) {
	for _, kind := range []esssim.FaultKind{
		esssim.FaultThrottle, esssim.FaultError, esssim.FaultDrop, esssim.FaultBadJSON, esssim.FaultBadCode, esssim.FaultSlow,
	} {
		for _, after := range []bool{false, true} {
			if after && kind == esssim.FaultThrottle {
				continue // throttling is what keeps a request from having an effect
			}
			t.Run(fmt.Sprintf("%s, after the effect: %v", kind, after), func(t *testing.T) {
				faulty(t, []esssim.Fault{{API: "*", Kind: kind, Count: 2, AfterEffect: after}}, func(t *testing.T, s *simulated) {
					id, err := growTo(t.Context(), s, 7)
					require.NoError(t, err)
					assert.NotEmpty(t, id)
					assert.Equal(t, 7, desired(t, s))
					assert.Len(t, s.sim.State().Groups[0].Activities, 1, "one write, one activity")
				})
			})
		}
	}
}

func TestLastingFaults(t *testing.T) {
	for _, test := range []struct {
		name    string
		fault   esssim.Fault
		kind    error
		unknown bool
		wrote   bool
	}{
		{"throttled", esssim.Fault{Kind: esssim.FaultThrottle}, cloudprovider.ErrThrottled, false, false},
		{"unavailable", esssim.Fault{Kind: esssim.FaultError}, cloudprovider.ErrUnavailable, true, false},
		{"unavailable on the way back", esssim.Fault{Kind: esssim.FaultError, AfterEffect: true}, cloudprovider.ErrUnavailable, true, true},
		{"internal error", esssim.Fault{Kind: esssim.FaultError, Status: 500, Code: "InternalError"}, cloudprovider.ErrUnavailable, true, false},
		{"forbidden", esssim.Fault{Kind: esssim.FaultError, Status: 403, Code: "Forbidden.RAM"}, cloudprovider.ErrForbidden, false, false},
		{"dropped", esssim.Fault{Kind: esssim.FaultDrop}, cloudprovider.ErrUnavailable, true, false},
		{"dropped on the way back", esssim.Fault{Kind: esssim.FaultDrop, AfterEffect: true}, cloudprovider.ErrUnavailable, true, true},
		{"not JSON", esssim.Fault{Kind: esssim.FaultBadJSON}, cloudprovider.ErrUnavailable, true, false},
		{"a code that is a number", esssim.Fault{Kind: esssim.FaultBadCode}, cloudprovider.ErrUnavailable, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.fault.API = "*"
			faulty(t, []esssim.Fault{test.fault}, func(t *testing.T, s *simulated) {
				_, err := growTo(t.Context(), s, 7)
				require.ErrorIs(t, err, test.kind)
				assert.Equal(t, test.unknown, isUnknown(err))
				assert.NotContains(t, err.Error(), simKey)
				assert.NotContains(t, err.Error(), simSecret)
				want := 5
				if test.wrote {
					want = 7
				}
				assert.Equal(t, want, desired(t, s))

				// The same write again settles it, whatever had happened.
				_, err = growTo(t.Context(), s, 7)
				require.NoError(t, err)
				assert.Equal(t, 7, desired(t, s))
				assert.Len(t, s.sim.State().Groups[0].Activities, 1)
			})
		})
	}
}

func TestSlowAnswerMeetsTheDeadline(t *testing.T) {
	faulty(t, []esssim.Fault{{API: "ScaleWithAdjustment", Kind: esssim.FaultSlow, Delay: account.Duration(8 * time.Second)}}, func(t *testing.T, s *simulated) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		began := virtual.Now()
		_, err := growTo(ctx, s, 7)
		assert.Equal(t, 5*time.Second, virtual.Since(began))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, cloudprovider.ErrOutcomeUnknown)
	})
}

func TestThrottledByTheAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := simulate(t, oneGroup, clock.RealClock{}, inProcess, func(cfg *esssim.Config) {
			cfg.Throttle = []account.Throttle{{API: "DescribeScalingGroups", Requests: 3, Per: account.Duration(10 * time.Second)}}
		})
		began := virtual.Now()
		for range 7 {
			require.NoError(t, readGroup(t.Context(), s.cloud))
		}
		// A bubble begins at a full window: 3 at once, 3 after ten seconds, the 7th
		// after ten more; each wait is the one the header asks for.
		assert.Equal(t, 20*time.Second, virtual.Since(began))
		assert.Equal(t, 9, s.sim.Calls()["DescribeScalingGroups"], "two attempts were throttled")
	})
}

// TestWritesUnderFire: whatever goes wrong in whatever order, a write that succeeds
// has happened once, one that is refused has not, and only one that says so is
// unknown.
func TestWritesUnderFire(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var faults []esssim.Fault
		for range rapid.IntRange(0, 7).Draw(rt, "faults") {
			kind := rapid.SampledFrom([]esssim.FaultKind{esssim.FaultThrottle, esssim.FaultError, esssim.FaultDrop, esssim.FaultBadJSON, esssim.FaultBadCode, esssim.FaultSlow}).Draw(rt, "kind")
			// Throttling is what keeps a request from having an effect.
			after := kind != esssim.FaultThrottle && rapid.Bool().Draw(rt, "after")
			faults = append(faults, esssim.Fault{API: "*", Count: 1, Kind: kind, AfterEffect: after})
		}
		faulty(t, faults, func(t *testing.T, s *simulated) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(rapid.IntRange(1, 9).Draw(rt, "deadline"))*time.Second)
			defer cancel()
			_, err := growTo(ctx, s, 9)
			happened := desired(t, s) == 9
			switch {
			case err == nil:
				require.True(t, happened)
			case !isUnknown(err):
				require.False(t, happened, "%v", err)
			}
			require.LessOrEqual(t, len(s.sim.State().Groups[0].Activities), 1)
		})
	})
}
