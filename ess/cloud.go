package ess

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/cloudprovider"
)

// Options say how an account is reached.
type Options struct {
	// Region of the account's scaling groups. Required.
	Region string
	// Credentials sign every request. Required.
	Credentials CredentialSource
	// Endpoint is the base URL of a simulator that answers every product; empty is
	// the real service. Plain http is accepted for a loopback address only.
	Endpoint string
	// Transport carries the requests; nil is a tuned one that honours the proxy
	// variables of the environment.
	Transport http.RoundTripper
	// Clock measures and waits; nil is the real one. It has to run in the time of the
	// contexts' deadlines: the real clock, or the real clock in a synctest bubble.
	Clock clock.Clock
	// Registerer receives the metrics; nil keeps them to ourselves.
	Registerer prometheus.Registerer
	Timeouts   Timeouts
	Retry      Retry
	Limits     Limits
	// Jitter returns a number in [0,1) that spreads retries; nil is random.
	Jitter func() float64
}

// Timeouts bound one attempt of a call. A zero field has the default.
type Timeouts struct {
	// Connect bounds dialling, and the TLS handshake as well. Default: 5s.
	Connect time.Duration
	// Attempt bounds one attempt, from dialling to the last byte. Default: 10s.
	Attempt time.Duration
}

func (t Timeouts) withDefaults() Timeouts {
	if t.Connect == 0 {
		t.Connect = 5 * time.Second
	}
	if t.Attempt == 0 {
		t.Attempt = 10 * time.Second
	}
	return t
}

// Cloud is an Alibaba Cloud account in one region. It is safe for concurrent use.
type Cloud struct {
	call      caller
	closeIdle func()
	clock     clock.PassiveClock

	mu    sync.Mutex
	types map[string]cloudprovider.InstanceType // by name; a type never changes
	zones map[string]string                     // by vSwitch; a vSwitch never moves
}

var _ cloudprovider.Cloud = (*Cloud)(nil)

// regionForm is what the SDK accepts, without its underscore and capitals.
var regionForm = regexp.MustCompile(`^[a-z0-9-]+$`)

// New returns the account. It sends nothing: the first call tells whether the
// credentials are any good.
func New(o Options) (*Cloud, error) {
	if !regionForm.MatchString(o.Region) {
		return nil, fmt.Errorf("open the account: region %q: %w", o.Region, cloudprovider.ErrInvalidArgument)
	}
	if o.Credentials == nil {
		return nil, fmt.Errorf("open the account: no credentials: %w", cloudprovider.ErrInvalidArgument)
	}
	at, err := parseEndpoint(o.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("open the account: %w", err)
	}
	o.Timeouts = o.Timeouts.withDefaults()
	o.Clock, o.Jitter = orReal(o.Clock), orRandom(o.Jitter)
	m, err := newMetrics(o.Registerer)
	if err != nil {
		return nil, fmt.Errorf("open the account: register metrics: %w", err)
	}
	door, closeIdle := newSender(o.Region, at, o.Transport, o.Timeouts)
	return &Cloud{
		call:      peel(door, o, m),
		closeIdle: closeIdle,
		clock:     o.Clock,
		types:     map[string]cloudprovider.InstanceType{},
		zones:     map[string]string{},
	}, nil
}

// Close releases idle connections. Calls after Close still work.
func (c *Cloud) Close() { c.closeIdle() }

func orReal(c clock.Clock) clock.Clock {
	if c == nil {
		return clock.RealClock{}
	}
	return c
}

func orRandom(jitter func() float64) func() float64 {
	if jitter == nil {
		return rand.Float64
	}
	return jitter
}

// nothing turns "no such group" into success without a result: the vocabulary
// says that a group that does not exist has no instances and no activities.
func nothing(err error) error {
	if errors.Is(err, cloudprovider.ErrGroupNotFound) {
		return nil
	}
	return err
}

// sleep waits for d on the clock, or for the end of ctx, whose error it returns.
func sleep(ctx context.Context, c clock.Clock, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := c.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// fits reports whether waiting for d still leaves time before the deadline of ctx.
func fits(ctx context.Context, c clock.Clock, d time.Duration) bool {
	deadline, bounded := ctx.Deadline()
	return !bounded || c.Now().Add(d).Before(deadline)
}
