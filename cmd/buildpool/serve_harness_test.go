package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"
	"k8s.io/utils/clock"

	"github.com/buildpool/buildpool/ess/esssim"
)

// How long and how often a test looks for what another goroutine does.
const (
	waitLong = 20 * time.Second
	waitStep = 10 * time.Millisecond
)

// fastAccount is the built-in account with delays that a test can wait for.
func fastAccount(t *testing.T) esssim.Config {
	t.Helper()
	cfg, err := esssim.Parse("account.yaml", []byte(fastAccountFile()))
	require.NoError(t, err)
	return cfg
}

func fastAccountFile() string {
	return strings.Replace(string(embeddedAccount),
		"{create: 20s, join: 20s, remove: 10s, retry: 60s, check: 1s}",
		"{create: 50ms, join: 0s, remove: 50ms, retry: 60s, check: 10ms}", 1)
}

// simulate runs a fast account for the length of a test.
func simulate(t *testing.T) (*esssim.Simulator, string) {
	t.Helper()
	simulator, err := esssim.New(esssim.Options{Config: fastAccount(t), Clock: clock.RealClock{}, Seed: 1})
	require.NoError(t, err)
	server := httptest.NewServer(simulator)
	t.Cleanup(server.Close)
	return simulator, server.URL
}

// simulatedKey is the environment of somebody who may use the simulated account.
func simulatedKey() map[string]string {
	return map[string]string{
		"ALIBABA_CLOUD_ACCESS_KEY_ID":     "sim-access-key",
		"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "sim-secret",
	}
}

// server is a "buildpool serve" that runs whole inside the test.
type server struct {
	world
	protos.CloudProviderClient
	http     string
	stop     context.CancelFunc
	exitCode chan int
}

// start runs serve until the test ends, with the built-in node groups unless the
// arguments name others, and returns when it answers.
func start(t *testing.T, variables map[string]string, arguments ...string) *server {
	t.Helper()
	directory, err := os.MkdirTemp("", "bp") // short: a socket's path may have 107 bytes
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(directory)) })
	address := "unix://" + filepath.Join(directory, "s")

	s := &server{world: world{variables: variables}, exitCode: make(chan int, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	s.stop = cancel
	arguments = append([]string{"serve", "--address", address, "--http-address", "127.0.0.1:0", "--log-format", "json"}, arguments...)
	go func() { s.exitCode <- s.run(ctx, arguments...) }()
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	s.CloudProviderClient = protos.NewCloudProviderClient(connection)
	t.Cleanup(func() {
		cancel()
		assert.NoError(t, connection.Close())
		select {
		case code := <-s.exitCode:
			assert.Zero(t, code, s.stderr.String())
		case <-time.After(waitLong):
			assert.Fail(t, "serve did not end")
		}
		if t.Failed() {
			t.Log(s.stderr.String())
		}
	})
	s.http = s.await(t, "serving")["http"].(string)
	return s
}

// await waits for a log line and returns it.
func (s *server) await(t *testing.T, message string) map[string]any {
	t.Helper()
	var found map[string]any
	require.Eventually(t, func() bool {
		for line := range strings.Lines(s.stderr.String()) {
			var fields map[string]any
			if json.Unmarshal([]byte(line), &fields) == nil && fields["msg"] == message {
				found = fields
				return true
			}
		}
		return false
	}, waitLong, waitStep, "no log line %q", message)
	return found
}

// get asks the HTTP side.
func (s *server) get(t *testing.T, path string) (int, string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + s.http + path)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, string(body)
}

// awaitReady waits until /readyz says so.
func (s *server) awaitReady(t *testing.T) {
	t.Helper()
	require.Eventually(t, func() bool {
		code, _ := s.get(t, "/readyz")
		return code == http.StatusOK
	}, waitLong, waitStep)
}
