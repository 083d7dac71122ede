package grpcserver

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

const autoscalerID = "spiffe://cluster.local/ns/kube-system/sa/cluster-autoscaler"

func TestARightCertificateComesIn(t *testing.T) {
	d := openDoor(t, Limits{}, autoscalerID)
	right := d.ca.issue(t, func(c *x509.Certificate) { c.URIs = []*url.URL{spiffe(t, autoscalerID)} })
	require.NoError(t, d.call(t, d.trusting(right)))
	assert.Equal(t, []string{"NodeGroups"}, d.provider.made())
	assert.Contains(t, d.log.String(), "client="+autoscalerID)
}

func TestNobodyElseComesIn(t *testing.T) {
	d := openDoor(t, Limits{}, autoscalerID)
	other := newAuthority(t, "another authority")
	named := func(c *x509.Certificate) { c.URIs = []*url.URL{spiffe(t, autoscalerID)} }
	changed := func(change func(*x509.Certificate)) *tls.Config {
		return d.trusting(d.ca.issue(t, func(c *x509.Certificate) { named(c); change(c) }))
	}
	old := d.trusting(d.ca.issue(t, named))
	old.MaxVersion = tls.VersionTLS12
	for name, test := range map[string]struct {
		as     *tls.Config
		reason string
		logged string
	}{
		"no certificate":      {d.trusting(), refusedNoCertificate, ""},
		"another authority's": {d.trusting(other.issue(t, named)), refusedUnknownCA, "CN=cluster-autoscaler"},
		"an expired one":      {changed(func(c *x509.Certificate) { c.NotAfter = d.clock.Now().Add(-time.Second) }), refusedExpired, "CN=cluster-autoscaler"},
		"one for later":       {changed(func(c *x509.Certificate) { c.NotBefore = d.clock.Now().Add(time.Second) }), refusedExpired, "CN=cluster-autoscaler"},
		"a right CA's, wrong name": {changed(func(c *x509.Certificate) {
			c.URIs = []*url.URL{spiffe(t, "spiffe://cluster.local/ns/default/sa/builder")}
		}), refusedName, "spiffe://cluster.local/ns/default/sa/builder"},
		"a server's": {changed(func(c *x509.Certificate) {
			c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		}), refusedWrongUse, "CN=cluster-autoscaler"},
		"TLS 1.2":                         {old, refusedVersion, ""},
		"a client that does not trust us": {&tls.Config{MinVersion: tls.VersionTLS13, RootCAs: other.pool(), Time: d.clock.Now}, refusedByClient, ""},
	} {
		t.Run(name, func(t *testing.T) {
			before := testutil.ToFloat64(d.tls.metrics.refused.WithLabelValues(test.reason))
			err := d.call(t, test.as)
			require.Equal(t, codes.Unavailable, status.Code(err), err)
			// gRPC may dial more than once before the RPC fails.
			require.Eventually(t, func() bool {
				logged := d.log.String() // which is written after it is counted
				return testutil.ToFloat64(d.tls.metrics.refused.WithLabelValues(test.reason)) > before &&
					strings.Contains(logged, "reason="+test.reason) && strings.Contains(logged, test.logged)
			}, waitLong, waitStep, d.log)
		})
	}
	assert.Empty(t, d.provider.made(), "no handler may run")
	assert.NotContains(t, d.log.String(), "PRIVATE KEY")
	assert.NotContains(t, d.log.String(), "method=")
}

func TestPlaintextIsRefused(t *testing.T) {
	d := openDoor(t, Limits{})
	err := callOnce(t, d.address, insecure.NewCredentials())
	require.Equal(t, codes.Unavailable, status.Code(err), err)
	require.Eventually(t, func() bool {
		return testutil.ToFloat64(d.tls.metrics.refused.WithLabelValues(refusedNotTLS)) > 0
	}, waitLong, waitStep)
	assert.Empty(t, d.provider.made())
}

func TestWithoutAListEveryClientOfTheAuthorityComesIn(t *testing.T) {
	d := openDoor(t, Limits{})
	require.NoError(t, d.call(t, d.trusting(d.ca.issue(t, func(c *x509.Certificate) { c.Subject.CommonName = "anybody" }))))
	assert.Contains(t, d.log.String(), "client=anybody")
}

func TestAPortWithoutClientCertificates(t *testing.T) {
	d := openDoor(t, Limits{}, "nobody")
	sibling := New(Options{Provider: d.provider, Clock: d.clock, Credentials: d.tls.Credentials(false)})
	address := serveOnLoopback(t, sibling)
	d.address = address
	require.NoError(t, d.call(t, d.trusting()), "the client has nothing to show, and need not")
	err := d.call(t, &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: newAuthority(t, "another").pool(), Time: d.clock.Now})
	require.Equal(t, codes.Unavailable, status.Code(err), "the server still proves who it is")
}

