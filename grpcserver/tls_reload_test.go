package grpcserver

import (
	"context"
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// shown is the serial number of the certificate that the door shows.
func (d *door) shown(t *testing.T) int64 {
	t.Helper()
	connection, err := tls.Dial("tcp", d.address, d.trusting(d.ca.issue(t, nil)))
	require.NoError(t, err)
	defer func() { _ = connection.Close() }()
	return connection.ConnectionState().PeerCertificates[0].SerialNumber.Int64()
}

func (d *door) reloads(result string) float64 {
	return testutil.ToFloat64(d.tls.metrics.reloads.WithLabelValues(result))
}

func TestARenewedCertificateIsUsedWithoutRestart(t *testing.T) {
	d := openDoor(t, Limits{})
	first := d.shown(t)
	renewed := d.ca.server(t)
	d.renew(t, renewed)
	d.clock.Step(lookInterval - time.Nanosecond)
	assert.Equal(t, first, d.shown(t), "the files were read a moment ago")
	d.clock.Step(time.Nanosecond)
	assert.Equal(t, renewed.Leaf.SerialNumber.Int64(), d.shown(t))
	assert.EqualValues(t, 1, d.reloads("success"))
	assert.EqualValues(t, renewed.Leaf.NotAfter.Unix(), testutil.ToFloat64(d.tls.metrics.expiry))
	assert.Equal(t, 1, strings.Count(d.log.String(), "TLS files taken over"))

	d.clock.Step(time.Minute)
	d.shown(t)
	assert.EqualValues(t, 1, d.reloads("success"), "files that did not change are not taken over again")
}

func TestBrokenFilesKeepTheOldOnes(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, d *door){
		"half a file":    func(t *testing.T, d *door) { d.write(t, "tls.crt", certPEM(d.ca.server(t))[:100]) },
		"another's key":  func(t *testing.T, d *door) { d.write(t, "tls.key", keyPEM(t, d.ca.server(t))) },
		"no authorities": func(t *testing.T, d *door) { d.write(t, "ca.crt", nil) },
		"gone":           func(t *testing.T, d *door) { require.NoError(t, os.Remove(filepath.Join(d.dir, "tls.crt"))) },
	} {
		t.Run(name, func(t *testing.T) {
			d := openDoor(t, Limits{})
			first := d.shown(t)
			spoil(t, d)
			for range 3 {
				d.clock.Step(lookInterval)
				assert.Equal(t, first, d.shown(t))
			}
			assert.EqualValues(t, 1, d.reloads("failure"), "one change is told of once")
			assert.Equal(t, 1, strings.Count(d.log.String(), "level=ERROR"), d.log)
			assert.NotContains(t, d.log.String(), "PRIVATE KEY")
			require.NoError(t, d.call(t, d.trusting(d.ca.issue(t, nil))))

			healed := d.ca.server(t)
			d.renew(t, healed)
			d.write(t, "ca.crt", certPEM(d.ca.pair))
			d.clock.Step(lookInterval)
			assert.Equal(t, healed.Leaf.SerialNumber.Int64(), d.shown(t))
			assert.EqualValues(t, 1, d.reloads("success"))
		})
	}
}

func TestTheSameFilesAgainAreNoChange(t *testing.T) {
	d := openDoor(t, Limits{})
	good, err := os.ReadFile(filepath.Join(d.dir, "tls.crt"))
	require.NoError(t, err)
	for n := range 2 { // broken, good again, broken in the same way: told of each time
		d.write(t, "tls.crt", []byte("broken"))
		d.clock.Step(lookInterval)
		d.tls.lookAgain()
		assert.EqualValues(t, n+1, d.reloads("failure"))
		d.write(t, "tls.crt", good)
		d.clock.Step(lookInterval)
		d.tls.lookAgain()
	}
	assert.Zero(t, d.reloads("success"), "it was in force all the time")
}

func TestClientAuthoritiesAreReplacedWithoutRestart(t *testing.T) {
	d := openDoor(t, Limits{})
	before, after := d.ca.issue(t, nil), newAuthority(t, "next authority")
	require.NoError(t, d.call(t, d.trusting(before)))
	d.write(t, "ca.crt", certPEM(after.pair))
	d.clock.Step(lookInterval)
	require.NoError(t, d.call(t, d.trusting(after.issue(t, nil))))
	err := d.call(t, d.trusting(before))
	require.Equal(t, codes.Unavailable, status.Code(err), "the old authority counts no more")

	d.write(t, "ca.crt", append(certPEM(after.pair), certPEM(d.ca.pair)...))
	d.clock.Step(lookInterval)
	require.NoError(t, d.call(t, d.trusting(before)), "both, as while authorities change")
	require.NoError(t, d.call(t, d.trusting(after.issue(t, nil))))
}

func TestFilesAreFollowedWithoutHandshakes(t *testing.T) {
	d := openDoor(t, Limits{})
	ctx, cancel := context.WithCancel(t.Context())
	followed := make(chan struct{})
	go func() { defer close(followed); d.tls.Follow(ctx) }()
	require.Eventually(t, d.clock.HasWaiters, waitLong, waitStep)
	d.write(t, "tls.crt", []byte("broken"))
	d.clock.Step(recheckInterval)
	require.Eventually(t, func() bool { return d.reloads("failure") == 1 }, waitLong, waitStep)
	cancel()
	<-followed
}
