package grpcserver

import (
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestListenOnTCP(t *testing.T) {
	for _, test := range []struct {
		address  string
		insecure bool
		refused  string // what the error tells; "": it listens
	}{
		{address: "127.0.0.1:0"},
		{address: "127.8.8.8:0"},
		{address: "localhost:0"},
		{address: "0.0.0.0:0", insecure: true},
		{address: ":0", insecure: true},
		{address: "127.0.0.1:0", insecure: true},
		{address: "0.0.0.0:0", refused: "--insecure"},
		{address: ":0", refused: "--insecure"},
		{address: "[::]:0", refused: "--insecure"},
		{address: "192.0.2.1:8086", refused: "--insecure"},
		{address: "127.0.0.1", refused: "want host:port or unix:///path"},
		{address: "", refused: "want host:port or unix:///path"},
		{address: "127.0.0.1:99999", refused: "99999"},
	} {
		t.Run(test.address, func(t *testing.T) {
			listener, err := Listen(test.address, test.insecure)
			if test.refused != "" {
				require.ErrorContains(t, err, test.refused)
				return
			}
			require.NoError(t, err)
			require.NoError(t, listener.Close())
		})
	}
}

func TestListenOnATakenPort(t *testing.T) {
	first, err := Listen("127.0.0.1:0", false)
	require.NoError(t, err)
	_, err = Listen(first.Addr().String(), false)
	require.ErrorIs(t, err, syscall.EADDRINUSE)
	require.NoError(t, first.Close())
}

// socket is a path short enough for a socket, which may have 107 bytes only.
func socket(t *testing.T) string {
	t.Helper()
	directory, err := os.MkdirTemp("", "bp")
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(directory)) })
	return filepath.Join(directory, "s")
}

func TestListenOnAUnixSocket(t *testing.T) {
	path := socket(t)
	listener, err := Listen("unix://"+path, false)
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	_, err = Listen("unix://"+path, false)
	require.ErrorContains(t, err, "another process serves this socket")
	_, err = os.Stat(path)
	require.NoError(t, err, "the served socket must stay")

	require.NoError(t, listener.Close())
	_, err = os.Stat(path)
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestListenReplacesAStaleSocket(t *testing.T) {
	path := socket(t)
	dead, err := net.Listen("unix", path)
	require.NoError(t, err)
	dead.(*net.UnixListener).SetUnlinkOnClose(false) // as after kill -9
	require.NoError(t, dead.Close())

	listener, err := Listen("unix://"+path, false)
	require.NoError(t, err)
	require.NoError(t, listener.Close())
}

func TestListenRemovesNothingButSockets(t *testing.T) {
	path := socket(t)
	require.NoError(t, os.WriteFile(path, []byte("precious"), 0o600))
	_, err := Listen("unix://"+path, false)
	require.ErrorContains(t, err, "not a socket")
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, "precious", string(content))
}

func TestListenWantsAnAbsolutePath(t *testing.T) {
	for _, address := range []string{"unix://relative", "unix://"} {
		_, err := Listen(address, false)
		require.ErrorContains(t, err, "unix:///absolute/path")
	}
	_, err := Listen("unix:///nowhere/at/all/s", false)
	require.ErrorIs(t, err, os.ErrNotExist)
}
