package grpcserver

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"sync/atomic"

	"google.golang.org/grpc/credentials"
)

// ServerCredentials are how a port meets clients that show no certificate, by TLS 1.3
// with a certificate of its own: for an expander beside a provider that needs none.
// The files are read at every handshake, of which CA makes one per connection, so
// that a renewed certificate is used; while they cannot be used, the last good ones
// are. It fails if they cannot be used now.
func ServerCredentials(certFile, keyFile string, log *slog.Logger) (credentials.TransportCredentials, error) {
	first, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("read the certificate of the expander's port: %w", err)
	}
	var last atomic.Pointer[tls.Certificate]
	last.Store(&first)
	return credentials.NewTLS(&tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{"h2"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			now, err := tls.LoadX509KeyPair(certFile, keyFile)
			if err != nil {
				log.Warn("certificate of the expander's port cannot be read, the last good one is used", "error", err)
				return last.Load(), nil
			}
			last.Store(&now)
			return &now, nil
		},
	}), nil
}
