package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"
)

// essSim is a running "buildpool ess-sim".
type essSim struct {
	t     *testing.T
	admin string
	log   *logLines
	stop  func() int
}

func startESSSim(t *testing.T, c clock.WithTicker, args ...string) *essSim {
	t.Helper()
	s := &essSim{t: t, log: &logLines{}}
	env := environment{stdin: bytes.NewReader(nil), stdout: io.Discard, stderr: s.log, clock: c, getenv: func(string) string { return "" }}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, env, append([]string{"ess-sim", "--listen", "127.0.0.1:0"}, args...)) }()
	s.stop = func() int { http.DefaultClient.CloseIdleConnections(); stop(); return <-ended }
	listening := regexp.MustCompile(`msg=listening address=(\S+)`)
	require.Eventually(t, func() bool { return listening.MatchString(s.log.String()) }, 10*time.Second, time.Millisecond)
	s.admin = "http://" + listening.FindStringSubmatch(s.log.String())[1] + "/admin/"
	return s
}

// read returns the account's instant and instances.
func (s *essSim) read() (now time.Time, instances string) {
	s.t.Helper()
	answer, err := http.Get(s.admin + "state")
	require.NoError(s.t, err)
	defer answer.Body.Close()
	var state struct {
		Now    time.Time
		Groups []struct {
			Instances []struct {
				ID, State string
				Created   time.Time
			}
		}
	}
	require.NoError(s.t, json.NewDecoder(answer.Body).Decode(&state))
	data, err := json.Marshal(state.Groups)
	require.NoError(s.t, err)
	return state.Now, string(data)
}

func TestESSSimGoesOnWhereItWasLeft(t *testing.T) {
	state := filepath.Join(t.TempDir(), "state.jsonl")
	config := writeAccount(t, essSimAccount)
	wall := clocktesting.NewFakeClock(time.Date(2026, 8, 3, 15, 0, 0, 0, time.UTC))
	args := []string{"--config", config, "--state", state, "--speed", "60"}

	first := startESSSim(t, wall, args...)
	answer, err := http.Post(first.admin+"groups/asg-a", "application/json", strings.NewReader(`{"desired":3}`))
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, http.StatusOK, answer.StatusCode)
	wall.Step(time.Second)
	now, instances := first.read()
	assert.Equal(t, 3, strings.Count(instances, "InService"), "after a minute of the account")
	require.Equal(t, 0, first.stop())

	wall.Step(time.Minute)
	second := startESSSim(t, wall, args...)
	later, again := second.read()
	assert.Equal(t, instances, again)
	assert.Equal(t, time.Hour, later.Sub(now), "the account's time has passed 60 times as fast meanwhile")
	assert.Contains(t, second.log.String(), "going on where the account was left")
	require.Equal(t, 0, second.stop())

	for says, other := range map[string][]string{
		"made with seed 1, not 2": {"--config", config, "--state", state, "--speed", "60", "--seed", "2"},
		"made at speed 60, not 1": {"--config", config, "--state", state},
		"not a state file":        {"--config", config, "--state", config},
	} {
		var log logLines
		env := environment{stdin: bytes.NewReader(nil), stdout: io.Discard, stderr: &log, clock: wall, getenv: func(string) string { return "" }}
		assert.Equal(t, 1, run(t.Context(), env, append([]string{"ess-sim", "--listen", "127.0.0.1:0"}, other...)), says)
		assert.Contains(t, log.String(), says)
	}
}
