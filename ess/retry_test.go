package ess

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
)

const timeLeft2s = "Limit:1,Remain:0,TimeLeft:2000,Reset:1234"

var virtual = clock.RealClock{} // the bubble's, inside synctest

func readGroup(ctx context.Context, c *Cloud) error {
	_, err := c.Groups(ctx, []string{"asg-a"})
	return err
}

func grow(ctx context.Context, c *Cloud) error {
	_, err := c.SetCapacity(ctx, cloudprovider.SetCapacity{GroupID: "asg-a", Total: 3, Token: "token-1"})
	return err
}

func TestReadsAreRepeated(t *testing.T) {
	for _, test := range []struct {
		name     string
		replies  []reply
		attempts int
		want     error
	}{
		{"throttled", []reply{throttled, noGroups}, 2, nil},
		{"unavailable", []reply{errorAnswer(503, "ServiceUnavailable"), noGroups}, 2, nil},
		{"internal error", []reply{errorAnswer(500, "InternalError"), noGroups}, 2, nil},
		{"dropped", []reply{dropped, noGroups}, 2, nil},
		{"a page of a proxy", []reply{answer(502, "<html>bad gateway</html>"), noGroups}, 2, nil},
		{"a code that panics the SDK", []reply{answer(503, `{"RequestId":"R","Code":503}`), noGroups}, 2, nil},
		{"not JSON", []reply{answer(200, "<html>welcome</html>"), noGroups}, 2, nil},
		{"an empty answer", []reply{answer(200, ""), noGroups}, 2, nil},
		{"an answer of something else", []reply{answer(200, "{}"), noGroups}, 2, nil},
		{"a redirect", []reply{answer(302, "", "Location", "https://elsewhere.invalid/"), noGroups}, 2, nil},
		{"a collision", []reply{errorAnswer(400, "Operation.Conflict"), noGroups}, 2, nil},
		{"five times", []reply{throttled, throttled, throttled, throttled, noGroups}, 5, nil},
		{"not six times", []reply{throttled, throttled, throttled, throttled, throttled, noGroups}, 5, cloudprovider.ErrThrottled},
		{"not when forbidden", []reply{errorAnswer(403, "Forbidden.RAM"), noGroups}, 1, cloudprovider.ErrForbidden},
		{"not when wrong", []reply{errorAnswer(400, "InvalidParameter"), noGroups}, 1, cloudprovider.ErrInvalidArgument},
		{"not when busy", []reply{errorAnswer(400, "ScalingActivityInProgress"), noGroups}, 1, cloudprovider.ErrConflict},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s := scripted(t, nil, test.replies...)
				err := readGroup(t.Context(), c)
				if test.want == nil {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, test.want)
					leakless(t, err)
				}
				assert.Equal(t, test.attempts, s.attempts())
			})
		})
	}
}

func TestWaitsGrowWithFullJitter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := scripted(t, func(o *Options) { o.Jitter = func() float64 { return 0.5 } }, dropped)
		began := virtual.Now()
		require.ErrorIs(t, readGroup(t.Context(), c), cloudprovider.ErrUnavailable)
		// Half of 200, 400, 800 and 1600 ms.
		assert.Equal(t, 1500*time.Millisecond, virtual.Since(began))
	})
}

func TestThrottleHeaderIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := scripted(t, nil, errorAnswer(400, "Throttling.User", "x-ratelimit-user-api", timeLeft2s), noGroups)
		began := virtual.Now()
		require.NoError(t, readGroup(t.Context(), c))
		assert.Equal(t, 2*time.Second, virtual.Since(began))
		assert.Equal(t, 2, s.attempts())
	})
}

