package main

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"
	"google.golang.org/grpc/credentials"

	"github.com/buildpool/buildpool/grpcserver"
)

// doorFlags say who may come in, and how much of the server one client may use.
type doorFlags struct {
	cert, key, clientCA string
	allowClients        []string
	reflection          bool
	rpcTimeout          time.Duration
}

func (f *doorFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.cert, "tls-cert", "", "serve gRPC over TLS 1.3 with this certificate (PEM); read again when it changes")
	flags.StringVar(&f.key, "tls-key", "", "the certificate's key (PEM)")
	flags.StringVar(&f.clientCA, "tls-client-ca", "", "let in clients with a certificate of these authorities (PEM), and nobody else")
	flags.StringArrayVar(&f.allowClients, "allow-client", nil,
		"of these clients, let in only those with a URI or DNS name or common name that matches, such as spiffe://cluster.local/ns/*/sa/cluster-autoscaler; "+
			"may be repeated; default: all")
	flags.BoolVar(&f.reflection, "grpc-reflection", false, "let whoever may call list the services and messages, as grpcurl does")
	flags.DurationVar(&f.rpcTimeout, "rpc-timeout", time.Minute, "end an RPC after this time, even if its client would wait longer")
}

func (f *doorFlags) tls() bool { return f.cert != "" }

// check finds what the flags cannot mean together.
func (f *doorFlags) check() error {
	var wrong []error
	given := 0
	for _, file := range []string{f.cert, f.key, f.clientCA} {
		if file != "" {
			given++
		}
	}
	if given != 0 && given != 3 {
		wrong = append(wrong, errors.New("--tls-cert, --tls-key and --tls-client-ca belong together: give all three, or none for plaintext on loopback"))
	}
	if given == 0 && len(f.allowClients) > 0 {
		wrong = append(wrong, errors.New("--allow-client needs --tls-cert, --tls-key and --tls-client-ca: without certificates nobody has a name"))
	}
	if f.rpcTimeout <= 0 {
		wrong = append(wrong, fmt.Errorf("--rpc-timeout is %v, but must be positive", f.rpcTimeout))
	}
	return errors.Join(wrong...)
}

func (s *serving) openTLS() (err error) {
	f := s.flags.door
	if !f.tls() {
		return nil
	}
	s.tls, err = grpcserver.OpenTLS(s.tlsOptions("provider", grpcserver.TLSOptions{
		CertFile: f.cert, KeyFile: f.key, ClientCAFile: f.clientCA, AllowClients: f.allowClients,
	}))
	return err
}

// tlsOptions completes the options of a certificate, which log and metrics know by the
// name of the port it was given for.
func (s *serving) tlsOptions(certificate string, o grpcserver.TLSOptions) grpcserver.TLSOptions {
	o.Log = s.log.With("certificate", certificate)
	o.Registerer = prometheus.WrapRegistererWith(prometheus.Labels{"certificate": certificate}, s.metrics)
	o.Clock = s.env.clock
	return o
}

// meet is how the port of an address meets its clients: by TLS where there are
// certificates, on loopback, too; nil is plaintext. A socket's file mode says who may
// use it, so it needs none.
func (s *serving) meet(address string, clientCertificate bool) credentials.TransportCredentials {
	if s.tls == nil || grpcserver.IsSocket(address) {
		return nil
	}
	return s.tls.Credentials(clientCertificate)
}

// listen opens a port for gRPC; off loopback only with TLS, or if that is meant.
func (s *serving) listen(address string) (net.Listener, error) {
	return grpcserver.Listen(address, s.tls != nil || s.flags.insecure)
}
