package grpcserver

import (
	"crypto/tls"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	"k8s.io/utils/clock"
)

// How many connections of each kind knock at once. Each takes two descriptors, as
// both ends are in this process.
const (
	idlePlain   = 1500 // connected, and silent
	halfOpenTLS = 500  // half a ClientHello
	noisy       = 500  // random bytes
	idleSecured = 500  // mTLS and HTTP/2 settled, then silent
)

// http2Preface is what a client says first: the magic words and empty settings.
const http2Preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + "\x00\x00\x00\x04\x00\x00\x00\x00\x00"

// knock opens n connections and has each of them do the same, a few at a time.
func knock(t *testing.T, n int, open func(i int) (net.Conn, error)) {
	t.Helper()
	connections := make([]net.Conn, n)
	t.Cleanup(func() {
		for _, c := range connections {
			if c != nil {
				_ = c.Close()
			}
		}
	})
	var all errgroup.Group
	all.SetLimit(32)
	for i := range n {
		all.Go(func() (err error) {
			connections[i], err = open(i)
			return err
		})
	}
	require.NoError(t, all.Wait())
}

func TestTheDoorStaysOpenInACrowd(t *testing.T) {
	var limit syscall.Rlimit
	require.NoError(t, syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit))
	crowd := idlePlain + halfOpenTLS + noisy + idleSecured
	require.Greater(t, limit.Cur, uint64(2*crowd+500), "too few file descriptors for the test: ulimit -n")

	d := openDoor(t, Limits{Handshake: time.Minute}) // so that the crowd stays as long as the test
	right := d.trusting(d.ca.issue(t, nil))
	connection, err := grpc.NewClient(d.address, grpc.WithTransportCredentials(credentials.NewTLS(right)))
	require.NoError(t, err)
	defer func() { assert.NoError(t, connection.Close()) }()
	client := protos.NewCloudProviderClient(connection)
	ask := func() error {
		_, err := client.NodeGroups(t.Context(), &protos.NodeGroupsRequest{})
		return err
	}
	require.NoError(t, ask())

	dial := func() (net.Conn, error) { return net.Dial("tcp", d.address) }
	saying := func(words func(i int) []byte) func(int) (net.Conn, error) {
		return func(i int) (net.Conn, error) {
			c, err := dial()
			if err == nil {
				_, err = c.Write(words(i))
			}
			return c, err
		}
	}
	knock(t, idlePlain, func(int) (net.Conn, error) { return dial() })
	// The head of a TLS record that promises a ClientHello of 512 bytes, and its first.
	knock(t, halfOpenTLS, saying(func(int) []byte { return []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03") }))
	knock(t, noisy, saying(func(i int) []byte {
		chance := rand.New(rand.NewPCG(1, uint64(i)))
		noise := make([]byte, 64)
		for j := range noise {
			noise[j] = byte(chance.Uint32())
		}
		noise[0] |= 0x80 // never a handshake's first byte by chance
		return noise
	}))
	knock(t, idleSecured, func(int) (net.Conn, error) {
		as := right.Clone()
		as.ServerName, as.NextProtos = "127.0.0.1", []string{"h2"}
		c, err := tls.Dial("tcp", d.address, as)
		if err != nil {
			return nil, err
		}
		_, err = io.WriteString(c, http2Preface)
		return c, err
	})

	wall := clock.RealClock{}
	took := make([]time.Duration, 0, 200)
	for range cap(took) {
		began := wall.Now()
		require.NoError(t, ask(), "a client that is there already")
		took = append(took, wall.Since(began))
	}
	slices.Sort(took)
	t.Logf("RPC beside %d other connections: median %v, 99%% within %v", crowd, took[len(took)/2], took[len(took)*99/100])
	began := wall.Now()
	require.NoError(t, d.call(t, right), "a client that comes now")
	t.Logf("a new mTLS client was answered after %v", wall.Since(began))
	assert.GreaterOrEqual(t, testutil.ToFloat64(d.tls.metrics.refused.WithLabelValues(refusedNotTLS)), float64(noisy))
}

func TestHalfAHandshakeIsCutOff(t *testing.T) {
	d := openDoor(t, Limits{Handshake: 50 * time.Millisecond})
	silent, err := net.Dial("tcp", d.address)
	require.NoError(t, err)
	defer silent.Close()
	require.NoError(t, silent.SetReadDeadline(clock.RealClock{}.Now().Add(waitLong)))
	_, err = silent.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF, "the server hung up, and before the client's own patience ended")
	require.Eventually(t, func() bool {
		return testutil.ToFloat64(d.tls.metrics.refused.WithLabelValues(refusedTimeout)) == 1
	}, waitLong, waitStep)
	require.NoError(t, d.call(t, d.trusting(d.ca.issue(t, nil))))
}
