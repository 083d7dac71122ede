package ess

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
)

// issuer issues numbered keys, each for a lifetime.
type issuer struct {
	lifetime time.Duration
	takes    time.Duration
	broken   atomic.Bool
	issued   atomic.Int32
}

func (i *issuer) Credentials(ctx context.Context) (Credentials, error) {
	n := i.issued.Add(1)
	if err := sleep(ctx, virtual, i.takes); err != nil {
		return Credentials{}, err
	}
	if i.broken.Load() {
		return Credentials{}, fmt.Errorf("issue: %w", cloudprovider.ErrUnavailable)
	}
	return Credentials{
		AccessKeyID: fmt.Sprint("key-", n), AccessKeySecret: "secret", SecurityToken: "token", Expires: virtual.Now().Add(i.lifetime),
	}, nil
}

// asked returns the ID of the key that the source gives now, once all that the
// question set off has come to rest.
func asked(t *testing.T, k *kept) string {
	t.Helper()
	key, err := k.Credentials(t.Context())
	require.NoError(t, err)
	synctest.Wait()
	return key.AccessKeyID
}

func TestKeptAreRefreshedEarly(t *testing.T) {
	for _, test := range []struct{ lifetime, fresh time.Duration }{
		{time.Hour, 48 * time.Minute},                   // a fifth is left
		{12 * time.Hour, 12*time.Hour - 12*time.Hour/5}, // a fifth is left
		{25 * time.Minute, 20 * time.Minute},            // a fifth is five minutes
		{15 * time.Minute, 10 * time.Minute},            // five minutes are left
		{10 * time.Minute, 5 * time.Minute},             // five minutes are a half
		{4 * time.Minute, 2 * time.Minute},              // a half is left
	} {
		synctest.Test(t, func(t *testing.T) {
			k := newKept(&issuer{lifetime: test.lifetime}, virtual)
			assert.Equal(t, "key-1", asked(t, k))
			virtual.Sleep(test.fresh - 1)
			assert.Equal(t, "key-1", asked(t, k))
			assert.Equal(t, "key-1", asked(t, k), "not due a moment before")
			virtual.Sleep(1)
			assert.Equal(t, "key-1", asked(t, k), "the caller that starts the refresh does not wait for it")
			assert.Equal(t, "key-2", asked(t, k))
			assert.Equal(t, "key-2", asked(t, k))
		})
	}
}

func TestKeptOutliveAFailingRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &issuer{lifetime: time.Hour}
		k := newKept(source, virtual)
		assert.Equal(t, "key-1", asked(t, k))
		source.broken.Store(true)
		virtual.Sleep(48 * time.Minute)
		for range 12*60 - 1 { // to the last second
			assert.Equal(t, "key-1", asked(t, k))
			virtual.Sleep(time.Second)
		}
		// One attempt every thirty seconds, not one a call.
		assert.Equal(t, int32(1+24), source.issued.Load())

		virtual.Sleep(time.Second)
		_, err := k.Credentials(t.Context())
		require.ErrorIs(t, err, cloudprovider.ErrUnavailable, "past their end they are no good")
		tried := source.issued.Load()
		for range 100 {
			_, err = k.Credentials(t.Context())
			require.ErrorIs(t, err, cloudprovider.ErrUnavailable)
		}
		assert.Equal(t, tried, source.issued.Load(), "and a failure is not repeated at once")

		source.broken.Store(false)
		virtual.Sleep(pauseExpired)
		assert.Equal(t, fmt.Sprint("key-", tried+1), asked(t, k))
	})
}

func TestKeptRefreshAtTheirEndDoesNotWaitOutAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &issuer{lifetime: time.Hour}
		k := newKept(source, virtual)
		asked(t, k)
		source.broken.Store(true)
		virtual.Sleep(time.Hour - 10*time.Second)
		assert.Equal(t, "key-1", asked(t, k)) // fails behind the scenes; a pause would be 30s
		source.broken.Store(false)
		virtual.Sleep(10 * time.Second)
		assert.Equal(t, "key-3", asked(t, k))
	})
}

func TestKeptFetchOnceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &issuer{lifetime: time.Hour, takes: time.Second}
		k := newKept(source, virtual)
		var work sync.WaitGroup
		for range 50 {
			work.Go(func() {
				key, err := k.Credentials(t.Context())
				assert.NoError(t, err)
				assert.Equal(t, "key-1", key.AccessKeyID)
			})
		}
		work.Wait()
		assert.Equal(t, int32(1), source.issued.Load())
	})
}

func TestKeptCallerThatLeavesDoesNotSpoilTheFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &issuer{lifetime: time.Hour, takes: 10 * time.Second}
		k := newKept(source, virtual)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := virtual.Now()
		_, err := k.Credentials(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Second, virtual.Since(began))
		assert.Equal(t, "key-1", asked(t, k), "the next caller gets what the first set off")
		assert.Equal(t, 10*time.Second, virtual.Since(began))
		assert.Equal(t, int32(1), source.issued.Load())
	})
}

func TestKeptFetchIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKept(&issuer{lifetime: time.Hour, takes: time.Hour}, virtual)
		began := virtual.Now()
		_, err := k.Credentials(t.Context())
		require.Error(t, err)
		assert.Equal(t, refreshTime, virtual.Since(began))
	})
}

func TestKeptForgetWhatWasRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := newKept(&issuer{lifetime: time.Hour}, virtual)
		key, err := k.Credentials(t.Context())
		require.NoError(t, err)
		assert.True(t, forget(k, key))
		assert.Equal(t, "key-2", asked(t, k))
		assert.True(t, forget(k, key), "an old key, refused late, costs the new one nothing")
		assert.Equal(t, "key-2", asked(t, k))
	})
	assert.False(t, forget(testKey, Credentials{}), "a fixed key has no successor")
}

// TestRefusedCredentialsAreReplaced: a token that ends early does not end the call.
func TestRefusedCredentialsAreReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		expired := errorAnswer(400, "InvalidSecurityToken.Expired")
		source := newKept(&issuer{lifetime: time.Hour}, virtual)
		c, s := scripted(t, func(o *Options) { o.Credentials = source }, expired, noGroups)
		require.NoError(t, readGroup(t.Context(), c))
		require.Equal(t, 2, s.attempts())
		assert.Equal(t, "key-1", s.asked[0].URL.Query().Get("AccessKeyId"))
		assert.Equal(t, "key-2", s.asked[1].URL.Query().Get("AccessKeyId"))
	})
	c, s := scripted(t, nil, errorAnswer(400, "InvalidSecurityToken.Expired"))
	require.ErrorIs(t, readGroup(t.Context(), c), cloudprovider.ErrForbidden)
	assert.Equal(t, 1, s.attempts(), "with a fixed key a second attempt is no use")
}

func TestCallWithoutCredentials(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want error
	}{
		"nobody there": {fmt.Errorf("ask: %w", cloudprovider.ErrUnavailable), cloudprovider.ErrUnavailable},
		"refused":      {fmt.Errorf("ask: %w", cloudprovider.ErrForbidden), cloudprovider.ErrForbidden},
		"odd":          {errors.New("odd"), cloudprovider.ErrForbidden},
	} {
		c, s := scripted(t, func(o *Options) {
			o.Credentials = sourceFunc(func(context.Context) (Credentials, error) { return Credentials{}, test.err })
		}, noGroups)
		err := grow(t.Context(), c)
		require.ErrorIs(t, err, test.want, name)
		assert.False(t, isUnknown(err), name)
		assert.Zero(t, s.attempts(), name)
	}
}
