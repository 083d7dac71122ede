package ess

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
)

// Rate is how many requests may go out.
type Rate struct {
	PerSecond float64
	Burst     int
}

// Limits bound our own requests per API. The cloud's limits are per API, region and
// account, not public, and shared with everybody else who uses the account; ours
// keep one provider from eating them up.
type Limits struct {
	// Default holds for an API that PerAPI does not name. Default: 20 a second,
	// 40 at once.
	Default Rate
	PerAPI  map[string]Rate
}

func (l Limits) of(api string) Rate {
	if r, named := l.PerAPI[api]; named {
		return r
	}
	if l.Default == (Rate{}) {
		return Rate{PerSecond: 20, Burst: 40}
	}
	return l.Default
}

// limiter holds requests back: to our own rate, and for as long as the cloud said
// that an API is closed to this account.
type limiter struct {
	limits  Limits
	clock   clock.Clock
	metrics *metrics

	mu   sync.Mutex
	apis map[string]*gate
}

// gate is one API's.
type gate struct {
	bucket *rate.Limiter

	mu     sync.Mutex
	closed time.Time // until then
}

func newLimiter(l Limits, c clock.Clock, m *metrics) *limiter {
	return &limiter{limits: l, clock: c, metrics: m, apis: map[string]*gate{}}
}

// withLimit holds each attempt back as the limits want it.
func withLimit(next caller, l *limiter) caller {
	return func(ctx context.Context, c call) error {
		g := l.gate(c.api)
		if err := l.pass(ctx, g, c.api); err != nil {
			return err
		}
		err := next(ctx, c)
		if f := asFailure(err); f != nil && errors.Is(f.cloud.Kind, cloudprovider.ErrThrottled) {
			// One throttled call tells the others, which would only be throttled too.
			g.closeUntil(l.clock.Now().Add(f.cloud.RetryAfter))
		}
		return err
	}
}

func (l *limiter) gate(api string) *gate {
	l.mu.Lock()
	defer l.mu.Unlock()
	g, known := l.apis[api]
	if !known {
		r := l.limits.of(api)
		g = &gate{bucket: rate.NewLimiter(rate.Limit(r.PerSecond), r.Burst)}
		l.apis[api] = g
	}
	return g
}

// pass waits for the gate. It fails at once when the wait would reach the deadline.
func (l *limiter) pass(ctx context.Context, g *gate, api string) error {
	began := l.clock.Now()
	defer func() { l.metrics.limitWait.WithLabelValues(api).Add(l.clock.Since(began).Seconds()) }()
	ticket := g.bucket.ReserveN(began, 1)
	if !ticket.OK() {
		return held(api, 0)
	}
	for first := true; ; first = false {
		now := l.clock.Now()
		wait := g.remaining(now)
		if first {
			wait = max(wait, ticket.DelayFrom(now))
		}
		if wait <= 0 {
			return nil
		}
		if !fits(ctx, l.clock, wait) {
			ticket.CancelAt(now)
			return held(api, wait)
		}
		if err := sleep(ctx, l.clock, wait); err != nil {
			ticket.CancelAt(l.clock.Now())
			return &failure{cloud: &cloudprovider.CloudError{Kind: err, API: api, Message: "waiting for the rate limit"}, label: "canceled"}
		}
	}
}

func (g *gate) closeUntil(t time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.After(g.closed) {
		g.closed = t
	}
}

// remaining returns for how long the gate is still closed.
func (g *gate) remaining(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed.Sub(now)
}

// held is the failure of a request that would have had to wait past its deadline.
func held(api string, wait time.Duration) error {
	return &failure{
		cloud: &cloudprovider.CloudError{
			Kind: cloudprovider.ErrThrottled, API: api, Message: "not sent: the rate limit would outlast the deadline", RetryAfter: wait,
		},
		label: "held",
	}
}
