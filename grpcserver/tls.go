package grpcserver

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"google.golang.org/grpc/credentials"
	"k8s.io/utils/clock"
)

// TLSOptions say who the server is and whom it lets in. CertFile, KeyFile and Clock are
// required.
type TLSOptions struct {
	// CertFile holds the server's certificate, and those between it and its authority,
	// KeyFile its key. They are PEM and are read again when they change.
	CertFile, KeyFile string
	// ClientCAFile holds the authorities of the clients' certificates, as the others do.
	// Default: none, for ports whose clients have no certificate to show.
	ClientCAFile string
	// AllowClients are patterns (path.Match) of which one has to match a client
	// certificate's URI or DNS names or its common name. Default: every certificate of
	// the authorities is let in.
	AllowClients []string
	// Log is told of refused clients and changed files. Default: none.
	Log *slog.Logger
	// Registerer takes the metrics. Default: they are kept but shown nowhere.
	Registerer prometheus.Registerer
	// Clock says whether a certificate has expired.
	Clock clock.WithTicker
}

// TLS is the server's identity and its list of guests. Its files may be replaced
// while it serves: the next handshake uses the new ones, and while they cannot be
// used, the old ones stay. It is safe for concurrent use.
type TLS struct {
	options  TLSOptions
	allow    allowList
	refusals *refusals
	metrics  *tlsMetrics

	mu      sync.Mutex
	current *identity
	looked  time.Time  // when the files were last read
	broken  *[3][]byte // what could not be used, so that it is told of once
}

// OpenTLS reads the files; it fails if they cannot be used.
func OpenTLS(o TLSOptions) (*TLS, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	allow, err := newAllowList(o.AllowClients)
	if err != nil {
		return nil, err
	}
	t := &TLS{options: o, allow: allow, looked: o.Clock.Now()}
	if t.current, err = t.load(); err != nil {
		return nil, fmt.Errorf("open TLS: %w", err)
	}
	t.metrics = newTLSMetrics(o.Registerer)
	t.metrics.expiry.Set(float64(t.current.expires().Unix()))
	t.refusals = newRefusals(o.Log, o.Clock, t.metrics)
	return t, nil
}

// Credentials are how a port meets its clients, by TLS 1.3. With clientCertificate a
// client has to show a certificate of the authorities, and be on the list; this is
// settled before the server reads its first request. Without, anyone may call: that
// is for services whose client has no certificate to show. Where the options name no
// authorities, nobody has one that counts, and every handshake with clientCertificate
// is refused.
func (t *TLS) Credentials(clientCertificate bool) credentials.TransportCredentials {
	// One configuration per handshake: it holds the files as they are then.
	return doorman{
		TransportCredentials: credentials.NewTLS(&tls.Config{
			MinVersion: tls.VersionTLS13,
			NextProtos: []string{"h2"},
			GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
				current := t.lookAgain()
				if !clientCertificate {
					return current.serverOnly, nil
				}
				if current.mutual == nil {
					return nil, errNoAuthorities
				}
				return current.mutual, nil
			},
		}),
		refusals: t.refusals,
	}
}

var errNoAuthorities = errors.New("no authorities of clients are configured")

// doorman tells of handshakes that failed; gRPC itself would not.
type doorman struct {
	credentials.TransportCredentials
	refusals *refusals
}

// ServerHandshake implements credentials.TransportCredentials.
func (d doorman) ServerHandshake(raw net.Conn) (net.Conn, credentials.AuthInfo, error) {
	connection, who, err := d.TransportCredentials.ServerHandshake(raw)
	if err != nil {
		d.refusals.tell(raw.RemoteAddr(), err)
	}
	return connection, who, err
}

// Clone implements credentials.TransportCredentials.
func (d doorman) Clone() credentials.TransportCredentials {
	return doorman{d.TransportCredentials.Clone(), d.refusals}
}

// verify is asked after a client's certificate was found to be of an authority.
func (t *TLS) verify(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("no client certificate") // the handshake ends before; this is the second lock
	}
	if leaf := state.PeerCertificates[0]; !t.allow.admits(leaf) {
		return &notAllowedError{leaf}
	}
	return nil
}

// recheckInterval is how often Follow reads the files, so that a broken one is told
// of before its old one expires.
const recheckInterval = 10 * time.Second

// Follow reads the files from time to time until ctx ends, handshakes or not.
func (t *TLS) Follow(ctx context.Context) {
	ticker := t.options.Clock.NewTicker(recheckInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
			t.lookAgain()
		}
	}
}
