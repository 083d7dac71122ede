package grpcserver

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	testingclock "k8s.io/utils/clock/testing"

	"github.com/buildpool/buildpool/cloudprovider"
)

// authority issues certificates for a test.
type authority struct {
	pair tls.Certificate
	next int64
}

func newAuthority(t testing.TB, name string) *authority {
	t.Helper()
	a := &authority{}
	a.pair = a.issue(t, func(c *x509.Certificate) {
		c.Subject.CommonName = name
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign
		c.ExtKeyUsage = nil
	})
	return a
}

// issue makes a client certificate that is good for an hour from epoch on, unless
// change says otherwise.
func (a *authority) issue(t testing.TB, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	a.next++
	template := &x509.Certificate{
		SerialNumber: big.NewInt(a.next),
		Subject:      pkix.Name{CommonName: "cluster-autoscaler"},
		NotBefore:    epoch, NotAfter: epoch.Add(time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if change != nil {
		change(template)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	parent, signer := template, any(key)
	if a.pair.Leaf != nil {
		parent, signer = a.pair.Leaf, a.pair.PrivateKey
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// server makes a certificate for 127.0.0.1.
func (a *authority) server(t testing.TB) tls.Certificate {
	t.Helper()
	return a.issue(t, func(c *x509.Certificate) {
		c.Subject.CommonName = "buildpool"
		c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	})
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.pair.Leaf)
	return pool
}

func certPEM(pair tls.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})
}

func keyPEM(t *testing.T, pair tls.Certificate) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// door is a server behind TLS on loopback, with the files of its certificates.
type door struct {
	address  string
	tls      *TLS
	server   *Server
	provider *account
	ca       *authority
	dir      string
	clock    *testingclock.FakeClock
	metrics  *prometheus.Registry
	log      *logBuffer
}

// openDoor serves behind TLS until the test ends.
func openDoor(t *testing.T, limits Limits, allow ...string) *door {
	t.Helper()
	d := &door{
		provider: &account{groups: []cloudprovider.NodeGroup{{ID: "spot"}}},
		ca:       newAuthority(t, "authority"), dir: t.TempDir(), clock: testingclock.NewFakeClock(epoch.Add(time.Minute)),
		metrics: prometheus.NewRegistry(), log: &logBuffer{},
	}
	d.renew(t, d.ca.server(t))
	d.write(t, "ca.crt", certPEM(d.ca.pair))
	log := slog.New(slog.NewTextHandler(d.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	d.tls, err = OpenTLS(d.options(log, d.metrics, allow...))
	require.NoError(t, err)
	d.server = New(Options{
		Provider: d.provider, Log: log, Registerer: d.metrics, Clock: d.clock, Limits: limits,
		Credentials: d.tls.Credentials(true),
	})
	d.address = serveOnLoopback(t, d.server)
	return d
}

func (d *door) options(log *slog.Logger, registerer prometheus.Registerer, allow ...string) TLSOptions {
	return TLSOptions{
		CertFile: filepath.Join(d.dir, "tls.crt"), KeyFile: filepath.Join(d.dir, "tls.key"), ClientCAFile: filepath.Join(d.dir, "ca.crt"),
		AllowClients: allow, Log: log, Registerer: registerer, Clock: d.clock,
	}
}

func (d *door) write(t *testing.T, name string, content []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(d.dir, name), content, 0o600))
}

func (d *door) renew(t *testing.T, pair tls.Certificate) {
	t.Helper()
	d.write(t, "tls.crt", certPEM(pair))
	d.write(t, "tls.key", keyPEM(t, pair))
}

// serveOnLoopback serves until the test ends and returns the address.
func serveOnLoopback(t *testing.T, server *Server) string {
	t.Helper()
	listener, err := Listen("127.0.0.1:0", false)
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = server.Stop(ended)
		assert.NoError(t, <-served)
	})
	return listener.Addr().String()
}

// trusting is how a client meets the door: it trusts its authority and shows the
// certificate, wanted or not.
func (d *door) trusting(certificates ...tls.Certificate) *tls.Config {
	as := &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: d.ca.pool(), Time: d.clock.Now}
	if len(certificates) > 0 {
		as.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificates[0], nil }
	}
	return as
}

// call makes a connection of its own and one RPC.
func (d *door) call(t *testing.T, as *tls.Config) error {
	t.Helper()
	return callOnce(t, d.address, credentials.NewTLS(as))
}

func callOnce(t *testing.T, address string, as credentials.TransportCredentials) error {
	t.Helper()
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(as))
	require.NoError(t, err)
	defer func() { assert.NoError(t, connection.Close()) }()
	ctx, cancel := context.WithTimeout(t.Context(), waitLong)
	defer cancel()
	_, err = protos.NewCloudProviderClient(connection).NodeGroups(ctx, &protos.NodeGroupsRequest{})
	require.NoError(t, ctx.Err(), "neither let in nor refused")
	return err
}

func spiffe(t *testing.T, id string) *url.URL {
	t.Helper()
	uri, err := url.Parse(id)
	require.NoError(t, err)
	return uri
}
