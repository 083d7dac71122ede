package main

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/spf13/pflag"
	"google.golang.org/grpc/credentials"

	"github.com/buildpool/buildpool/grpcserver"
)

// expanderFlags say where the expander is served.
type expanderFlags struct {
	address   string
	cert, key string
}

func (f *expanderFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.address, "expander-address", "", "where to serve the gRPC expander (cluster-autoscaler --expander=grpc), such as 127.0.0.1:8087; default: nowhere")
	flags.StringVar(&f.cert, "expander-tls-cert", "", "the expander's certificate (PEM), for which cluster-autoscaler needs --grpc-expander-cert; read again when it changes; default: that of --tls-cert")
	flags.StringVar(&f.key, "expander-tls-key", "", "the key of --expander-tls-cert (PEM)")
}

// check finds what the flags cannot mean together.
func (f *expanderFlags) check() error {
	var wrong []error
	if (f.cert == "") != (f.key == "") {
		wrong = append(wrong, errors.New("--expander-tls-cert and --expander-tls-key belong together: give both or none"))
	}
	if f.address == "" && f.cert != "" {
		wrong = append(wrong, errors.New("--expander-tls-cert needs --expander-address"))
	}
	return errors.Join(wrong...)
}

// expanderPort is the expander's server, if there is one.
type expanderPort struct {
	tls      *grpcserver.TLS // nil: it has no certificate of its own
	server   *grpcserver.Server
	listener net.Listener
}

// openExpander opens the port beside the provider's.
func (s *serving) openExpander() (err error) {
	f := s.flags.expander
	if f.address == "" {
		return nil
	}
	meet, err := s.meetExpander()
	if err != nil {
		return err
	}
	if meet == nil {
		s.log.Warn("the expander is served in plaintext, but cluster-autoscaler asks by TLS only",
			"address", f.address)
	}
	s.expander.server = s.grpc.Expander(meet, s.provider)
	s.expander.listener, err = grpcserver.Listen(f.address, meet != nil || s.flags.insecure)
	return err
}

// meetExpander is how cluster-autoscaler is met: it shows no certificate, so that
// none can be asked for. nil is plaintext.
func (s *serving) meetExpander() (credentials.TransportCredentials, error) {
	f := s.flags.expander
	if f.cert == "" {
		return s.meet(f.address, false), nil
	}
	var err error
	s.expander.tls, err = grpcserver.OpenTLS(s.tlsOptions("expander", grpcserver.TLSOptions{CertFile: f.cert, KeyFile: f.key}))
	if err != nil {
		return nil, fmt.Errorf("certificate of the expander's port: %w", err)
	}
	return s.expander.tls.Credentials(false), nil
}

// serve answers until stop.
func (p expanderPort) serve() error {
	if p.server == nil {
		return nil
	}
	return p.server.Serve(p.listener)
}

func (p expanderPort) setServing(ready bool) {
	if p.server != nil {
		p.server.SetServing(ready)
	}
}

func (p expanderPort) stop(ctx context.Context) error {
	if p.server == nil {
		return nil
	}
	return p.server.Stop(ctx)
}

// close releases what was opened, whether it has been served or not.
func (p expanderPort) close() error {
	err := p.stop(context.Background()) // ends at once: nothing is under way any more
	if p.listener == nil {
		return err
	}
	return errors.Join(err, ignoreClosed(p.listener.Close()))
}

// setServing says on both ports whether the server is ready.
func (s *serving) setServing(ready bool) {
	s.grpc.SetServing(ready)
	s.expander.setServing(ready)
}
