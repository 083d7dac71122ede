package process

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// The ports handed out lie below the range the kernel takes the local ends of
// outgoing connections from (32768 and up on Linux): a port found free there
// stays free until its program listens on it.
const lowestPort, highestPort = 20000, 32000

var (
	handedOutMutex sync.Mutex
	handedOut      = map[int]bool{}
)

// FreePort returns a port of 127.0.0.1 that nobody listens on and that was not
// handed out before.
func FreePort() (int, error) {
	handedOutMutex.Lock()
	defer handedOutMutex.Unlock()
	for range 1000 {
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		if handedOut[port] {
			continue
		}
		listener, err := net.Listen("tcp", Loopback(port))
		if err != nil {
			continue
		}
		if err := listener.Close(); err != nil {
			return 0, fmt.Errorf("give back port %d: %w", port, err)
		}
		handedOut[port] = true
		return port, nil
	}
	return 0, fmt.Errorf("find a free port between %d and %d: none in 1000 attempts", lowestPort, highestPort)
}

// FreeAddress returns a free port as an address on 127.0.0.1.
func FreeAddress() (string, error) {
	port, err := FreePort()
	if err != nil {
		return "", err
	}
	return Loopback(port), nil
}

// Loopback is the address of a port on 127.0.0.1.
func Loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
