package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/buildpool/buildpool/e2e/internal/autoscaler"
	"github.com/buildpool/buildpool/e2e/internal/certificates"
	"github.com/buildpool/buildpool/e2e/internal/metrics"
)

// allowed is the one client of the door tests: the name that `buildpool certs` gives.
const allowed = "cluster-autoscaler"

// TestDoor: the real CA gets in by mTLS with the right certificate, and nobody reaches
// a handler without: no TLS, no certificate, one of another authority, one that has
// expired, one of the right authority whose name is not on the list.
func TestDoor(t *testing.T) {
	s, files := newDoorScenario(t)
	authority, err := certificates.ReadAuthority(files)
	require.NoError(t, err)
	stranger, err := certificates.NewAuthority("stranger")
	require.NoError(t, err)
	namesake, err := certificates.NewAuthority(authority.Name())
	require.NoError(t, err)
	now := time.Now()
	in := func(name string) certificates.Pair {
		return certificates.Pair{Cert: filepath.Join(s.dir, name+".crt"), Key: filepath.Join(s.dir, name+".key")}
	}
	foreign, forged, expired, unknown := in("foreign"), in("forged"), in("expired"), in("unknown")
	require.NoError(t, stranger.Client(foreign, allowed, now.Add(-time.Hour), now.Add(time.Hour)))
	require.NoError(t, namesake.Client(forged, allowed, now.Add(-time.Hour), now.Add(time.Hour)))
	require.NoError(t, authority.Client(expired, allowed, now.Add(-2*time.Hour), now.Add(-time.Minute)))
	require.NoError(t, authority.Client(unknown, "build-agent", now.Add(-time.Hour), now.Add(time.Hour)))

	s.create(buildPod("build", normal, normal.whole))
	for _, c := range []struct {
		name, reason string
		tls          *autoscaler.TLS
	}{
		{"plaintext", "not_tls", nil},
		// CA keeps a certificate to itself that no authority of ours could have signed.
		{"another authority", "no_certificate", clientTLS(files, foreign)},
		{"another authority of the same name", "unknown_authority", clientTLS(files, forged)},
		{"expired", "expired", clientTLS(files, expired)},
		{"name not allowed", "name_not_allowed", clientTLS(files, unknown)},
	} {
		t.Log(c.name)
		before := s.refused(c.reason)
		s.startAutoscalerAs(autoscaler.Settings{TLS: c.tls, Dir: s.subdirectory(c.reason)})
		s.expectRefused(c.reason, before)
		s.eventually(20*time.Second, "CA to notice", func(context.Context) error {
			return atLeastOne(s.autoscaler.LogLines(regexp.MustCompile(`Failed to refresh cloud provider config: .*rpc error`)))
		})
		s.expectNoHandlerCall()
	}
	// CA itself cannot speak TLS without a certificate of its own.
	t.Log("no certificate")
	before := s.refused("no_certificate")
	s.callWithout(files.Authority)
	s.expectRefused("no_certificate", before)
	s.expectNoHandlerCall()

	s.startAutoscalerAs(autoscaler.Settings{TLS: clientTLS(files, files.Client), Dir: s.subdirectory("right")})
	s.runningOn(60*time.Second, "build")
	s.expectNoTrouble()
	calls, err := s.provider.LogLines(regexp.MustCompile(`msg=rpc .*client=` + allowed))
	require.NoError(t, err)
	assert.NotEmpty(t, calls, "the access log names the client")
}

// TestDoorRenewal: a server certificate that was renewed on disk is in use from the
// next connection on, and the provider is not restarted for it. The old one has
// expired by then, so nobody could get in otherwise.
func TestDoorRenewal(t *testing.T) {
	s := newBareScenario(t)
	files := s.firstTryCertificates()
	authority, err := certificates.ReadAuthority(files)
	require.NoError(t, err)
	now := time.Now()
	expiry := now.Add(20 * time.Second).Truncate(time.Second)
	require.NoError(t, authority.Server(files.Server, now.Add(-time.Hour), expiry))
	s.startBehindDoor(files)
	s.startAutoscalerAs(autoscaler.Settings{TLS: clientTLS(files, files.Client)})
	s.create(buildPod("before", normal, normal.whole))
	s.runningOn(60*time.Second, "before")
	s.expectNoTrouble()

	s.eventually(30*time.Second, "the server's certificate to expire", func(context.Context) error {
		var invalid x509.CertificateInvalidError
		_, err := s.handshake(files)
		if errors.As(err, &invalid) && invalid.Reason == x509.Expired {
			return nil
		}
		return fmt.Errorf("not expired: %w", err)
	})
	answered, err := s.provider.Answered(s.ctx, "Refresh")
	require.NoError(t, err)
	s.eventually(20*time.Second, "CA to go on over the connection that it has", func(ctx context.Context) error {
		now, err := s.provider.Answered(ctx, "Refresh")
		if err == nil && now <= answered {
			err = errors.New("it does not ask")
		}
		return err
	})
	require.NoError(t, authority.Server(files.Server, now.Add(-time.Hour), now.Add(time.Hour)))
	s.eventually(20*time.Second, "the renewed certificate", func(context.Context) error {
		shown, err := s.handshake(files)
		if err == nil && !shown.NotAfter.After(expiry) {
			err = fmt.Errorf("a certificate until %s", shown.NotAfter)
		}
		return err
	})

	s.startAutoscalerAs(autoscaler.Settings{TLS: clientTLS(files, files.Client), Dir: s.subdirectory("after")})
	s.create(buildPod("after", normal, normal.whole))
	s.runningOn(60*time.Second, "after")
	s.expectNoTrouble()
	assert.True(t, s.provider.Running())
	reloads, err := s.provider.Sum(s.ctx, "buildpool_tls_reloads_total", metrics.Labels{"result": "success"})
	require.NoError(t, err)
	assert.Positive(t, reloads)
}

