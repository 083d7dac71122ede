package wait_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/e2e/internal/wait"
)

func TestUntilReturnsAsSoonAsTheConditionHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, calls := time.Now(), 0
		err := wait.Until(t.Context(), "three calls", time.Second, func(context.Context) error {
			if calls++; calls < 3 {
				return errors.New("not yet")
			}
			return nil
		})
		require.NoError(t, err)
		assert.Equal(t, 2*time.Second, time.Since(began), "the first call comes at once")
	})
}

func TestUntilSaysWhatItWaitedForAndWhyInVain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		missing := errors.New("two of three")
		err := wait.Until(ctx, "three nodes", time.Second, func(context.Context) error { return missing })
		require.ErrorIs(t, err, missing)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.ErrorContains(t, err, "three nodes")
	})
}

func TestUntilGivesUpWhenItIsPointless(t *testing.T) {
	calls := 0
	err := wait.Until(t.Context(), "a dead process", time.Hour, func(context.Context) error {
		calls++
		return fmt.Errorf("exited: %w", wait.ErrStop)
	})
	require.ErrorIs(t, err, wait.ErrStop)
	assert.Equal(t, 1, calls)
}

func TestHoldLooksForTheWholeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		require.NoError(t, wait.Hold(t.Context(), "quiet", 5*time.Second, time.Second, func(context.Context) error {
			calls++
			return nil
		}))
		assert.Equal(t, 5, calls)

		broken := errors.New("a second write")
		err := wait.Hold(t.Context(), "quiet", 5*time.Second, time.Second, func(context.Context) error {
			if calls++; calls == 9 {
				return broken
			}
			return nil
		})
		assert.ErrorIs(t, err, broken)
	})
}
