package nodegroups

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/cloudprovider"
)

func TestOutagePausesGrowAndEnd(t *testing.T) {
	cause := errors.New("cut off")
	o, now := outage{}, at(0)
	assert.False(t, o.resting(now))
	for n, pause := range []time.Duration{1, 2, 4, 8, 15, 15, 15} {
		o = o.failed(cause, now)
		pause *= time.Second
		assert.True(t, o.resting(now.Add(pause-1)), "failure %d", n+1)
		assert.False(t, o.resting(now.Add(pause)), "failure %d", n+1)
		now = now.Add(pause)
	}
}

func TestOutageRefusesWritesAfterTheSecondFailure(t *testing.T) {
	cause := errors.New("cut off")
	once := outage{}.failed(cause, at(0))
	require.NoError(t, once.refuses(at(0)), "one failure may be an accident")
	twice := once.failed(cause, at(10))
	require.ErrorIs(t, twice.refuses(at(11)), cloudprovider.ErrUnavailable)
	require.ErrorIs(t, twice.refuses(at(11)), cause)
	require.NoError(t, twice.refuses(at(12)), "the pause is over, and a write may try")
}
