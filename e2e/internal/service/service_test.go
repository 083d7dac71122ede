package service_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/e2e/internal/service"
)

// greeter says its name to whoever connects and repeats what it hears.
func greeter(t *testing.T, name string, ready *atomic.Bool) service.Endpoint {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer connection.Close()
				fmt.Fprintln(connection, name)
				for lines := bufio.NewScanner(connection); lines.Scan(); {
					fmt.Fprintln(connection, name, lines.Text())
				}
			}()
		}
	}()
	return service.Endpoint{Address: listener.Addr().String(), Ready: func(context.Context) error {
		if !ready.Load() {
			return errors.New("not ready")
		}
		return nil
	}}
}

func TestConnectionsGoToTheReadyOneAndStay(t *testing.T) {
	var first, second atomic.Bool
	s, err := service.Start(greeter(t, "first", &first), greeter(t, "second", &second))
	require.NoError(t, err)
	connect := func() (*bufio.Reader, net.Conn) {
		connection, err := net.Dial("tcp", s.Address)
		require.NoError(t, err)
		return bufio.NewReader(connection), connection
	}
	said := func(r *bufio.Reader) string { line, _ := r.ReadString('\n'); return line }

	reader, _ := connect()
	assert.Empty(t, said(reader), "nobody is ready")
	second.Store(true)
	old, connection := connect()
	assert.Equal(t, "second\n", said(old))
	first.Store(true)
	second.Store(false)
	reader, _ = connect()
	assert.Equal(t, "first\n", said(reader))
	fmt.Fprintln(connection, "still there?")
	assert.Equal(t, "second still there?\n", said(old))
	require.NoError(t, s.Stop())
	assert.Empty(t, said(old), "the service is gone")
}

// TestNamesAreResolvedAtEachConnection: what is called by a service's name is joined to
// what the name stands for then, and nothing to a name that stands for nothing.
func TestNamesAreResolvedAtEachConnection(t *testing.T) {
	ready := atomic.Bool{}
	ready.Store(true)
	at := map[string]string{"first.svc:80": greeter(t, "first", &ready).Address, "second.svc:80": greeter(t, "second", &ready).Address}
	n, err := service.StartNetwork(func(_ context.Context, name string) (string, error) {
		if address := at[name]; address != "" {
			return address, nil
		}
		return "", errors.New("there is none")
	})
	require.NoError(t, err)
	call := func(name string) string {
		connection, err := net.Dial("tcp", strings.TrimPrefix(n.Proxy, "http://"))
		require.NoError(t, err)
		defer connection.Close()
		fmt.Fprintf(connection, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", name, name)
		reader := bufio.NewReader(connection)
		response, err := http.ReadResponse(reader, nil)
		require.NoError(t, err)
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return response.Status + ": " + response.Header.Get("X-Reason")
		}
		line, err := reader.ReadString('\n')
		require.NoError(t, err)
		return line
	}
	assert.Equal(t, "first\n", call("first.svc:80"))
	assert.Equal(t, "second\n", call("second.svc:80"))
	assert.Equal(t, "502 Bad Gateway: there is none", call("third.svc:80"))
	require.NoError(t, n.Stop())
}
