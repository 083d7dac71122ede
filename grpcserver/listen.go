package grpcserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const unixScheme = "unix://"

// socketMode lets only the owner connect: whoever reaches the server can scale node
// groups.
const socketMode = 0o600

// Listen listens on host:port or on unix:///path. Off loopback it refuses, because
// whoever reaches the server can scale node groups, unless open says that the caller
// means it: with TLS, or with --insecure. A socket that a dead server left behind is
// replaced; one that is served is an error.
func Listen(address string, open bool) (net.Listener, error) {
	if path, ok := strings.CutPrefix(address, unixScheme); ok {
		return listenUnix(path)
	}
	return listenTCP(address, open)
}

// IsSocket reports whether Listen would make a unix socket of the address. Its file's
// mode says who may connect, so that it needs no TLS.
func IsSocket(address string) bool { return strings.HasPrefix(address, unixScheme) }

func listenTCP(address string, open bool) (net.Listener, error) {
	if _, _, err := net.SplitHostPort(address); err != nil {
		return nil, fmt.Errorf("listen on %q: want host:port or unix:///path: %w", address, err)
	}
	// Resolved once, so that the address that is checked is the one that is used.
	resolved, err := net.ResolveTCPAddr("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", address, err)
	}
	if !resolved.IP.IsLoopback() && !open {
		return nil, fmt.Errorf("listen on %q: plaintext is refused off loopback, because whoever reaches the port could scale node groups: "+
			"give it certificates (--tls-cert, --tls-key, --tls-client-ca), use a loopback address such as 127.0.0.1:8086 or unix:///path, or say --insecure", address)
	}
	listener, err := net.ListenTCP("tcp", resolved)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", address, err)
	}
	return listener, nil
}

func listenUnix(path string) (net.Listener, error) {
	if !filepath.IsAbs(path) {
		return nil, fmt.Errorf("listen on %q: want unix:///absolute/path", unixScheme+path)
	}
	if err := removeStale(path); err != nil {
		return nil, fmt.Errorf("listen on %q: %w", unixScheme+path, err)
	}
	config := net.ListenConfig{Control: restrict}
	listener, err := config.Listen(context.Background(), "unix", path)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w", unixScheme+path, err)
	}
	// Where the kernel does not take the mode from the descriptor, this does it.
	if err := os.Chmod(path, socketMode); err != nil {
		return nil, errors.Join(fmt.Errorf("listen on %q: restrict the socket: %w", unixScheme+path, err), listener.Close())
	}
	return listener, nil
}

// restrict sets the mode before the socket gets its name, so that there is no moment
// in which others may connect.
func restrict(_, _ string, connection syscall.RawConn) error {
	var failed error
	if err := connection.Control(func(fd uintptr) { failed = syscall.Fchmod(int(fd), socketMode) }); err != nil {
		return err
	}
	return failed
}

// removeStale removes a socket that nobody serves. It touches nothing else: not a
// file that is no socket, not a socket that answers.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return errors.New("the path exists and is not a socket")
	}
	connection, err := net.Dial("unix", path)
	if err == nil {
		return errors.Join(errors.New("another process serves this socket"), connection.Close())
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("find out whether the socket is served: %w", err)
	}
	return os.Remove(path)
}
