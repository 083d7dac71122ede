package nodegroups

import (
	"fmt"
	"time"

	"github.com/buildpool/buildpool/cloudprovider"
)

const (
	// mergeWindow is how fresh a snapshot has to be for a Refresh to cost nothing:
	// CA from 1.36 on loops again 10 to 20 ms after a loop that changed something.
	mergeWindow = 500 * time.Millisecond

	// firstPause and longestPause bound how long a cloud that does not answer is left
	// alone: twice as long after each failure. CA's loop waits for every attempt.
	firstPause   = time.Second
	longestPause = 15 * time.Second

	// failuresToRest is how many refreshes in a row have to fail before writes are
	// refused unasked: one may be an accident, and a refused scale-up costs the group
	// five minutes of CA's backoff.
	failuresToRest = 2
)

// outage is what is known of a cloud that does not answer. The zero value is a cloud
// that does.
type outage struct {
	failures int
	until    time.Time
	cause    error
}

// failed takes another failed reading into account.
func (o outage) failed(cause error, now time.Time) outage {
	pause := longestPause
	if o.failures < 4 {
		pause = min(longestPause, firstPause<<o.failures)
	}
	return outage{failures: o.failures + 1, until: now.Add(pause), cause: cause}
}

// resting reports whether the cloud is to be left alone now.
func (o outage) resting(now time.Time) bool { return now.Before(o.until) }

// refuses returns why a write would only be waited for in vain, nil if it is to be
// tried.
func (o outage) refuses(now time.Time) error {
	if o.failures < failuresToRest || !o.resting(now) {
		return nil
	}
	return fmt.Errorf("%d refreshes in a row failed, the next is tried within %s: %w (%w)",
		o.failures, longestPause, cloudprovider.ErrUnavailable, o.cause)
}

// refuses returns why writes are refused unasked now, nil if they are not.
func (p *Provider) refuses() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.outage.refuses(p.Clock.Now())
}

// mayRest reports whether the snapshot in force will do: it is fresh, nothing is in
// doubt and the configuration is the one it was made by, or the cloud does not answer
// and is left alone for a moment. The caller holds mu.
func (p *Provider) mayRest() bool {
	if p.current.Load() == nil {
		return false
	}
	now := p.Clock.Now()
	if p.outage.resting(now) {
		return true
	}
	if p.outage.failures > 0 || now.Sub(p.refreshed) >= mergeWindow {
		return false
	}
	for _, m := range p.members {
		if m.state.owed || len(m.state.doubts) > 0 || !m.state.known || m.launch.stale {
			return false
		}
	}
	return true
}

// concluded records how a refresh ended: whether the scaling groups could be read, and
// what went wrong beyond that.
func (p *Provider) concluded(read bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastError = ""
	if err != nil {
		p.lastError = err.Error()
	}
	if read {
		p.outage = outage{}
		return
	}
	p.outage = p.outage.failed(err, p.Clock.Now())
}
