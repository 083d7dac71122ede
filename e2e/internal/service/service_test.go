package service_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
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