func TestThrottledAPIHoldsItsOtherCallsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := scripted(t, func(o *Options) { o.Retry.Attempts = 1 },
			errorAnswer(400, "Throttling.User", "x-ratelimit-user-api", timeLeft2s), noGroups)
		require.ErrorIs(t, readGroup(t.Context(), c), cloudprovider.ErrThrottled)

		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := readGroup(short, c)
		require.ErrorIs(t, err, cloudprovider.ErrThrottled)
		assert.Equal(t, 1, s.attempts(), "it was not sent, because it would be throttled")
		var cloud *cloudprovider.CloudError
		require.ErrorAs(t, err, &cloud)
		assert.Equal(t, 2*time.Second, cloud.RetryAfter)

		began := virtual.Now()
		require.NoError(t, readGroup(t.Context(), c))
		assert.Equal(t, 2*time.Second, virtual.Since(began))
	})
}

func TestNoWaitReachesTheDeadline(t *testing.T) {
	for _, test := range []struct {
		name     string
		deadline time.Duration
		attempts int
		took     time.Duration
	}{
		{"the wait would end after it", 1999 * time.Millisecond, 1, 0},
		{"the wait would end at it", 2 * time.Second, 1, 0},
		{"the wait ends before it", 2001 * time.Millisecond, 2, 2 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s := scripted(t, nil, errorAnswer(400, "Throttling", "x-ratelimit-user-api", timeLeft2s))
				ctx, cancel := context.WithTimeout(t.Context(), test.deadline)
				defer cancel()
				began := virtual.Now()
				err := readGroup(ctx, c)
				require.ErrorIs(t, err, cloudprovider.ErrThrottled)
				assert.Equal(t, test.took, virtual.Since(began))
				assert.Equal(t, test.attempts, s.attempts())
				var cloud *cloudprovider.CloudError
				require.ErrorAs(t, err, &cloud)
				assert.Equal(t, 2*time.Second, cloud.RetryAfter)
			})
		})
	}
}

func TestPatienceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := scripted(t, nil, errorAnswer(400, "Throttling", "x-ratelimit-user-api", "Limit:1,Remain:0,TimeLeft:30001,Reset:1"))
		require.ErrorIs(t, readGroup(t.Context(), c), cloudprovider.ErrThrottled)
		assert.Equal(t, 1, s.attempts())
	})
}

func TestOutcomeOfWrites(t *testing.T) {
	refused := errorAnswer(400, "InvalidParameter")
	for _, test := range []struct {
		name    string
		replies []reply
		unknown bool
		want    error
	}{
		{"accepted", []reply{accepted}, false, nil},
		{"dropped, then accepted", []reply{dropped, accepted}, false, nil},
		{"always dropped", []reply{dropped}, true, cloudprovider.ErrUnavailable},
		{"dropped, then throttled to the end", []reply{dropped, throttled}, true, cloudprovider.ErrThrottled},
		{"dropped, then plainly refused", []reply{dropped, refused}, false, cloudprovider.ErrInvalidArgument},
		{"always throttled", []reply{throttled}, false, cloudprovider.ErrThrottled},
		{"always throttled, with a 503", []reply{errorAnswer(503, "Throttling")}, false, cloudprovider.ErrThrottled},
		{"always unavailable", []reply{errorAnswer(503, "ServiceUnavailable")}, true, cloudprovider.ErrUnavailable},
		{"always an internal error", []reply{errorAnswer(500, "InternalError")}, true, cloudprovider.ErrUnavailable},
		{"always a bad gateway", []reply{answer(502, "<html/>")}, true, cloudprovider.ErrUnavailable},
		{"always a panic of the SDK", []reply{answer(503, `{"Code":503}`)}, true, cloudprovider.ErrUnavailable},
		{"accepted in a language nobody reads", []reply{answer(200, "<html/>")}, true, cloudprovider.ErrUnavailable},
		{"never answered", []reply{hangs}, true, cloudprovider.ErrUnavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, s := scripted(t, nil, test.replies...)
				err := grow(t.Context(), c)
				assert.Equal(t, test.unknown, isUnknown(err))
				if test.want == nil {
					require.NoError(t, err)
				} else {
					require.ErrorIs(t, err, test.want)
					leakless(t, err)
				}
				sameRequests(t, s)
			})
		})
	}
}

