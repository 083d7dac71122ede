package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// certsFlags are the flags of certs.
type certsFlags struct {
	dir      string
	hosts    []string
	client   string
	port     uint16
	validity time.Duration
}

func newCertsCommand(env environment) *cobra.Command {
	var f certsFlags
	command := &cobra.Command{
		Use:   "certs --dir DIR --host NAME",
		Short: "Make certificates for a first try of TLS between cluster-autoscaler and serve",
		Long: `Certs makes an authority, a certificate for the server and one for the autoscaler
in a directory, and prints the autoscaler's cloud-config and serve's flags for them.
It writes ca.crt, ca.key, server.crt, server.key, client.crt and client.key, and
replaces none of them.

The autoscaler finds the server by the first --host, so that has to be the name or
IP address by which it calls it.

This is for a first try: nobody renews these certificates. In production let
cert-manager make them, see docs/door.md; serve uses renewed ones without a restart.`,
		Example: `  buildpool certs --dir certs --host buildpool.kube-system.svc --host 127.0.0.1`,
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return makeCerts(env, f) },
	}
	flags := command.Flags()
	flags.StringVar(&f.dir, "dir", "", "where to write the files; made if it is missing (required)")
	flags.StringArrayVar(&f.hosts, "host", nil, "DNS name or IP address of the server; may be repeated (required)")
	flags.StringVar(&f.client, "client", "cluster-autoscaler", "the client's name, for --allow-client")
	flags.Uint16Var(&f.port, "port", 8086, "the server's port, for the cloud-config")
	flags.DurationVar(&f.validity, "validity", 90*24*time.Hour, "how long the certificates are good")
	return command
}

func (f certsFlags) check() error {
	var wrong []error
	if f.dir == "" {
		wrong = append(wrong, errors.New("--dir DIR is required"))
	}
	if len(f.hosts) == 0 {
		wrong = append(wrong, errors.New("--host NAME is required: the name or IP address by which cluster-autoscaler calls the server"))
	}
	for _, host := range f.hosts {
		if host == "" || strings.ContainsAny(host, ":/ \t*") && net.ParseIP(host) == nil {
			wrong = append(wrong, fmt.Errorf("--host %q: want a DNS name or an IP address, without port or scheme", host))
		}
	}
	if f.client == "" {
		wrong = append(wrong, errors.New("--client is empty: the client needs a name"))
	}
	if f.validity < time.Minute {
		wrong = append(wrong, fmt.Errorf("--validity is %v, but must be a minute at least", f.validity))
	}
	return errors.Join(wrong...)
}

func makeCerts(env environment, f certsFlags) error {
	if err := f.check(); err != nil {
		return err
	}
	dir, err := filepath.Abs(f.dir) // so that what is printed works from anywhere
	if err != nil {
		return fmt.Errorf("make certificates: %w", err)
	}
	files, err := issueAll(f.hosts, f.client, env.clock.Now(), f.validity)
	if err != nil {
		return fmt.Errorf("make certificates: %w", err)
	}
	if err := writeNew(dir, files); err != nil {
		return fmt.Errorf("make certificates: %w", err)
	}
	return printHowToUse(env.stdout, dir, f, env.clock.Now().Add(f.validity))
}

func printHowToUse(to io.Writer, dir string, f certsFlags, expiry time.Time) error {
	at := func(name string) string { return filepath.Join(dir, name) }
	_, err := fmt.Fprintf(to, `# Certificates until %s, in %s
# (ca.key signs more of them: it belongs neither to the server nor to the client).

# cluster-autoscaler --cloud-provider=externalgrpc --cloud-config=<a file of these lines>:
address: %q
key: %q
cert: %q
cacert: %q
grpc_timeout: "30s"

# buildpool serve, beside its other flags:
#   --address %s \
#   --tls-cert %s \
#   --tls-key %s \
#   --tls-client-ca %s \
#   --allow-client %s

# For the gRPC expander, which asks for no client certificate, the autoscaler takes
#   --grpc-expander-cert=%s
`,
		expiry.UTC().Format(time.RFC3339), dir,
		net.JoinHostPort(f.hosts[0], fmt.Sprint(f.port)), at(clientKeyFile), at(clientCertFile), at(caCertFile),
		net.JoinHostPort("0.0.0.0", fmt.Sprint(f.port)), at(serverCertFile), at(serverKeyFile), at(caCertFile), f.client,
		at(caCertFile))
	if err != nil {
		return fmt.Errorf("print how to use the certificates: %w", err)
	}
	return nil
}
