package ess

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
	"k8s.io/utils/clock"
)

const (
	// earlyShare and earlyTime: credentials are refreshed when a fifth of their
	// lifetime is left, and not later than 5 minutes before they end; those that live
	// under 10 minutes, at half.
	earlyShare = 5
	earlyTime  = 5 * time.Minute
	// pauseValid and pauseExpired are the least time between a refresh that failed
	// and the next: with the old credentials valid there is no hurry.
	pauseValid   = 30 * time.Second
	pauseExpired = 2 * time.Second
	// refreshTime bounds one refresh, retries included.
	refreshTime = 30 * time.Second
)

// kept keeps what a source fetched and fetches anew in time. One fetch runs at a
// time, for all callers, and none of them can cut it short. While the old
// credentials are valid nobody waits for it, and its failure hurts nobody.
type kept struct {
	source CredentialSource
	clock  clock.Clock
	flight singleflight.Group

	mu      sync.Mutex
	now     Credentials
	refresh time.Time // when the next fetch is due
	failed  error     // of the last fetch, nil when it succeeded
}

func newKept(source CredentialSource, c clock.Clock) *kept {
	return &kept{source: source, clock: c}
}

// Credentials returns the kept ones while they are valid, else those of the fetch
// that it starts or joins.
func (k *kept) Credentials(ctx context.Context) (Credentials, error) {
	key, valid, due, failed := k.look()
	switch {
	case valid && !due:
		return key, nil
	case !valid && !due:
		return Credentials{}, failed // asked again too soon after a failure
	}
	fetch := k.flight.DoChan("", func() (any, error) {
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTime)
		defer cancel()
		return nil, k.fetch(bounded)
	})
	if valid {
		return key, nil
	}
	select {
	case <-ctx.Done():
		return Credentials{}, ctx.Err()
	case done := <-fetch:
		if done.Err != nil {
			return Credentials{}, done.Err
		}
	}
	key, _, _, _ = k.look()
	return key, nil
}

func (k *kept) look() (key Credentials, valid, due bool, failed error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.clock.Now()
	valid = k.now.complete() && (k.now.Expires.IsZero() || now.Before(k.now.Expires))
	return k.now, valid, !now.Before(k.refresh), k.failed
}

func (k *kept) fetch(ctx context.Context) error {
	key, err := k.source.Credentials(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.clock.Now()
	k.failed = err
	if err != nil {
		pause := pauseExpired
		if k.now.complete() && now.Before(k.now.Expires) {
			// Not past the end, so that the first caller after it tries at once.
			pause = min(pauseValid, k.now.Expires.Sub(now))
		}
		k.refresh = now.Add(pause)
		return err
	}
	k.now, k.refresh = key, refreshAt(now, key.Expires)
	return nil
}

// refreshAt returns when credentials fetched now are to be fetched again.
func refreshAt(now, expires time.Time) time.Time {
	if expires.IsZero() {
		return now.Add(100 * 365 * 24 * time.Hour)
	}
	lifetime := expires.Sub(now)
	early := min(max(lifetime/earlyShare, earlyTime), lifetime/2)
	return expires.Add(-early)
}

// forget drops the kept credentials if they are those refused, and reports true:
// whoever asks next gets others.
func (k *kept) forget(refused Credentials) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.now == refused {
		k.now, k.refresh = Credentials{}, time.Time{}
	}
	return true
}
