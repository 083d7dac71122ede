package main

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/buildpool/buildpool/nodegroups/config"
)

func TestReloads(t *testing.T) {
	file, err := readNodeGroups("")
	require.NoError(t, err)
	running := file.config
	changed := func(change func(*config.Config)) config.Config {
		cfg := running
		change(&cfg)
		return cfg
	}
	for name, test := range map[string]struct {
		cfg     config.Config
		err     error
		applied bool
		says    string
	}{
		"good":           {cfg: changed(func(c *config.Config) { c.Groups = c.Groups[:1] }), applied: true, says: "taken over"},
		"does not parse": {err: errors.New("line 3: unknown key"), says: "line 3: unknown key"},
		"another region": {cfg: changed(func(c *config.Config) { c.Region = "cn-beijing" }), says: "restart to use another account"},
		"another role":   {cfg: changed(func(c *config.Config) { c.Account.RoleName = "other" }), says: "restart to use another account"},
	} {
		t.Run(name, func(t *testing.T) {
			var log strings.Builder
			var applied []config.Config
			registry := prometheus.NewRegistry()
			r := newReloader(running, func(cfg config.Config) { applied = append(applied, cfg) }, slog.New(slog.NewTextHandler(&log, nil)), registry)
			assert.Equal(t, 1.0, testutil.ToFloat64(r.good))

			r.deliver(test.cfg, test.err)
			assert.Contains(t, log.String(), test.says)
			if test.applied {
				assert.Equal(t, []config.Config{test.cfg}, applied)
				assert.Equal(t, 1.0, testutil.ToFloat64(r.reloads.WithLabelValues("success")))
				assert.Equal(t, 1.0, testutil.ToFloat64(r.good))
				return
			}
			assert.Empty(t, applied)
			assert.Equal(t, 1.0, testutil.ToFloat64(r.reloads.WithLabelValues("failure")))
			assert.Equal(t, 0.0, testutil.ToFloat64(r.good))
			assert.Contains(t, log.String(), "level=ERROR")

			r.deliver(running, nil)
			assert.Equal(t, 1.0, testutil.ToFloat64(r.good), "the next good file heals it")
		})
	}
}

func TestReadNodeGroups(t *testing.T) {
	_, err := readNodeGroups("/nowhere/nodegroups.yaml")
	require.ErrorContains(t, err, "/nowhere/nodegroups.yaml")
}
