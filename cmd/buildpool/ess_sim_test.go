package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"
)

const essSimAccount = `apiVersion: buildpool/v1alpha1
kind: Account
region: cn-hangzhou
accessKeys: [{id: sim-access-key, secret: sim-secret}]
vSwitches: [{id: vsw-h, zone: cn-hangzhou-h}]
instanceTypes: [{name: ecs.c7.2xlarge, cpus: 8, memoryGiB: 16, pricePerHour: 1.6308}]
scalingGroups:
  - id: asg-a
    max: 4
    desired: 2
    expectedNumberMode: true
    vSwitchIds: [vsw-h]
    scalingConfiguration: {id: asc-a, instanceTypes: [ecs.c7.2xlarge]}
`

// logLines is where a command logs to; the test reads it while the command runs.
type logLines struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.Write(p)
}

func (l *logLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
}

func writeAccount(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "account.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestESSSimServesUntilItIsStopped(t *testing.T) {
	var log logLines
	env := environment{stdin: bytes.NewReader(nil), stdout: io.Discard, stderr: &log, clock: clock.RealClock{}, getenv: func(string) string { return "" }}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan int, 1)
	// 1,000 times as fast: an instance that takes 21 s is there in 21 ms.
	go func() {
		ended <- run(ctx, env, []string{"ess-sim", "--config", writeAccount(t, essSimAccount), "--listen", "127.0.0.1:0", "--speed", "1000"})
	}()
	address := ""
	require.Eventually(t, func() bool {
		found := regexp.MustCompile(`msg=listening address=(\S+)`).FindStringSubmatch(log.String())
		if found != nil {
			address = found[1]
		}
		return found != nil
	}, 10*time.Second, time.Millisecond)

	require.Eventually(t, func() bool {
		answer, err := http.Get("http://" + address + "/admin/state")
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		var state struct {
			Groups []struct{ Counters struct{ InService int } }
		}
		return json.NewDecoder(answer.Body).Decode(&state) == nil && state.Groups[0].Counters.InService == 2
	}, 10*time.Second, 5*time.Millisecond)
	http.DefaultClient.CloseIdleConnections()
	stop()
	assert.Equal(t, 0, <-ended)
	assert.Contains(t, log.String(), "stopping")
}

func TestESSSimRefusesWrongFlags(t *testing.T) {
	good := writeAccount(t, essSimAccount)
	for says, args := range map[string][]string{
		"required flag":     {},
		"no such file":      {"--config", "/nowhere/account.yaml"},
		"--speed 0":         {"--config", good, "--speed", "0"},
		"--provider-id":     {"--config", good, "--provider-id", "x"},
		"--log-format":      {"--config", good, "--log-format", "xml"},
		"unknown flag":      {"--config", good, "--port", "1"},
		"unknown command":   {"--config", good, "extra"},
		"read kubeconfig":   {"--config", good, "--kubeconfig", "/nowhere/kubeconfig"},
		"listen:":           {"--config", good, "--listen", "nowhere"},
		"field zones":       {"--config", writeAccount(t, essSimAccount+"zones: []\n")},
		"looks like a real": {"--config", writeAccount(t, regexp.MustCompile("sim-access-key").ReplaceAllString(essSimAccount, "LTAI5t"))},
	} {
		var log logLines
		env := environment{stdin: bytes.NewReader(nil), stdout: io.Discard, stderr: &log, clock: clock.RealClock{}, getenv: func(string) string { return "" }}
		assert.Equal(t, 1, run(t.Context(), env, append([]string{"ess-sim"}, args...)), says)
		assert.Contains(t, log.String(), says)
	}
}