// A port whose clients show nothing needs no authorities; its certificate is renewed and
// its refusals are counted as any other's.
func TestACertificateWithoutAuthorities(t *testing.T) {
	d := openDoor(t, Limits{})
	registry := prometheus.NewRegistry()
	options := d.options(slog.New(slog.NewTextHandler(d.log, nil)), registry)
	options.ClientCAFile = ""
	var err error
	d.tls, err = OpenTLS(options)
	require.NoError(t, err)
	serve := func(clientCertificate bool) string {
		return serveOnLoopback(t, New(Options{Provider: d.provider, Clock: d.clock, Credentials: d.tls.Credentials(clientCertificate)}))
	}
	d.address = serve(false)
	require.NoError(t, d.call(t, d.trusting()))
	renewed := d.ca.server(t)
	d.renew(t, renewed)
	d.clock.Step(lookInterval)
	assert.Equal(t, renewed.Leaf.SerialNumber.Int64(), d.shown(t))
	assert.EqualValues(t, 1, d.reloads("success"))
	require.Equal(t, codes.Unavailable, status.Code(callOnce(t, d.address, insecure.NewCredentials())))
	require.Eventually(t, func() bool {
		return testutil.ToFloat64(d.tls.metrics.refused.WithLabelValues(refusedNotTLS)) > 0
	}, waitLong, waitStep)

	d.address = serve(true)
	require.Equal(t, codes.Unavailable, status.Code(d.call(t, d.trusting(d.ca.issue(t, nil)))),
		"where certificates are asked for and none can count, nobody gets in")
}

func TestAllowList(t *testing.T) {
	leaf := &x509.Certificate{
		URIs:     []*url.URL{spiffe(t, autoscalerID)},
		DNSNames: []string{"CA.builds.example"},
	}
	leaf.Subject.CommonName = "cluster-autoscaler"
	for pattern, admitted := range map[string]bool{
		autoscalerID: true,
		"spiffe://cluster.local/ns/*/sa/cluster-autoscaler":      true,
		"spiffe://cluster.local/ns/kube-system/sa/cluster-auto*": true,
		"spiffe://cluster.local/*":                               false, // one segment only
		"spiffe://cluster.local/ns/*/sa/builder":                 false,
		"ca.builds.example":                                      true, // DNS names know no capitals
		"*.builds.example":                                       true,
		"builds.example":                                         false,
		"cluster-autoscaler":                                     true,
		"cluster-autoscaler ":                                    false,
		"cluster":                                                false, // the whole name
		"Cluster-Autoscaler":                                     false,
		"*":                                                      true,
	} {
		list, err := newAllowList([]string{"someone-else", pattern})
		require.NoError(t, err)
		assert.Equal(t, admitted, list.admits(leaf), pattern)
	}
	assert.False(t, allowList{"*"}.admits(&x509.Certificate{}), "who has no name is nobody")
	assert.True(t, allowList(nil).admits(&x509.Certificate{}))
	for _, bad := range []string{"", "[a"} {
		_, err := newAllowList([]string{bad})
		require.ErrorContains(t, err, "allow client")
	}
}

func TestOpenTLSRefusesFilesThatCannotWork(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(t *testing.T, d *door)
		says  string
	}{
		"no file":        {func(_ *testing.T, d *door) { d.dir = "/nowhere" }, "/nowhere/tls.crt"},
		"another's key":  {func(t *testing.T, d *door) { d.write(t, "tls.key", keyPEM(t, d.ca.server(t))) }, "private key does not match"},
		"no PEM":         {func(t *testing.T, d *door) { d.write(t, "tls.crt", []byte("hello")) }, "tls.crt"},
		"no authorities": {func(t *testing.T, d *door) { d.write(t, "ca.crt", []byte("hello")) }, "no certificate in it"},
		"expired":        {func(_ *testing.T, d *door) { d.clock.SetTime(epoch.Add(time.Hour + time.Nanosecond)) }, "expired on 2026-09-21T"},
		"no name": {func(t *testing.T, d *door) {
			d.renew(t, d.ca.issue(t, nil))
		}, "no subject alternative name"},
	} {
		t.Run(name, func(t *testing.T) {
			d := openDoor(t, Limits{})
			secret := keyPEM(t, d.ca.server(t))
			test.spoil(t, d)
			_, err := OpenTLS(d.options(nil, nil))
			require.ErrorContains(t, err, test.says)
			assert.NotContains(t, err.Error(), string(secret[30:60]))
		})
	}
	d := openDoor(t, Limits{})
	d.clock.SetTime(epoch.Add(time.Hour))
	_, err := OpenTLS(d.options(nil, nil))
	require.NoError(t, err, "the last moment counts")
	_, err = OpenTLS(d.options(nil, nil, "[a"))
	require.ErrorContains(t, err, "allow client")
}

func TestRefusalsAreAllCountedAndSomeLogged(t *testing.T) {
	d := openDoor(t, Limits{})
	log := &logBuffer{}
	r := newRefusals(slog.New(slog.NewTextHandler(log, nil)), d.clock, newTLSMetrics(prometheus.NewRegistry()))
	from := &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 5}
	long := d.ca.issue(t, func(c *x509.Certificate) { c.Subject.CommonName = strings.Repeat("x", 10_000) })
	refused := func() { r.tell(from, &notAllowedError{long.Leaf}) }
	for range 1000 {
		refused()
	}
	assert.EqualValues(t, 1000, testutil.ToFloat64(r.metrics.refused.WithLabelValues(refusedName)))
	assert.Equal(t, refusalBurst, strings.Count(log.String(), "\n"))
	assert.Less(t, len(log.String()), refusalBurst*2000, "a stranger's names are cut")
	assert.Contains(t, log.String(), "peer=192.0.2.1:5")
	d.clock.Step(time.Second)
	refused()
	refused()
	assert.Equal(t, refusalBurst+refusalPerSecond, strings.Count(log.String(), "\n"))
}