// newDoorScenario has a provider that lets in one client by mTLS.
func newDoorScenario(t *testing.T) (*scenario, certificates.Files) {
	t.Helper()
	s := newBareScenario(t)
	files := s.firstTryCertificates()
	s.startBehindDoor(files)
	return s, files
}

func (s *scenario) startBehindDoor(files certificates.Files) {
	s.t.Helper()
	w := newWorld()
	w.Serve = serverTLS(files)
	s.startSimulator(w)
	s.startProvider(w)
}

// serverTLS are the flags of buildpool serve.
func serverTLS(files certificates.Files) []string {
	return []string{
		"--tls-cert", files.Server.Cert, "--tls-key", files.Server.Key,
		"--tls-client-ca", files.Authority, "--allow-client", allowed,
	}
}

func clientTLS(files certificates.Files, client certificates.Pair) *autoscaler.TLS {
	return &autoscaler.TLS{Cert: client.Cert, Key: client.Key, Authority: files.Authority}
}

// refused is how many clients the provider has refused for the reason.
func (s *scenario) refused(reason string) float64 {
	s.t.Helper()
	refused, err := s.provider.Sum(s.ctx, "buildpool_tls_refused_total", metrics.Labels{"reason": reason})
	require.NoError(s.t, err)
	return refused
}

// expectRefused waits until the provider has refused one more client for the reason.
func (s *scenario) expectRefused(reason string, before float64) {
	s.t.Helper()
	s.eventually(20*time.Second, "a client to be refused: "+reason, func(context.Context) error {
		if s.refused(reason) == before {
			return errors.New("nobody was")
		}
		return nil
	})
}

// expectNoHandlerCall checks that no RPC has come to be answered, well or badly.
func (s *scenario) expectNoHandlerCall() {
	s.t.Helper()
	answered, err := s.provider.Sum(s.ctx, "buildpool_grpc_requests_total", nil)
	require.NoError(s.t, err)
	assert.Zero(s.t, answered)
	calls, err := s.provider.LogLines(regexp.MustCompile(`msg=rpc `))
	require.NoError(s.t, err)
	assert.Empty(s.t, calls)
	writes, err := s.simulator.Writes(s.ctx)
	require.NoError(s.t, err)
	assert.Empty(s.t, writes)
}

// callWithout makes a call by TLS with no certificate.
func (s *scenario) callWithout(authorityFile string) {
	s.t.Helper()
	trusted, err := credentials.NewClientTLSFromFile(authorityFile, "")
	require.NoError(s.t, err)
	connection, err := grpc.NewClient(s.provider.Address, grpc.WithTransportCredentials(trusted))
	require.NoError(s.t, err)
	defer func() { assert.NoError(s.t, connection.Close()) }()
	ctx, cancel := context.WithTimeout(s.ctx, 10*time.Second)
	defer cancel()
	_, err = protos.NewCloudProviderClient(connection).Refresh(ctx, &protos.RefreshRequest{})
	// With TLS 1.3 a client may have written before it hears that it was refused, so the
	// text is that of a broken pipe now and then.
	require.Equal(s.t, codes.Unavailable, status.Code(err), "%v", err)
}

// handshake connects as CA would and returns the certificate the provider shows.
func (s *scenario) handshake(files certificates.Files) (*x509.Certificate, error) {
	s.t.Helper()
	authority, err := os.ReadFile(files.Authority)
	require.NoError(s.t, err)
	trusted := x509.NewCertPool()
	require.True(s.t, trusted.AppendCertsFromPEM(authority))
	client, err := tls.LoadX509KeyPair(files.Client.Cert, files.Client.Key)
	require.NoError(s.t, err)
	connection, err := tls.Dial("tcp", s.provider.Address, &tls.Config{
		RootCAs: trusted, Certificates: []tls.Certificate{client}, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS13,
	})
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	return connection.ConnectionState().PeerCertificates[0], nil
}
