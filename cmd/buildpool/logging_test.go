package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLogFlags(t *testing.T) {
	for _, test := range []struct {
		flags   logFlags
		refused string
		writes  string // of a debug line; "": the level keeps it out
	}{
		{flags: logFlags{"text", "debug"}, writes: "level=DEBUG msg=x"},
		{flags: logFlags{"json", "DEBUG"}, writes: `"level":"DEBUG","msg":"x"`},
		{flags: logFlags{"text", "info"}},
		{flags: logFlags{"json", "error"}},
		{flags: logFlags{"xml", "info"}, refused: `--log-format "xml"`},
		{flags: logFlags{"", "info"}, refused: `--log-format ""`},
		{flags: logFlags{"text", "loud"}, refused: `--log-level "loud"`},
	} {
		var text strings.Builder
		log, err := test.flags.open(&text)
		if test.refused != "" {
			require.ErrorContains(t, err, test.refused)
			continue
		}
		require.NoError(t, err)
		log.Debug("x")
		if test.writes == "" {
			assert.Empty(t, text.String())
			continue
		}
		assert.Contains(t, text.String(), test.writes)
	}
}
