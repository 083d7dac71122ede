// Command emptyprovider is the least that an externalgrpc provider can be: it copies
// the answers of another provider once and gives them from memory, with no
// interceptor, no log and no state. A loop of cluster-autoscaler over it is the
// measure for a loop over a provider that works.
//
// It must not know what the answers mean.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
)

func main() {
	copyOf := flag.String("copy", "", "address of the provider to copy, in plaintext")
	address := flag.String("address", "", "where to serve: host:port or unix:///path")
	cert := flag.String("tls-cert", "", "serve by TLS with this certificate")
	key := flag.String("tls-key", "", "its key")
	clients := flag.String("tls-client-ca", "", "the authority of the clients")
	flag.Parse()
	if err := run(*copyOf, *address, *cert, *key, *clients); err != nil {
		fmt.Fprintln(os.Stderr, "emptyprovider:", err)
		os.Exit(1)
	}
}

func run(copyOf, address, cert, key, clients string) error {
	answers, err := copyFrom(copyOf)
	if err != nil {
		return fmt.Errorf("copy answers: %w", err)
	}
	var options []grpc.ServerOption
	if cert != "" {
		config, err := mutualTLS(cert, key, clients)
		if err != nil {
			return err
		}
		options = append(options, grpc.Creds(credentials.NewTLS(config)))
	}
	network, where := "tcp", address
	if path, ok := strings.CutPrefix(address, "unix://"); ok {
		network, where = "unix", path
	}
	listener, err := net.Listen(network, where)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	server := grpc.NewServer(options...)
	protos.RegisterCloudProviderServer(server, answers)
	return server.Serve(listener)
}

func copyFrom(address string) (*answers, error) {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	copied, err := copyAnswers(ctx, protos.NewCloudProviderClient(connection))
	return copied, errors.Join(err, connection.Close())
}

func mutualTLS(cert, key, clients string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("read certificate: %w", err)
	}
	authority, err := os.ReadFile(clients)
	if err != nil {
		return nil, fmt.Errorf("read authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("read authority: no certificate in %s", clients)
	}
	return &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientCAs: pool,
		ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13,
	}, nil
}