// sameRequests asserts that all attempts asked for the same with the same token, and
// that each was signed anew.
func sameRequests(t *testing.T, s *script) {
	t.Helper()
	nonces := map[string]bool{}
	var first url.Values
	for _, r := range s.asked {
		asked := r.URL.Query()
		nonces[asked.Get("SignatureNonce")] = true
		for _, name := range []string{"SignatureNonce", "Signature", "Timestamp"} {
			asked.Del(name)
		}
		if first == nil {
			first = asked
		}
		assert.Equal(t, first, asked)
		assert.Equal(t, http.MethodPost, r.Method)
	}
	assert.Equal(t, "token-1", first.Get("ClientToken"))
	assert.Len(t, nonces, len(s.asked))
}

func TestWriteLeftInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := scripted(t, nil, hangs)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := virtual.Now()
		err := grow(ctx, c)
		assert.Equal(t, 3*time.Second, virtual.Since(began))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorIs(t, err, cloudprovider.ErrOutcomeUnknown)
		leakless(t, err)
	})
}

func TestReadLeftInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := scripted(t, nil, hangs)
		ctx, cancel := context.WithCancel(t.Context())
		timer := virtual.AfterFunc(time.Second, cancel)
		defer timer.Stop()
		began := virtual.Now()
		err := readGroup(ctx, c)
		assert.Equal(t, time.Second, virtual.Since(began))
		require.ErrorIs(t, err, context.Canceled)
		assert.NotErrorIs(t, err, cloudprovider.ErrOutcomeUnknown)
	})
}

func TestLeavingWhileWaitingToRepeat(t *testing.T) {
	for _, test := range []struct {
		name    string
		replies []reply
		unknown bool
	}{
		{"nothing can have happened", []reply{errorAnswer(400, "Throttling", "x-ratelimit-user-api", timeLeft2s)}, false},
		{"the first attempt may have", []reply{dropped, errorAnswer(400, "Throttling", "x-ratelimit-user-api", timeLeft2s)}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c, _ := scripted(t, nil, test.replies...)
				ctx, cancel := context.WithCancel(t.Context())
				timer := virtual.AfterFunc(time.Second, cancel)
				defer timer.Stop()
				began := virtual.Now()
				err := grow(ctx, c)
				assert.Equal(t, time.Second, virtual.Since(began))
				require.ErrorIs(t, err, context.Canceled)
				assert.Equal(t, test.unknown, isUnknown(err))
			})
		})
	}
}

func TestAttemptIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, s := scripted(t, func(o *Options) { o.Timeouts.Attempt = 3 * time.Second }, hangs, noGroups)
		began := virtual.Now()
		require.NoError(t, readGroup(t.Context(), c))
		assert.Equal(t, 3*time.Second, virtual.Since(began))
		assert.Equal(t, 2, s.attempts())
	})
}

func TestRetryAfter(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"":         0,
		timeLeft2s: 2 * time.Second,
		"Limit:1, Remain:0, TimeLeft: 500 , Reset:1": 500 * time.Millisecond,
		"timeleft:7":           7 * time.Millisecond,
		"TimeLeft:-5":          0,
		"TimeLeft:nonsense":    0,
		"TimeLeft:99999999999": 0,
		"TimeLeft":             0,
		",,:,":                 0,
	} {
		assert.Equal(t, want, retryAfter(http.Header{"X-Ratelimit-User-Api": {header}}), header)
	}
	assert.Equal(t, 3*time.Second, retryAfter(http.Header{
		"X-Ratelimit-User-Api": {"TimeLeft:1000"}, "X-Ratelimit-User": {"TimeLeft:3000"},
	}), "the longer of the two")
}

func isUnknown(err error) bool { return errors.Is(err, cloudprovider.ErrOutcomeUnknown) }
