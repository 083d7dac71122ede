// Package service stands in for a Kubernetes Service: an address whose connections go
// to a program that is ready, and to none if none is.
//
// It must not know what is spoken over the connections.
package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Endpoint is one program behind the service.
type Endpoint struct {
	Address string
	// Ready says why it is not ready.
	Ready func(context.Context) error
}

// Service is a running service. A connection stays with the endpoint it was given
// until one side ends it, as with a real one.
type Service struct {
	// Address is where it takes connections.
	Address string

	endpoints []Endpoint
	listener  net.Listener
	ctx       context.Context
	stop      context.CancelFunc
	running   sync.WaitGroup
}

// Start starts a service of these endpoints on a free port of 127.0.0.1.
func Start(endpoints ...Endpoint) (*Service, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("start service: %w", err)
	}
	s := &Service{Address: listener.Addr().String(), endpoints: endpoints, listener: listener}
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.running.Go(s.accept)
	return s, nil
}

// Stop ends the service and every connection.
func (s *Service) Stop() error {
	s.stop()
	err := s.listener.Close()
	s.running.Wait()
	if err != nil {
		return fmt.Errorf("stop service: %w", err)
	}
	return nil
}

func (s *Service) accept() {
	for {
		client, err := s.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			s.running.Go(func() { s.forward(client) })
		}
	}
}

// dialTime bounds how long an endpoint may take to accept.
const dialTime = 2 * time.Second

// forward joins a client and an endpoint until either is done. A client that comes
// while nobody is ready is sent away.
func (s *Service) forward(client net.Conn) {
	defer hangUp(client)
	ready, ok := s.ready()
	if !ok {
		return
	}
	server, err := net.DialTimeout("tcp", ready.Address, dialTime)
	if err != nil {
		return
	}
	defer hangUp(server)
	join(s.ctx, client, server)
}

// join passes on what each side says until one is done or the context is over.
func join(ctx context.Context, client, server net.Conn) {
	over := context.AfterFunc(ctx, func() { hangUp(client, server) })
	defer over()
	done := make(chan struct{}, 2)
	for _, pair := range [][2]net.Conn{{server, client}, {client, server}} {
		go func() {
			// Whichever side ends, the other learns it by the connection's end.
			_, _ = io.Copy(pair[0], pair[1])
			done <- struct{}{}
		}()
	}
	<-done
	hangUp(client, server)
	<-done
}

// hangUp ends connections. That one has ended already is no news.
func hangUp(connections ...net.Conn) {
	for _, c := range connections {
		_ = c.Close()
	}
}

func (s *Service) ready() (Endpoint, bool) {
	for _, e := range s.endpoints {
		if e.Ready(s.ctx) == nil {
			return e, true
		}
	}
	return Endpoint{}, false
}
