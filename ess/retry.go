package ess

import (
	"context"
	"fmt"
	"math"
	"time"

	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
)

// Retry says how often and how patiently a call is repeated. A zero field has the
// default.
type Retry struct {
	// Attempts is the most attempts of one call, the first included. Default: 5.
	Attempts int
	// Base is the bound of the first wait, doubled with each attempt. Default: 200ms.
	Base time.Duration
	// Cap bounds every wait that the cloud did not ask for. Default: 5s.
	Cap time.Duration
	// Patience is the longest wait that the cloud may ask for; when it asks for more,
	// the call fails with ErrThrottled and says how long. Default: 30s.
	Patience time.Duration
}

func (r Retry) withDefaults() Retry {
	if r.Attempts == 0 {
		r.Attempts = 5
	}
	if r.Base == 0 {
		r.Base = 200 * time.Millisecond
	}
	if r.Cap == 0 {
		r.Cap = 5 * time.Second
	}
	if r.Patience == 0 {
		r.Patience = 30 * time.Second
	}
	return r
}

// retrier decides whether and when a call is repeated.
type retrier struct {
	Retry
	clock   clock.Clock
	jitter  func() float64
	metrics *metrics
}

func newRetrier(r Retry, c clock.Clock, jitter func() float64, m *metrics) *retrier {
	return &retrier{Retry: r.withDefaults(), clock: c, jitter: jitter, metrics: m}
}

// withRetry repeats what is worth repeating: reads, and writes because they carry a
// ClientToken. It gives up when the next wait would reach the caller's deadline: an
// answer in time is worth more than one attempt more.
func withRetry(next caller, r *retrier) caller {
	return func(ctx context.Context, c call) error {
		uncertain := false
		for attempt := 1; ; attempt++ {
			err := next(ctx, c)
			if err == nil {
				return nil
			}
			f := asFailure(err)
			uncertain = uncertain || f.uncertain
			wait, worth := r.wait(f, attempt)
			if !worth || !fits(ctx, r.clock, wait) {
				return verdict(c, f, uncertain)
			}
			if err := sleep(ctx, r.clock, wait); err != nil {
				return verdict(c, f.interrupted(err), uncertain)
			}
			r.metrics.retries.WithLabelValues(c.api).Inc()
		}
	}
}

// wait returns how long to wait after the attempt-th attempt, and whether at all.
func (r *retrier) wait(f *failure, attempt int) (wait time.Duration, worth bool) {
	if !f.again || attempt >= r.Attempts || f.cloud.RetryAfter > r.Patience {
		return 0, false
	}
	// Full jitter: callers that failed together do not come back together.
	bound := min(float64(r.Cap), float64(r.Base)*math.Exp2(float64(attempt-1)))
	return f.cloud.RetryAfter + time.Duration(r.jitter()*bound), true
}

// interrupted is the failure of a call whose caller left while it waited to repeat.
func (f *failure) interrupted(by error) *failure {
	last := *f.cloud
	last.Kind, last.Message = by, "waiting to repeat after: "+f.cloud.Kind.Error()
	last.HTTPStatus = 0 // that answer did not settle the call
	return &failure{cloud: &last, label: f.label}
}

// verdict is what the caller gets to know. An uncertain attempt makes a write's
// outcome unknown unless a later answer settles it: the same token gets the same
// answer when the write was carried out, so a plain refusal says that it was not.
func verdict(c call, f *failure, uncertain bool) error {
	settled := !f.again && !f.uncertain && f.cloud.HTTPStatus != 0
	if c.write && uncertain && !settled {
		return fmt.Errorf("%w: %w", cloudprovider.ErrOutcomeUnknown, f.cloud)
	}
	return f.cloud
}
