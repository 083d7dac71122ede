package service

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
)

// Network stands in for a cluster's DNS and its services' addresses, for programs that
// take a proxy from their environment: what they call by a service's name is joined to
// what the name stands for at that moment. They call it by its own name, so that TLS
// checks that.
type Network struct {
	// Proxy is its URL, for HTTPS_PROXY.
	Proxy string

	resolve  func(ctx context.Context, service string) (string, error)
	listener net.Listener
	ctx      context.Context
	stop     context.CancelFunc
	running  sync.WaitGroup
}

// StartNetwork starts a network. Resolve says which address a service, NAME:PORT, has.
func StartNetwork(resolve func(ctx context.Context, service string) (string, error)) (*Network, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start network: %w", err)
	}
	n := &Network{Proxy: "http://" + listener.Addr().String(), resolve: resolve, listener: listener}
	n.ctx, n.stop = context.WithCancel(context.Background())
	n.running.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			n.running.Go(func() { n.connect(client) })
		}
	})
	return n, nil
}

// Stop ends the network and every connection.
func (n *Network) Stop() error {
	n.stop()
	err := n.listener.Close()
	n.running.Wait()
	if err != nil {
		return fmt.Errorf("stop network: %w", err)
	}
	return nil
}

// connect reads the one request of a client, CONNECT, and does it.
func (n *Network) connect(client net.Conn) {
	defer hangUp(client)
	over := context.AfterFunc(n.ctx, func() { hangUp(client) })
	defer over()
	request, err := http.ReadRequest(bufio.NewReader(client))
	if err != nil {
		return
	}
	server, err := n.dial(request)
	if err != nil {
		fmt.Fprintf(client, "HTTP/1.1 502 Bad Gateway\r\nX-Reason: %v\r\n\r\n", err)
		return
	}
	defer hangUp(server)
	if _, err := fmt.Fprint(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err == nil {
		join(n.ctx, client, server)
	}
}

func (n *Network) dial(request *http.Request) (net.Conn, error) {
	if request.Method != http.MethodConnect {
		return nil, fmt.Errorf("%s is not CONNECT", request.Method)
	}
	address, err := n.resolve(n.ctx, request.Host)
	if err != nil {
		return nil, err
	}
	return net.DialTimeout("tcp", address, dialTime)
}
