package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

// secured starts serve with the server's certificates of the directory on a free
// loopback port and returns its address.
func secured(t *testing.T, dir string, arguments ...string) (*server, string) {
	t.Helper()
	s := start(t, nil, append([]string{"--simulate", "--address", "127.0.0.1:0",
		"--tls-cert", filepath.Join(dir, "server.crt"), "--tls-key", filepath.Join(dir, "server.key"),
		"--tls-client-ca", filepath.Join(dir, "ca.crt")}, arguments...)...)
	return s, s.await(t, "serving")["grpc"].(string)
}

// asAutoscaler meets a server as the cloud-config that certs prints says: the
// client's pair, the authority, and the host of the address as the server's name.
func asAutoscaler(t *testing.T, dir string) credentials.TransportCredentials {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "client.crt"), filepath.Join(dir, "client.key"))
	require.NoError(t, err)
	return credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, RootCAs: roots(t, dir)})
}

func roots(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(readCertificate(t, filepath.Join(dir, "ca.crt")))
	return pool
}

// refreshOver makes a connection and one RPC.
func refreshOver(t *testing.T, address string, as credentials.TransportCredentials) error {
	t.Helper()
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(as))
	require.NoError(t, err)
	defer func() { assert.NoError(t, connection.Close()) }()
	ctx, cancel := context.WithTimeout(t.Context(), waitLong)
	defer cancel()
	_, err = protos.NewCloudProviderClient(connection).Refresh(ctx, &protos.RefreshRequest{})
	require.NoError(t, ctx.Err(), "neither let in nor refused")
	return err
}

func TestServeWithCertificates(t *testing.T) {
	dir, _ := firstTry(t, "--host", "127.0.0.1")
	other, _ := firstTry(t, "--host", "127.0.0.1")
	s, address := secured(t, dir, "--allow-client", "cluster-autoscaler", "--log-level", "debug")
	require.NoError(t, refreshOver(t, address, asAutoscaler(t, dir)))
	assert.Equal(t, "cluster-autoscaler", s.await(t, "rpc")["client"])

	pair, err := tls.LoadX509KeyPair(filepath.Join(other, "client.crt"), filepath.Join(other, "client.key"))
	require.NoError(t, err)
	for name, stranger := range map[string]credentials.TransportCredentials{
		"plaintext":      insecure.NewCredentials(),
		"no certificate": credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots(t, dir)}),
		"another authority's": credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots(t, dir),
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &pair, nil }}),
	} {
		err := refreshOver(t, address, stranger)
		assert.Equal(t, codes.Unavailable, status.Code(err), "%s: %v", name, err)
	}
	var metrics string
	for _, reason := range []string{"not_tls", "no_certificate", "unknown_authority"} {
		// A client can hear of its refusal before the server has counted it.
		require.Eventually(t, func() bool {
			_, metrics = s.get(t, "/metrics")
			return refusedFor(metrics, "provider", reason)
		}, waitLong, waitStep, reason)
	}
	assert.Contains(t, metrics, "buildpool_grpc_requests_total{code=\"OK\",method=\"Refresh\"} 1\n", "no stranger's RPC was seen")
	assert.Contains(t, metrics, "\nbuildpool_tls_certificate_expiry_timestamp_seconds{certificate=\"provider\"} 1.")
	assert.NotContains(t, s.stderr.String(), "PRIVATE KEY")
}

// refusedFor reports whether clients were refused for the reason.
func refusedFor(metrics, certificate, reason string) bool {
	series := fmt.Sprintf("\nbuildpool_tls_refused_total{certificate=%q,reason=%q} ", certificate, reason)
	return strings.Contains(metrics, series) && !strings.Contains(metrics, series+"0\n")
}

func TestServeRefusesAClientOfAnotherName(t *testing.T) {
	dir, _ := firstTry(t, "--host", "127.0.0.1", "--client", "somebody")
	s, address := secured(t, dir, "--allow-client", "cluster-autoscaler", "--allow-client", "ca-*")
	require.Equal(t, codes.Unavailable, status.Code(refreshOver(t, address, asAutoscaler(t, dir))))
	refused := s.await(t, "client refused")
	assert.Equal(t, "name_not_allowed", refused["reason"])
	assert.Equal(t, "CN=somebody", refused["subject"])
	assert.Contains(t, refused["peer"], "127.0.0.1:")
}

func TestServeTakesRenewedCertificatesOver(t *testing.T) {
	dir, _ := firstTry(t, "--host", "127.0.0.1")
	renewed, _ := firstTry(t, "--host", "127.0.0.1")
	s, address := secured(t, dir)
	require.NoError(t, refreshOver(t, address, asAutoscaler(t, dir)))
	for _, name := range []string{"ca.crt", "server.key", "server.crt"} {
		content, err := os.ReadFile(filepath.Join(renewed, name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	require.Eventually(t, func() bool {
		return refreshOver(t, address, asAutoscaler(t, renewed)) == nil
	}, waitLong, 10*waitStep)
	s.await(t, "TLS files taken over")
}

func TestASocketStaysPlaintext(t *testing.T) {
	dir, _ := firstTry(t, "--host", "127.0.0.1")
	s := start(t, nil, "--simulate", "--tls-cert", filepath.Join(dir, "server.crt"), "--tls-key", filepath.Join(dir, "server.key"),
		"--tls-client-ca", filepath.Join(dir, "ca.crt"))
	s.refresh(t)
}

func TestServeWithCertificatesOffLoopback(t *testing.T) {
	dir, _ := firstTry(t, "--host", "127.0.0.1")
	_, address := secured(t, dir, "--address", "0.0.0.0:0")
	_, port, err := net.SplitHostPort(address)
	require.NoError(t, err)
	require.NoError(t, refreshOver(t, net.JoinHostPort("127.0.0.1", port), asAutoscaler(t, dir)))
}

func TestDoorFlagsThatCannotBeMeant(t *testing.T) {
	dir, _ := firstTry(t, "--host", "127.0.0.1")
	cert, key, ca := filepath.Join(dir, "server.crt"), filepath.Join(dir, "server.key"), filepath.Join(dir, "ca.crt")
	for name, test := range map[string]struct {
		arguments []string
		says      string
	}{
		"a certificate alone":  {[]string{"--tls-cert", cert}, "belong together"},
		"no client authority":  {[]string{"--tls-cert", cert, "--tls-key", key}, "belong together"},
		"no key":               {[]string{"--tls-cert", cert, "--tls-client-ca", ca}, "belong together"},
		"names without TLS":    {[]string{"--allow-client", "x"}, "--allow-client needs --tls-cert"},
		"a bad pattern":        {[]string{"--tls-cert", cert, "--tls-key", key, "--tls-client-ca", ca, "--allow-client", "[x"}, "syntax error in pattern"},
		"another's key":        {[]string{"--tls-cert", cert, "--tls-key", filepath.Join(dir, "client.key"), "--tls-client-ca", ca}, "private key does not match"},
		"no time for an RPC":   {[]string{"--rpc-timeout", "0s"}, "--rpc-timeout is 0s"},
		"a collector of words": {[]string{"--otlp-endpoint", "collector:4317"}, "want http://host:port"},
	} {
		t.Run(name, func(t *testing.T) {
			var w world
			ctx, cancel := context.WithTimeout(t.Context(), waitLong)
			defer cancel()
			assert.Equal(t, 1, w.run(ctx, append([]string{"serve", "--simulate", "--address", "127.0.0.1:0", "--http-address", ""}, test.arguments...)...))
			require.NoError(t, ctx.Err(), "it did start")
			assert.Contains(t, w.stderr.String(), test.says)
		})
	}
}
